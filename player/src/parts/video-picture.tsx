/**
 * What a video looks like, on a card: its poster over the drawn water, and while somebody points at the card, or has it
 * under the keyboard, a preview that moves. Nothing moves for whoever wants it still, or pays for every megabyte.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { onThisHost } from '../api/endpoints.ts';
import type { Pictures } from '../api/types.ts';
import { savesData } from '../lib/saves-data.ts';

/** How the same picture is known again: its name and its version. */
const versionOf = (address: string): string => address.slice(address.lastIndexOf('/'));

/** Of a private video each answer brings another grant: the picture that is there is not loaded again for it. */
export const useSteady = (address: string | null): string | null => {
  const kept = useRef(address);
  const same = kept.current !== null && address !== null && versionOf(kept.current) === versionOf(address);
  if (!same) kept.current = address;
  return kept.current;
};

/** Somebody who only passes over a row of cards sets nothing in motion. */
const restMs = 250;

type Pointing = {
  readonly on: boolean;
  readonly handlers: {
    onPointerEnter(event: PointerEvent): void;
    onPointerLeave(): void;
    onFocusIn(event: FocusEvent): void;
    onFocusOut(): void;
  };
};

/** For the card as a whole: its link lies over all of it. */
export const usePointing = (): Pointing => {
  const [on, setOn] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const leave = (): void => {
    clearTimeout(timer.current);
    setOn(false);
  };
  const enter = (): void => {
    clearTimeout(timer.current);
    if (savesData() || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    timer.current = setTimeout(() => setOn(true), restMs);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    on,
    handlers: {
      // A finger opens the card, it does not point at it.
      onPointerEnter: (event) => event.pointerType === 'mouse' && enter(),
      onPointerLeave: leave,
      onFocusIn: (event) => event.target instanceof Element && event.target.matches(':focus-visible') && enter(),
      onFocusOut: leave,
    },
  };
};

type Props = { pictures: Pictures | null | undefined; moves: boolean };

/** Says nothing to readers: the title beside it does. */
export const VideoPicture = ({ pictures, moves }: Props) => {
  const poster = useSteady(pictures?.poster ?? null);
  const preview = useSteady(pictures?.preview ?? null);
  const [loaded, setLoaded] = useState(false);
  const [broken, setBroken] = useState<string | null>(null);
  useEffect(() => {
    if (!moves) setLoaded(false);
  }, [moves]);
  return (
    <div class="picture">
      {poster !== null && poster !== broken && (
        <img class="poster" src={onThisHost(poster)} alt="" loading="lazy" decoding="async" onError={() => setBroken(poster)} />
      )}
      {moves && preview !== null && (
        <img class={`preview ${loaded ? 'here' : ''}`} src={onThisHost(preview)} alt="" decoding="async" onLoad={() => setLoaded(true)} />
      )}
    </div>
  );
};
