/** What stands where content will be, could not come, or is not there at all. */
import type { ComponentChildren } from 'preact';
import type { ApiProblem } from '../api/problem.ts';
import { wordsFor } from '../api/problem.ts';
import { Link } from '../router.tsx';
import { paths } from '../routes.ts';
import { session } from '../state/session.ts';
import { useStore } from '../state/use.ts';
import { t } from '../words/index.ts';
import { Button } from './button.tsx';
import { Notice } from './field.tsx';
import { Heading } from './title.tsx';

export const Skeleton = ({ lines = 3, height = '3rem' }: { lines?: number; height?: string }) => (
  <div class="section" role="status">
    <span class="sr-only">{t('frame.loading')}</span>
    {Array.from({ length: lines }, (_, line) => (
      <div key={line} class="skeleton" style={{ height }} />
    ))}
  </div>
);

export const SkeletonTiles = () => (
  <div class="tiles" role="status">
    <span class="sr-only">{t('frame.loading')}</span>
    {[1, 2, 3, 4].map((tile) => (
      <div key={tile} class="skeleton" style={{ aspectRatio: '16 / 9' }} />
    ))}
  </div>
);

type EmptyProps = { title: string; text: string; children?: ComponentChildren; whole?: boolean };

/** Water that runs by: nothing is here, and that is no fault. `whole`: it is all that the page has to say. */
export const Empty = ({ title, text, children, whole }: EmptyProps) => (
  <div class="empty">
    <svg
      class="mark"
      viewBox="0 0 112 40"
      fill="none"
      stroke="currentColor"
      stroke-width="4"
      stroke-linecap="round"
      aria-hidden="true"
    >
      <path d="M6 12c9-8 16-8 25 0s16 8 25 0 16-8 25 0 16 8 25 0" />
      <path d="M20 28c8-7 14-7 22 0s14 7 22 0 14-7 22 0" opacity="0.6" />
    </svg>
    {whole ? <Heading>{title}</Heading> : <h2>{title}</h2>}
    <p>{text}</p>
    {children && <div class="row">{children}</div>}
  </div>
);

/** The page of what is not there, or not for this person. */
export const Missing = ({ title, text, signIn }: { title: string; text: string; signIn?: boolean }) => {
  const who = useStore(session);
  return (
    <main id="main">
      <Empty title={title} text={text} whole>
        {signIn && who.is === 'nobody' && (
          <Link class="button primary" to={paths.login(location.pathname)}>
            {t('frame.signIn')}
          </Link>
        )}
        <Link class="button" to={paths.home}>
          {t('missing.action')}
        </Link>
      </Empty>
    </main>
  );
};

/** The server's own sentence helps where ours can only say that something was not accepted. */
export const problemText = (problem: ApiProblem): string => {
  const key = wordsFor(problem);
  const vague = key === 'problem.invalid' || key === 'problem.conflict' || key === 'problem.unexpected';
  return vague && problem.detail !== '' ? `${t(key)} (${problem.detail})` : t(key);
};

export const Failed = ({ problem, onRetry }: { problem: ApiProblem; onRetry: () => void }) => (
  <Notice>
    <div class="row">
      <span>{problemText(problem)}</span>
      <Button slim onPress={onRetry}>
        {t('frame.retry')}
      </Button>
    </div>
  </Notice>
);
