/**
 * A video whose owner changes how it is protected has files of other names from then on: what is being played runs out
 * where it stands, and is opened anew.
 */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../../api/endpoints.ts';
import { askedPiece } from '../../api/head-start.ts';
import type { PlaybackAddress, Protection } from '../../api/types.ts';
import type { Playback } from '../../playback/index.ts';
import type { Loading } from '../../state/use.ts';

/** How often something else was to be played than before, and where it goes on since, in seconds. */
type Turn = { readonly count: number; readonly at: number | null };

type Watched = {
  readonly id: string;
  readonly protection: Protection | undefined;
  readonly address: Loading<PlaybackAddress>;
  readonly player: RefObject<Playback | null>;
  /** For other reasons. */
  readonly turn: Turn;
};

export const useProtection = ({ id, protection, address, player, turn }: Watched): Turn => {
  const [anew, setAnew] = useState<Turn & { readonly during: number }>({ count: 0, at: null, during: -1 });
  const during = useRef(turn.count);
  during.current = turn.count;
  const known = useRef(protection);
  useEffect(() => {
    const before = known.current;
    known.current = protection ?? before;
    if (before === undefined || protection === undefined || before === protection) return;
    let current = true;
    const open = (now: PlaybackAddress | null): void => {
      if (!current) return;
      if (now) address.replace(now);
      setAnew(({ count }) => ({ count: count + 1, at: player.current?.showTime() ?? null, during: during.current }));
    };
    // What may be downloaded is another as well. Where it is not told, the address that is known is tried.
    api.playVideo(id, askedPiece()).then(open, () => open(null));
    return () => {
      current = false;
    };
  }, [protection]);
  return { count: turn.count + anew.count, at: anew.during === turn.count ? anew.at : turn.at };
};
