/** Which rungs a video gets beside its best picture, and what each of them is encoded with. Pure. */
import type { CodedPicture } from '../cmaf/coded-picture.ts';
import { even, planRungs, type RungWish } from '../live/ladder-plan.ts';
import type { RungFacts } from '../live/run-facts.ts';
import { uprightSize } from '../media/picture-facts.ts';
import type { PictureSize } from '../media/unit.ts';
import type { RungWork, SourceTrack } from './work.ts';

/** A picture that is there already, beside the best one. */
export type RungThere = {
  readonly track: string;
  readonly source: SourceTrack;
  readonly width: number;
  readonly height: number;
  /** False: so much of it is holes that it is made anew. */
  readonly isWhole: boolean;
};

export type PlannedRung = {
  readonly work: RungWork;
  readonly isLowest: boolean;
  /** It was made already, by this plan. */
  readonly isThere: boolean;
  /** Tracks whose place it takes. */
  readonly replaces: readonly string[];
};

export type RungAsk = {
  readonly source: { readonly track: string; readonly width: number; readonly height: number; readonly frameRate: number | null; readonly standard: boolean };
  readonly ladder: readonly RungWish[];
  readonly there: readonly RungThere[];
  /** Every picture carries a watermark, so that nothing without one may stay. */
  readonly marked: boolean;
  /** Of the tracks that a rung becomes, or became before rungs were dropped. */
  readonly names: (rung: RungWork) => readonly string[];
};

/** What rungs are planned for: what people see, upright and in square pixels. Even as rungs are, or one of the source's own size would pass for more than the source. */
export const rungSource = (picture: CodedPicture): PictureSize => {
  const { width, height } = uprightSize(picture, picture.sar);
  return { width: even(width), height: even(height) };
};

/** The lowest first. */
export const chosenRungs = ({ source, ladder, there, marked, names }: RungAsk): readonly PlannedRung[] => {
  const wishes = ladder.map((wish) => asEncoded(wish, source.frameRate));
  const standard = source.standard && !marked;
  const rungs = planRungs(standard ? wishes : withOwn(wishes, shortOf(source), marked), { ...source, standard });
  const all = rungs.map(workOf).toSorted((a, b) => shortOf(a) - shortOf(b));
  const ofWork = new Map(all.map((work) => [work, [source, ...there].find(({ track }) => names(work).includes(track))]));
  const ours = new Set([...ofWork.values()].map((one) => one?.track));
  // What carries a watermark is not given another one.
  if (marked && ours.has(source.track)) return [];
  const others = there.filter(({ track }) => !ours.has(track));
  const sameAs = (work: RungWork): RungThere[] => others.filter((one) => shortOf(one) === shortOf(work));
  const kept = all.filter((work) => marked || ofWork.get(work) !== undefined || !sameAs(work).some(({ isWhole }) => isWhole));
  return kept.map((work) => ({
    ...{ work, isLowest: work === all[0], isThere: ofWork.get(work) !== undefined },
    // The largest that has a watermark is all that the source shows: nothing without one stays.
    replaces: marked && work === kept.at(-1) ? [source.track, ...others.map(({ track }) => track)] : sameAs(work).map(({ track }) => track),
  }));
};

const shortOf = ({ width, height }: PictureSize): number => Math.min(width, height);

/** What moves faster than a film or a phone takes: half as much again, as with what is made of files that nobody could show. */
const fastRate = 32;

/** Every picture of the source is kept: the cap on their rate is for encoders that have to keep up. */
const asEncoded = (wish: RungWish, frameRate: number | null): RungWish => ({
  ...wish,
  mostPictures: null,
  bitRate: frameRate !== null && frameRate > fastRate ? Math.round(wish.bitRate * 1.5) : wish.bitRate,
});

/** With one of the source's own size: where everything carries a watermark, however high that is; otherwise as far as the ladder goes. */
const withOwn = (wishes: readonly RungWish[], short: number, marked: boolean): readonly RungWish[] => {
  const [highest] = wishes.toSorted((a, b) => b.height - a.height);
  if (!highest) return [];
  const height = marked ? short : Math.min(short, highest.height);
  const nearest = wishes.filter((wish) => wish.height >= height).toSorted((a, b) => a.height - b.height)[0] ?? highest;
  // As rates of ladders go: more slowly than the pixels.
  const own = { ...nearest, height, bitRate: Math.round(nearest.bitRate * (height / nearest.height) ** 1.5) };
  return [own, ...wishes.filter((wish) => wish.height < height)];
};

/**
 * x264's measure of quality: the lower, the better. The lowest rungs are for lines that hardly carry them, where bits are
 * worth more than what a small picture shows; the highest are looked at on large screens by those who have the line. Two of
 * these steps are about a quarter of the bits.
 */
const qualities: readonly { readonly upTo: number; readonly crf: number }[] = [
  { upTo: 360, crf: 24 },
  { upTo: 540, crf: 23 },
  { upTo: 720, crf: 22 },
];
const bestQuality = 21;

export const crfOf = (short: number): number => qualities.find(({ upTo }) => short <= upTo)?.crf ?? bestQuality;

const workOf = ({ width, height, bitRate, preset, level }: RungFacts): RungWork => {
  const short = Math.min(width, height);
  return { name: `${short}p`, width, height, crf: crfOf(short), maxRate: bitRate, preset, level };
};
