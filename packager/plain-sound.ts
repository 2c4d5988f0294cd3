/** Which of several sounds is for players that know only one, and little. */
import type { TrackSnapshot } from './snapshot.ts';

type Sound = Pick<TrackSnapshot, 'id' | 'kind' | 'secondSound'>;

/** The first one, or what was made of it for players that do not know its codec; undefined: there is none. */
export const plainSound = <Track extends Sound>(tracks: readonly Track[]): Track | undefined => {
  const sounds = tracks.filter(({ kind }) => kind === 'audio');
  const [first] = sounds;
  return sounds.find(({ secondSound }) => secondSound !== undefined && secondSound.of === first?.id) ?? first;
};

/** Of several codecs of one sound the one that everybody knows comes first: players that do not read what a codec is take what stands there. */
export const plainFirst = <Track extends Sound>(sounds: readonly Track[]): Track[] => sounds.toSorted((a, b) => Number(b.secondSound !== undefined) - Number(a.secondSound !== undefined));
