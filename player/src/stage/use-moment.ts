/** Where the viewing stands, looked at four times a second, and at once when it is moved. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Moment, Playback } from '../playback/index.ts';

export const useMoment = (playback: RefObject<Playback | null>): Moment | null => {
  const [moment, setMoment] = useState<Moment | null>(null);
  useEffect(() => {
    const look = (): void => {
      if (!document.hidden) setMoment(playback.current?.moment() ?? null);
    };
    const timer = setInterval(look, 250);
    // Events of media do not bubble, and the capturing way is open to them all the same.
    addEventListener('seeking', look, true);
    return () => {
      clearInterval(timer);
      removeEventListener('seeking', look, true);
    };
  }, []);
  return moment;
};
