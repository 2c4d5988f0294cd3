/** Which progressive files a presentation has: every rung of the picture with its sound, and sound alone where there is no picture. */
import { plainSound } from '../plain-sound.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { progressiveFolder, progressiveName, type ProgressiveName } from './names.ts';

export type Download = {
  /** Below the address of the video. */
  readonly path: string;
  /** Of the picture; null: sound alone. */
  readonly height: number | null;
};

/** The best first. A show in progress has none: what it will be nobody knows. */
export const downloadsOf = (snapshot: PresentationSnapshot): Download[] => {
  if (snapshot.state === 'live') return [];
  const pictures = snapshot.tracks.filter(isPicture).toSorted((a, b) => (heightOf(b) ?? 0) - (heightOf(a) ?? 0));
  const sound = [plainSound(snapshot.tracks) ?? []].flat();
  const files = pictures.length > 0 ? pictures.map((picture) => [picture, ...sound]) : sound.map((one) => [one]);
  return files.map((tracks) => ({
    path: `${progressiveFolder}/${progressiveName({ run: fileRun(snapshot), tracks: tracks.map(({ id }) => id) })}`,
    height: tracks[0] ? heightOf(tracks[0]) : null,
  }));
};

/** The tracks that a name stands for; null: there is no such file. */
export const tracksOf = (snapshot: PresentationSnapshot, name: ProgressiveName): readonly TrackSnapshot[] | null => {
  const tracks = name.tracks.flatMap((id) => snapshot.tracks.filter((track) => track.id === id));
  const [first, second] = tracks;
  if (!first || tracks.length < name.tracks.length) return null;
  if (second) return isPicture(first) && isSound(second) ? tracks : null;
  return isPicture(first) || isSound(first) ? tracks : null;
};

/** In the names of the video's files: that with which it began, however often it was taken up again. */
export const fileRun = ({ epochs, run }: PresentationSnapshot): string => epochs[0]?.run ?? run;

const isPicture = ({ kind }: TrackSnapshot): boolean => kind === 'video';
const isSound = ({ kind }: TrackSnapshot): boolean => kind === 'audio';

/** Where it changed, the highest: the file shows all of them. */
export const heightOf = ({ epochs }: TrackSnapshot): number | null => {
  const heights = epochs.flatMap(({ height }) => height ?? []);
  return heights.length > 0 ? Math.max(...heights) : null;
};
