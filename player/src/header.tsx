/** The top of every page: where you are, where you can go, and the menu with language, appearance and account. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem } from './api/problem.ts';
import { percentText } from './lib/format.ts';
import { Button } from './parts/button.tsx';
import { Confirm } from './parts/dialog.tsx';
import { Icon, Mark } from './parts/icons.tsx';
import { problemText } from './parts/states.tsx';
import { toast } from './parts/toasts.tsx';
import { address, Link, navigate } from './router.tsx';
import { paths } from './routes.ts';
import { session, signOut } from './state/session.ts';
import { themeChoice } from './state/theme.ts';
import { uploadsNow } from './state/uploads.ts';
import { useStore } from './state/use.ts';
import { language, languages, t, tCount } from './words/index.ts';
import type { Language } from './words/index.ts';

const Place = ({ to, words }: { to: string; words: string }) => {
  const at = useStore(address);
  // The way to the uploads is a place of its own.
  const here = at.startsWith(to) && at !== paths.upload;
  return (
    <Link class="nav-link" to={to} {...(here ? { 'aria-current': 'page' } : {})}>
      {words}
    </Link>
  );
};

/** The way to the uploads, and how far they are while one is on other pages. */
const UploadPlace = () => {
  const { files, share, stuck } = useStore(uploadsNow);
  const here = useStore(address) === paths.upload;
  const percent = percentText(language.get(), share);
  const told = files > 0 ? `${tCount('frame.uploading', files)}, ${percent}` : stuck ? t('frame.uploading.failed') : t('frame.upload');
  return (
    <Link class={`nav-link upload-place ${stuck ? 'stuck' : ''}`} to={paths.upload} aria-label={told} {...(here ? { 'aria-current': 'page' as const } : {})}>
      {files > 0 ? (
        <>
          <span class="ring" style={{ '--share': `${share * 100}%` }} />
          <span class="percent">{percent}</span>
        </>
      ) : (
        <>
          <Icon name="upload" />
          <span class="words">{t('frame.upload')}</span>
        </>
      )}
      {stuck && <span class="dot" />}
    </Link>
  );
};

type SegmentsProps<T extends string> = {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onValue: (value: T) => void;
};

const Segments = <T extends string>({ label, value, options, onValue }: SegmentsProps<T>) => (
  <div class="menu-group" role="group" aria-label={label}>
    <span class="label" aria-hidden="true">
      {label}
    </span>
    <div class="segments">
      {options.map(([option, words]) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => onValue(option)}>
          {words}
        </button>
      ))}
    </div>
  </div>
);

const Menu = () => {
  const [open, setOpen] = useState(false);
  const [asking, setAsking] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const who = useStore(session);
  useEffect(() => {
    if (!open) return;
    const away = (event: Event): void => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setOpen(false);
    };
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    addEventListener('pointerdown', away);
    addEventListener('focusin', away);
    addEventListener('keydown', escape);
    return () => {
      removeEventListener('pointerdown', away);
      removeEventListener('focusin', away);
      removeEventListener('keydown', escape);
    };
  }, [open]);
  const leave = async (): Promise<void> => {
    try {
      await signOut();
      setAsking(false);
      setOpen(false);
      navigate(paths.home);
    } catch (error) {
      toast(problemText(ApiProblem.from(error)));
    }
  };
  const initial = who.is === 'someone' ? [...who.account.username][0]?.toUpperCase() : undefined;
  return (
    <div class="menu" ref={box}>
      <button
        ref={button}
        type="button"
        class="menu-button"
        aria-label={t('frame.menu')}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {initial ?? <Icon name="person" />}
      </button>
      {open && (
        <div class="menu-panel">
          {who.is === 'someone' && <p class="small soft">{t('frame.signedInAs', { name: who.account.username })}</p>}
          <Segments
            label={t('frame.language')}
            value={language.get()}
            options={Object.entries(languages) as [Language, string][]}
            onValue={(value) => language.set(value)}
          />
          <Theme />
          {who.is === 'someone' && <Button onPress={() => (uploadsNow.get().files > 0 ? setAsking(true) : void leave())}>{t('frame.signOut')}</Button>}
        </div>
      )}
      {asking && (
        <Confirm
          title={t('frame.signOut.ask.title')}
          text={t('frame.signOut.ask.text')}
          yes={t('frame.signOut')}
          busy={false}
          onYes={() => void leave()}
          onNo={() => setAsking(false)}
        />
      )}
    </div>
  );
};

const Theme = () => (
  <Segments
    label={t('frame.theme')}
    value={useStore(themeChoice)}
    options={(['system', 'light', 'dark'] as const).map((choice) => [choice, t(`frame.theme.${choice}`)] as const)}
    onValue={(value) => themeChoice.set(value)}
  />
);

/** Not by the fragment of the address: that may hold the grant of a link, and a reload needs it. */
const toMain = (event: MouseEvent): void => {
  const main = document.getElementById('main');
  if (!main) return;
  event.preventDefault();
  main.tabIndex = -1;
  main.focus();
};

export const Header = () => {
  const who = useStore(session);
  const role = who.is === 'someone' ? who.account.role : null;
  return (
    <header class="header">
      <a class="skip" href="#main" onClick={toMain}>
        {t('frame.skip')}
      </a>
      <Link class="brand" to={paths.home} aria-label={t('frame.home')}>
        <Mark />
        <span>Millrace</span>
      </Link>
      <nav aria-label={t('frame.main')}>
        {(role === 'admin' || role === 'creator') && <UploadPlace />}
        {(role === 'admin' || role === 'creator') && <Place to={paths.studio} words={t('frame.studio')} />}
        {role === 'admin' && <Place to={paths.admin} words={t('frame.admin')} />}
        {who.is === 'nobody' && <Place to={paths.login()} words={t('frame.signIn')} />}
      </nav>
      <Menu />
    </header>
  );
};
