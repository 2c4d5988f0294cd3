/**
 * The text tracks of a media element, in whatever way they came: WebVTT of the playlist, CEA-608 out of the picture,
 * or a browser that plays HLS by itself. All of them are TextTracks, and hls.js follows the mode that they are given.
 */
import { remember, remembered } from '../state/remembered.ts';
import { captionsFor, captionsToShow, off } from './choices.ts';
import type { Choice } from './choices.ts';

export type Captions = {
  choices(): readonly Choice[];
  /** The id of what is shown. */
  shown(): string | null;
  choose(id: string | null): void;
  /** Off, or on again as they were. */
  toggle(reader: string): void;
  destroy(): void;
};

const speaks = ({ kind }: TextTrack): boolean => kind === 'subtitles' || kind === 'captions';

export const followCaptions = (video: HTMLVideoElement, onChange: () => void): Captions => {
  const gone = new AbortController();
  const list = video.textTracks;
  const tracks = (): TextTrack[] => [...list].filter(speaks);
  const idOf = (track: TextTrack): string => `${track.kind} ${track.language} ${track.label}`;
  const choices = (): Choice[] => tracks().map((track) => ({ id: idOf(track), language: track.language, label: track.label }));
  const shown = (): string | null => {
    const track = tracks().find(({ mode }) => mode === 'showing');
    return track ? idOf(track) : null;
  };
  const show = (id: string | null): void => {
    for (const track of tracks()) {
      const wanted = idOf(track) === id ? 'showing' : 'disabled';
      // CEA-608 is decoded with the picture: disabled, its track would lose what was said before it is chosen.
      if (wanted === 'disabled' && track.mode === 'hidden') continue;
      if (track.mode !== wanted) track.mode = wanted;
    }
  };
  const choose = (id: string | null): void => {
    const choice = choices().find((one) => one.id === id);
    remember('captions', choice ? choice.language || choice.label : off);
    if (choice) remember('captions.last', choice.language || choice.label);
    show(choice?.id ?? null);
    onChange();
  };
  const begin = (): void => {
    show(captionsFor(choices(), remembered('captions'), shown()));
    onChange();
  };
  // A track comes when the playlist names it, and for CEA-608 when the first of it is heard.
  list.addEventListener('addtrack', begin, { signal: gone.signal });
  list.addEventListener('removetrack', onChange, { signal: gone.signal });
  list.addEventListener('change', onChange, { signal: gone.signal });
  return {
    choices,
    shown,
    choose,
    toggle(reader) {
      // Where there are none the key means nothing, and must not be kept as a wish for none.
      if (choices().length === 0) return;
      choose(shown() === null ? captionsToShow(choices(), remembered('captions.last'), reader) : null);
    },
    destroy: () => gone.abort(),
  };
};
