/**
 * Why the server refuses what it gave the address of, only the playback call tells; it may have a better address, too. An
 * address that is refused as often as it is given is not asked for without end.
 */
import { useRef } from 'preact/hooks';
import type { PlaybackState } from '../playback/index.ts';

const pause = 10_000;

/** Hears what the player says, and asks again where it was refused. */
export const useWhyRefused = (ask: () => void): ((state: PlaybackState) => void) => {
  const at = useRef(-Infinity);
  return (state) => {
    if (state.is !== 'error' || state.code !== 'forbidden') return;
    const now = performance.now();
    if (now - at.current > pause) ask();
    at.current = now;
  };
};
