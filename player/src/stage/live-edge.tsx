/** How far behind this is, and the way back to the live edge. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Playback } from '../playback/index.ts';
import { language, t } from '../words/index.ts';
import { behindText, spokenLength } from './time-labels.ts';

type Seen = { readonly latency: number | null; readonly edge: boolean; readonly behind: number };

export const LiveEdge = ({ playback }: { playback: RefObject<Playback | null> }) => {
  const [seen, setSeen] = useState<Seen>({ latency: null, edge: true, behind: 0 });
  useEffect(() => {
    const look = (): void => {
      const moment = playback.current?.moment();
      if (!moment || document.hidden) return;
      setSeen({ latency: playback.current?.latency() ?? null, edge: moment.edge, behind: moment.behind });
    };
    const timer = setInterval(look, 500);
    return () => clearInterval(timer);
  }, []);
  if (seen.latency === null) return null;
  const seconds = seen.latency.toFixed(seen.latency < 10 ? 1 : 0);
  const title = seen.edge
    ? t('player.latency', { seconds })
    : t('player.bar.behind', { time: spokenLength(language.get(), seen.behind) });
  return (
    <button
      type="button"
      class={`live-edge ${seen.edge ? 'now' : ''}`}
      title={title}
      onClick={() => playback.current?.goLive()}
    >
      {seen.edge ? t('player.atLive') : t('player.goLive')}
      <span aria-hidden="true" data-latency={seconds} data-behind={seen.edge ? 0 : Math.round(seen.behind)}>
        {seen.edge ? t('player.behind', { seconds }) : behindText(seen.behind)}
      </span>
    </button>
  );
};
