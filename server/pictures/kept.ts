/**
 * What pictures of a video are kept: some JSON in its row, which names files in the folder `pictures` of the video by
 * versions. A version is a digest of the files, so that what is behind an address with a version never changes. Of each trim that
 * a video has had there are others: whoever takes one back has its pictures at once, and what was made late is in nobody's way.
 */

/** What of the video was shown when they were made; null: from its beginning, to its end. */
export type Shown = { readonly inMs: number | null; readonly outMs: number | null };

type Made = {
  readonly version: string;
  /** Of one picture of them. */
  readonly height: number;
};
export type KeptPosters = Made & Shown & { readonly count: number; /** Which of them is the poster. */ readonly chosen: number };
export type KeptStoryboard = Made & Shown & { readonly sheets: number };
export type KeptPreview = Made & Shown;

export type KeptPictures = {
  readonly posters: readonly KeptPosters[];
  readonly storyboards: readonly KeptStoryboard[];
  readonly previews: readonly KeptPreview[];
  /** What its owner gave in place of them. */
  readonly own: Made | null;
  /** What is written in its file was looked for: what its owner takes away of it does not come back. */
  readonly texts?: true;
};

export const noPictures: KeptPictures = { posters: [], storyboards: [], previews: [], own: null };

/** Milliseconds from where playback begins. */
export type Chapter = { readonly startMs: number; readonly endMs: number; readonly title: string };

type Cut = { readonly cutInMs: number | null; readonly cutOutMs: number | null };

/** Those of now. */
export type ShownPictures = {
  readonly posters: KeptPosters | null;
  readonly storyboard: KeptStoryboard | null;
  readonly preview: KeptPreview | null;
  readonly own: Made | null;
};

const isOf =
  ({ inMs, outMs }: Shown) =>
  (other: Shown): boolean =>
    other.inMs === inMs && other.outMs === outMs;

/** Of what has been cut away nothing is shown: what was made before that is not. */
export const shownPictures = (kept: KeptPictures | null, { cutInMs, cutOutMs }: Cut): ShownPictures => {
  const now = isOf({ inMs: cutInMs, outMs: cutOutMs });
  const { posters, storyboards, previews, own } = kept ?? noPictures;
  return { posters: posters.find(now) ?? null, storyboard: storyboards.find(now) ?? null, preview: previews.find(now) ?? null, own };
};

type There = (Made & Shown) | null;

/** Of each kind those of now, or else those that were made last: what is made behind them has another name. */
export const picturesThere = ({ pictures, ...cut }: Cut & { readonly pictures: KeptPictures | null }): { readonly storyboard: There; readonly posters: There; readonly preview: There } => {
  const { posters, storyboards, previews } = pictures ?? noPictures;
  const now = shownPictures(pictures, cut);
  return { posters: now.posters ?? posters.at(-1) ?? null, storyboard: now.storyboard ?? storyboards.at(-1) ?? null, preview: now.preview ?? previews.at(-1) ?? null };
};

/** Nobody tries more, and comes back to the first. */
const mostTrims = 8;

/** In place of those of the same trim. */
export const withSet = <Set extends Shown>(sets: readonly Set[], made: Set): Set[] => [...sets.filter((one) => !isOf(made)(one)), made].slice(-mostTrims);

export const withChosen = (kept: KeptPictures, { cutInMs, cutOutMs }: Cut, chosen: number): KeptPictures => {
  const now = isOf({ inMs: cutInMs, outMs: cutOutMs });
  return { ...kept, own: null, posters: kept.posters.map((one) => (now(one) ? { ...one, chosen } : one)) };
};

/** The poster that pages show: its own, or the chosen one of those that were made. */
export const posterOf = ({ posters, own }: ShownPictures): { readonly of: 'own' | number; readonly version: string; readonly height: number } | null => {
  if (own) return { of: 'own', version: own.version, height: own.height };
  return posters && { of: posters.chosen, version: `${posters.version}${posters.chosen}`, height: posters.height };
};
