/**
 * Why the server refuses what it gave the address of, only the playback call tells; it may have a better address, too. An
 * address that is refused as often as it is given is not asked for without end.
 */
import type { PlaybackState } from '../playback/index.ts';
import { useNowAndThen } from '../state/use.ts';

/** Hears what the player says, and asks again where it was refused. */
export const useWhyRefused = (ask: () => void): ((state: PlaybackState) => void) => {
  const again = useNowAndThen(ask);
  return (state) => {
    if (state.is === 'error' && state.code === 'forbidden') again();
  };
};
