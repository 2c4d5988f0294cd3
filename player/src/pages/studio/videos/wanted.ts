/** What is looked for among one's videos: kept in the address, so that it can be handed on. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { videoStates } from '../../../api/types.ts';
import type { Wanted } from './use-videos.ts';

export const everything: Wanted = { text: '', state: null };

const wantedIn = (search: string): Wanted => {
  const query = new URLSearchParams(search);
  return { text: query.get('q') ?? '', state: videoStates.find((state) => state === query.get('state')) ?? null };
};

const searchFor = ({ text, state }: Wanted): string => {
  const query = new URLSearchParams();
  if (text !== '') query.set('q', text);
  if (state !== null) query.set('state', state);
  const written = query.toString();
  return written === '' ? '' : `?${written}`;
};

/** `typed` is what the fields show, `wanted` what is asked for: text waits until the hand rests. */
export const useWanted = (): { typed: Wanted; wanted: Wanted; want: (next: Wanted) => void } => {
  const [typed, setTyped] = useState(() => wantedIn(location.search));
  const [wanted, setWanted] = useState(typed);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    typed,
    wanted,
    want(next) {
      setTyped(next);
      clearTimeout(timer.current);
      const settle = (): void => {
        const asked = { ...next, text: next.text.trim().normalize('NFC') };
        setWanted(asked);
        history.replaceState(null, '', location.pathname + searchFor(asked));
      };
      if (next.text === typed.text || next.text === '') settle();
      else timer.current = setTimeout(settle, 350);
    },
  };
};
