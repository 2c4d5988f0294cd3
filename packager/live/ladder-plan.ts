/**
 * Which rungs a show gets: from what an operator wrote down, or from what the machine can carry. Pure. Everything that
 * players are told of a rung is settled here, before its encoder has been started.
 */
import { leastStep } from '../encode/live-choice.ts';
import { rateBounds } from '../encode/live-rate.ts';
import { coresOf, type CoreCost, type CostedSource } from './ladder-cost.ts';
import { VIDEO_TIMESCALE } from '../media/timeline.ts';
import type { RungFacts } from './run-facts.ts';
import type { RungCutterOptions } from './rung-cutter.ts';

/** A rung as it is written down. */
export type RungWish = {
  /** Of the shorter side, so that a picture that stands upright gets rungs of the same kind. */
  readonly height: number;
  readonly bitRate: number;
  readonly preset: string;
  readonly mostPictures: number | null;
};

export type LadderSource = CostedSource & {
  /** Players everywhere can show it as it is; otherwise it is encoded as well. */
  readonly standard: boolean;
  /** More light than rungs can show (PQ, HLG). */
  readonly bright?: boolean;
};

/** Baseline, Main and High: 8 bits, 4:2:0. */
const plainProfile = /^avc1\.(42|4d|64)/i;
export const playsEverywhere = (codec: string, codecString: string): boolean => codec === 'h264' && plainProfile.test(codecString);

/** The highest first. */
export type Plan = readonly RungFacts[];

export const planRungs = (wishes: readonly RungWish[], source: LadderSource): Plan => {
  const short = Math.min(source.width, source.height);
  const below = wishes.filter(({ height }) => height < short);
  const [highest] = wishes.toSorted((a, b) => b.height - a.height);
  // What only some can play as it is has a rung of its own size for the others, as far as the ladder goes.
  const own = !source.standard && highest ? [{ ...highest, height: Math.min(short, highest.height) }] : [];
  const chosen = [...own, ...below.filter(({ height }) => !own.some((one) => one.height === height))];
  return chosen.toSorted((a, b) => b.height - a.height).map((wish) => rungOf(wish, source));
};

const rungOf = ({ height, bitRate, preset, mostPictures }: RungWish, source: LadderSource): RungFacts => {
  const short = Math.min(source.width, source.height);
  const width = even((source.width * height) / short);
  const size = { width, height: even((source.height * height) / short) };
  const frameRate = source.frameRate === null ? null : mostPictures === null ? source.frameRate : Math.min(source.frameRate, cappedRate(source.frameRate, mostPictures));
  const level = levelOf(size.width, size.height, frameRate ?? 60, bitRate);
  return { ...size, mostPictures: frameRate === source.frameRate ? null : mostPictures, frameRate, bitRate, preset, level, codecString: `avc1.6400${level.toString(16).padStart(2, '0').toUpperCase()}` };
};

/** Sides of rungs: of colour there is one value for two by two pixels. */
export const even = (length: number): number => Math.max(2, 2 * Math.round(length / 2));

/** Whole pictures are left out: of 50 in a second, 25 are the most that are not above 30. */
const cappedRate = (rate: number, most: number): number => rate / Math.max(1, Math.ceil((leastStep(most) * rate) / VIDEO_TIMESCALE - 1e-6));

/** What is kept of pictures where there are too many, from when the last one was that is: see `live-choice.ts`. */
export const keptOf = ({ mostPictures }: RungFacts): RungCutterOptions['keeps'] => {
  if (mostPictures === null) return undefined;
  const least = leastStep(mostPictures);
  return ({ pts, key }, before) => before === null || key || pts - before >= least;
};

/** Of H.264: macroblocks a second and in a picture, and kbit/s in the High profile (ITU-T H.264, table A-1, times 1.25); its buffer holds no less than a second of them. */
const levels = [
  { level: 13, rate: 11_880, size: 396, kbits: 960 },
  { level: 21, rate: 19_800, size: 792, kbits: 5_000 },
  { level: 22, rate: 20_250, size: 1_620, kbits: 5_000 },
  { level: 30, rate: 40_500, size: 1_620, kbits: 12_500 },
  { level: 31, rate: 108_000, size: 3_600, kbits: 17_500 },
  { level: 32, rate: 216_000, size: 5_120, kbits: 25_000 },
  { level: 40, rate: 245_760, size: 8_192, kbits: 25_000 },
  { level: 42, rate: 522_240, size: 8_704, kbits: 62_500 },
  { level: 50, rate: 589_824, size: 22_080, kbits: 168_750 },
  { level: 51, rate: 983_040, size: 36_864, kbits: 300_000 },
  { level: 52, rate: 2_073_600, size: 36_864, kbits: 300_000 },
];

const levelOf = (width: number, height: number, frameRate: number, bitRate: number): number => {
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  return levels.find(({ rate, size, kbits }) => blocks <= size && blocks * frameRate <= rate && rateBounds(bitRate).maxRate <= kbits * 1000)?.level ?? 52;
};

/** What `auto` chooses from. */
const usual: readonly RungWish[] = [
  { height: 1080, bitRate: 4_500_000, preset: 'veryfast', mostPictures: 30 },
  { height: 720, bitRate: 2_500_000, preset: 'veryfast', mostPictures: 30 },
  { height: 480, bitRate: 1_100_000, preset: 'veryfast', mostPictures: 30 },
  { height: 360, bitRate: 700_000, preset: 'veryfast', mostPictures: 30 },
  { height: 240, bitRate: 350_000, preset: 'veryfast', mostPictures: 30 },
];
/** For lines that are bad something low first of all, and then as even steps as can be. */
const choices: readonly (readonly number[])[] = [[1080, 720, 480, 360, 240], [1080, 720, 480, 240], [720, 480, 360, 240], [720, 480, 240], [720, 360], [480, 360, 240], [480, 240], [360], [240]];

/** The first that the machine carries. `cores`: so many are there for it. */
export const planAuto = (source: LadderSource, cores: number, cost: CoreCost): Plan => {
  for (const heights of source.standard ? choices : ownChoices(Math.min(source.width, source.height))) {
    const plan = planRungs(usual.filter(({ height }) => heights.includes(height)), source);
    if (plan.length > 0 && coresOf(plan, source, cost) <= cores) return plan;
  }
  return [];
};

/** Where many cannot play what is sent, the highest rung is the best that they get: as high as can be, above something low. */
const ownChoices = (short: number): readonly (readonly number[])[] => {
  const tops = usual.map(({ height }) => height).filter((height, at, all) => height <= short || at === all.length - 1);
  const above = tops.flatMap((top) => choices.filter(([highest = 0]) => highest < top).map((below) => [top, ...below]));
  return [...above, ...tops.map((top) => [top])];
};
