/** The caption files of a recording: one a language, read here and sent as text. */
import { useRef, useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import type { CaptionTrack } from '../../api/types.ts';
import { captionLanguages, languageName } from '../../lib/languages.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { ChoiceField, Notice } from '../../parts/field.tsx';
import { Failed, problemText } from '../../parts/states.tsx';
import { toast } from '../../parts/toasts.tsx';
import { useSending } from '../../state/use-form.ts';
import { useLoaded } from '../../state/use.ts';
import { language, t, tCount } from '../../words/index.ts';

/** Hours of speech are a few hundred kilobytes; the server takes no more than this. */
const largest = 2_000_000;

/** Some editors put a byte-order mark before it. */
const isVtt = (text: string): boolean => /^\uFEFF?WEBVTT(?:[ \t\r\n]|$)/.test(text);

export const CaptionFiles = ({ video, onChanged }: { video: string; onChanged: () => void }) => {
  const list = useLoaded(`captions ${video}`, () => api.captions(video));
  const [chosen, setChosen] = useState<string>(language.get());
  const [fault, setFault] = useState<string | null>(null);
  const [removing, setRemoving] = useState<CaptionTrack | null>(null);
  const sending = useSending();
  const picker = useRef<HTMLInputElement>(null);
  /** What the next file is for. */
  const target = useRef<string>(chosen);

  const items = list.now.is === 'here' ? list.now.value.items : [];
  const pick = (tag: string): void => {
    target.current = tag;
    picker.current?.click();
  };
  const send = (file: File): void => {
    setFault(null);
    sending.run(async () => {
      if (file.size > largest) return setFault(t('captions.tooLarge'));
      const vtt = await file.text();
      if (!isVtt(vtt)) return setFault(t('captions.notVtt'));
      const { passedOver } = await api.putCaptions(video, target.current, { vtt });
      list.reload();
      onChanged();
      toast(passedOver.length > 0 ? tCount('captions.passedOver', passedOver.length) : t('captions.saved'));
    });
  };
  const remove = (track: CaptionTrack): void =>
    sending.run(async () => {
      try {
        await api.deleteCaptions(video, track.language);
        list.reload();
        onChanged();
        toast(t('captions.removed'));
      } finally {
        setRemoving(null);
      }
    });
  const free = captionLanguages.filter((tag) => !items.some((item) => item.language === tag));
  const next = free.includes(chosen) ? chosen : (free[0] ?? chosen);
  return (
    <section class="card" aria-labelledby="captions">
      <header>
        <h2 id="captions">{t('captions.title')}</h2>
        <p class="small soft">{t('captions.text')}</p>
      </header>
      {list.now.is === 'failed' && <Failed problem={list.now.problem} onRetry={list.reload} />}
      {sending.problem && <Notice>{problemText(sending.problem)}</Notice>}
      {fault !== null && <Notice>{fault}</Notice>}
      {items.length > 0 ? (
        <ul class="lines">
          {items.map((item) => {
            const name = languageName(item.language, language.get());
            return (
              <li key={item.language} class="row">
                <span>{name}</span>
                <Button slim busy={sending.busy} aria-label={t('captions.replaceNamed', { name })} onPress={() => pick(item.language)}>
                  {t('captions.replace')}
                </Button>
                <Button slim busy={sending.busy} aria-label={t('captions.removeNamed', { name })} onPress={() => setRemoving(item)}>
                  {t('captions.remove')}
                </Button>
              </li>
            );
          })}
        </ul>
      ) : (
        list.now.is === 'here' && <p class="soft">{t('captions.none')}</p>
      )}
      <div class="place-field">
        <ChoiceField
          label={t('captions.language')}
          name="caption-language"
          value={next}
          options={free.map((tag) => [tag, languageName(tag, language.get())] as const)}
          onValue={setChosen}
        />
        <Button busy={sending.busy} onPress={() => pick(next)}>
          {sending.busy ? t('captions.sending') : t('captions.add')}
        </Button>
      </div>
      <input
        ref={picker}
        class="off-screen"
        type="file"
        accept=".vtt,text/vtt"
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file) send(file);
          // The same file again, repaired, is another choice.
          event.currentTarget.value = '';
        }}
      />
      {removing && (
        <Confirm
          title={t('captions.remove.title')}
          text={t('captions.remove.text')}
          yes={t('captions.remove')}
          busy={sending.busy}
          onYes={() => remove(removing)}
          onNo={() => setRemoving(null)}
        />
      )}
    </section>
  );
};
