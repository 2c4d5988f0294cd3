/**
 * What a video looks like, on a card: its poster over the drawn water, and while somebody points at the card, or has it
 * under the keyboard, a preview that moves. Nothing moves for whoever wants it still, or pays for every megabyte.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { onThisHost } from '../api/endpoints.ts';
import type { Video } from '../api/types.ts';
import { savesData } from '../lib/saves-data.ts';
import { usePictures, useSteady } from './use-pictures.ts';

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

/** One of its pictures, while nothing is known against it. */
const useUnbroken = (address: string | null, onFailed: (address: string) => void): { src: string | null; onError: () => void } => {
  const [broken, setBroken] = useState<string | null>(null);
  const steady = useSteady(address, broken);
  const onError = (): void => {
    if (steady === null) return;
    setBroken(steady);
    onFailed(steady);
  };
  return { src: steady === null || steady === broken ? null : onThisHost(steady), onError };
};

type Props = { video: Pick<Video, 'id' | 'pictures'>; moves: boolean };

/** Says nothing to readers: the title beside it does. */
export const VideoPicture = ({ video, moves }: Props) => {
  const { pictures, failed } = usePictures(video.id, video.pictures ?? null);
  const poster = useUnbroken(pictures?.poster ?? null, failed);
  const preview = useUnbroken(pictures?.preview ?? null, failed);
  const [loaded, setLoaded] = useState(false);
  useEffect(() => {
    if (!moves) setLoaded(false);
  }, [moves]);
  return (
    <div class="picture">
      {poster.src !== null && <img class="poster" src={poster.src} alt="" loading="lazy" decoding="async" onError={poster.onError} />}
      {moves && preview.src !== null && (
        <img class={`preview ${loaded ? 'here' : ''}`} src={preview.src} alt="" decoding="async" onLoad={() => setLoaded(true)} onError={preview.onError} />
      )}
    </div>
  );
};
