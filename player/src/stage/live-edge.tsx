/** How far behind the live edge this is, and the way back to it. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Playback } from '../playback/index.ts';
import { t } from '../words/index.ts';

type Seen = { readonly latency: number | null; readonly edge: boolean };

export const LiveEdge = ({ playback }: { playback: RefObject<Playback | null> }) => {
  const [seen, setSeen] = useState<Seen>({ latency: null, edge: true });
  useEffect(() => {
    const timer = setInterval(() => {
      const { current } = playback;
      if (current && !document.hidden) setSeen({ latency: current.latency(), edge: current.atLiveEdge() });
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  if (seen.latency === null) return null;
  const seconds = seen.latency.toFixed(seen.latency < 10 ? 1 : 0);
  const title = t('player.latency', { seconds });
  return (
    <button
      type="button"
      class={`live-edge ${seen.edge ? 'now' : ''}`}
      title={title}
      onClick={() => playback.current?.goLive()}
    >
      {seen.edge ? t('player.atLive') : t('player.goLive')}
      <span aria-hidden="true" data-latency={seconds}>
        {t('player.behind', { seconds })}
      </span>
    </button>
  );
};
