/**
 * A presentation as `cbcs` can carry it: without the tracks of other codecs. An upload in HEVC is played by what was made of it in
 * H.264. Where nothing of its pictures remains, or nothing of its sound, it is refused: a film without sound is not that film.
 */
import { takesCbcs } from '../../packager/protect/cbcs-init.ts';
import { isProtected } from '../../packager/protect/keys.ts';
import type { TrackLogReader } from '../../packager/log/types.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../../packager/snapshot.ts';
import type { Presentation } from './presentation.ts';
import { problems, type Problem } from './problem.ts';

type Track = Pick<TrackSnapshot, 'kind' | 'codec'>;

const isCarried = (track: Track): boolean => !isProtected(track) || takesCbcs(track.codec);

/** Whether something remains of its pictures, and something of its sound. */
export const cbcsCarries = (tracks: readonly Track[]): boolean => {
  const remains = new Set(tracks.filter(isCarried).map(({ kind }) => kind));
  return tracks.every(({ kind }) => remains.has(kind));
};

/** Why this presentation is not served as its owner wants it protected; null: it is. */
export const unprotectable = ({ policy, tracks }: PresentationSnapshot): Problem | null => {
  return policy.protection !== 'cbcs' || cbcsCarries(tracks) ? null : problems.noCbcs;
};

class CbcsView implements Presentation {
  readonly #whole: Presentation;
  #seen: { readonly of: PresentationSnapshot; readonly as: PresentationSnapshot } | null = null;

  constructor(whole: Presentation) {
    this.#whole = whole;
  }

  snapshot(): PresentationSnapshot {
    const of = this.#whole.snapshot();
    if (this.#seen?.of !== of) this.#seen = { of, as: carried(of) };
    return this.#seen.as;
  }

  reader(track: string): TrackLogReader | null {
    return this.snapshot().tracks.some(({ id }) => id === track) ? this.#whole.reader(track) : null;
  }

  onChange(listener: () => void): () => void {
    return this.#whole.onChange(listener);
  }
}

const carried = (snapshot: PresentationSnapshot): PresentationSnapshot =>
  snapshot.tracks.every(isCarried) ? snapshot : { ...snapshot, tracks: snapshot.tracks.filter(isCarried) };

/** One for each presentation: playlists are kept, and requests wait, by which it is. */
const views = new WeakMap<Presentation, CbcsView>();

export const cbcsView = (presentation: Presentation): Presentation => {
  let view = views.get(presentation);
  if (!view) views.set(presentation, (view = new CbcsView(presentation)));
  return view;
};
