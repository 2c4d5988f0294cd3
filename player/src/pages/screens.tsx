/** Too many are watching, or this one was stopped from elsewhere: where the account watches, and "stop that one". */
import { useState } from 'preact/hooks';
import { api } from '../api/endpoints.ts';
import { ApiProblem } from '../api/problem.ts';
import type { StreamView } from '../api/types.ts';
import { deviceName } from '../lib/device-name.ts';
import { Button } from '../parts/button.tsx';
import { since } from '../parts/since.ts';
import { Failed, problemText, Skeleton } from '../parts/states.tsx';
import { toast } from '../parts/toasts.tsx';
import { StageWords } from '../stage/over.tsx';
import { session } from '../state/session.ts';
import { useLoaded, useStore } from '../state/use.ts';
import { t } from '../words/index.ts';

export const isAboutScreens = ({ code }: ApiProblem): boolean => code === 'too-many-streams' || code === 'stream-stopped';

type Props = {
  problem: ApiProblem;
  /** By a link that was handed on: others may be watching, and it is not for this one to stop them. */
  byLink: boolean;
  water: string;
  /** A place may be free now. */
  onFree: () => void;
  /** Goes on here; fails while there is no place. */
  onHere: () => Promise<void>;
};

export const Screens = ({ problem, byLink, water, onFree, onHere }: Props) => {
  const [full, setFull] = useState(problem.code === 'too-many-streams');
  const signedIn = useStore(session).is === 'someone';
  const here = (): void =>
    void onHere().catch((error: unknown) => {
      const failure = ApiProblem.from(error);
      if (failure.code === 'too-many-streams') setFull(true);
      else toast(problemText(failure));
    });
  if (!full) {
    return (
      <StageWords title={t('screens.stopped.title')} text={t('screens.stopped.text')} water={water}>
        <div class="row">
          <Button look="primary" onPress={here}>
            {t('screens.here')}
          </Button>
        </div>
      </StageWords>
    );
  }
  const again = problem.code === 'stream-stopped' ? here : onFree;
  const lists = signedIn && !byLink;
  return (
    <StageWords title={t('screens.title')} text={lists ? t('screens.text') : t('screens.link')} water={water}>
      {lists && <Devices onStopped={again} />}
      <div class="row">
        <Button onPress={again}>{t('frame.retry')}</Button>
      </div>
    </StageWords>
  );
};

const Devices = ({ onStopped }: { onStopped: () => void }) => {
  const list = useLoaded('streams', () => api.streams());
  const [busy, setBusy] = useState(false);
  const stop = async ({ id }: StreamView): Promise<void> => {
    setBusy(true);
    try {
      await api.stopStream(id);
      onStopped();
    } catch (error) {
      // It has ended by itself meanwhile: then there is a place, too.
      const failure = ApiProblem.from(error);
      if (failure.status === 404) onStopped();
      else toast(problemText(failure));
    } finally {
      setBusy(false);
      list.reload();
    }
  };
  if (list.now.is === 'loading') return <Skeleton lines={1} />;
  if (list.now.is === 'failed') return <Failed problem={list.now.problem} onRetry={list.reload} />;
  if (list.now.value.items.length === 0) return <p>{t('screens.none')}</p>;
  return (
    <ul class="lines screens" aria-label={t('screens.devices')}>
      {list.now.value.items.map((stream) => {
        const name = deviceName(stream.userAgent) ?? t('screens.unknown');
        return (
          <li key={stream.id} class="row">
            <span>
              <strong>{name}</strong>
              <span class="small soft">
                {t('screens.what', { title: stream.title ?? t('home.untitled'), when: since(stream.startedAt), address: stream.address })}
              </span>
            </span>
            <Button slim busy={busy} aria-label={t('screens.stopNamed', { name })} onPress={() => void stop(stream)}>
              {t('screens.stop')}
            </Button>
          </li>
        );
      })}
    </ul>
  );
};
