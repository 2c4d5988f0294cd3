/**
 * Which pictures of a film are worth being its face: sharp, neither dark nor bright all over, not a title on black, and not
 * all of the same. Numbers over the luma of small pictures, the same for the same film. Pure.
 */
import type { RawPicture } from './raw.ts';

export type Look = {
  /** 0 to 255. */
  readonly mean: number;
  readonly deviation: number;
  /** Mean of how much a pixel differs from its four neighbours. */
  readonly sharpness: number;
  /** Shares of pixels that are as good as black, or white. */
  readonly dark: number;
  readonly bright: number;
  /** A few values that say roughly what is where. */
  readonly sketch: readonly number[];
};

const darkBelow = 28;
const brightAbove = 228;
const sketchSide = 8;

export const lookOf = ({ width, height, data }: RawPicture): Look => {
  const pixels = width * height;
  const sketch = Array.from({ length: sketchSide * sketchSide }, () => 0);
  let [sum, squares, dark, bright, edges] = [0, 0, 0, 0, 0];
  for (let y = 0, at = 0; y < height; y += 1) {
    const cellRow = Math.floor((y * sketchSide) / height) * sketchSide;
    for (let x = 0; x < width; x += 1, at += 1) {
      const value = data[at] ?? 0;
      sum += value;
      squares += value * value;
      if (value < darkBelow) dark += 1;
      if (value > brightAbove) bright += 1;
      const cell = cellRow + Math.floor((x * sketchSide) / width);
      sketch[cell] = (sketch[cell] ?? 0) + value;
      if (x > 0 && y > 0 && x < width - 1 && y < height - 1) {
        edges += Math.abs(4 * value - (data[at - 1] ?? 0) - (data[at + 1] ?? 0) - (data[at - width] ?? 0) - (data[at + width] ?? 0));
      }
    }
  }
  const mean = sum / pixels;
  const inside = Math.max(1, (width - 2) * (height - 2));
  const ofCell = pixels / sketch.length;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / pixels - mean * mean)), sharpness: edges / inside, dark: dark / pixels, bright: bright / pixels, sketch: sketch.map((value) => value / ofCell) };
};

const mostOfOne = 0.7;
const leastDeviation = 12;
/** Beyond that nobody sees a difference, and noise is sharp as well. */
const sharpEnough = 24;
const alike = 8;

/** Not to be chosen where there is anything else. */
export const isPlain = ({ dark, bright, deviation }: Look): boolean => dark > mostOfOne || bright > mostOfOne || deviation < leastDeviation;

/** 0 to 2: from 1 on it is one that may be shown. */
export const scoreOf = (look: Look): number => {
  const { mean, deviation, sharpness, dark, bright } = look;
  const light = 1 - Math.min(1, Math.abs(mean - 118) / 118);
  const range = Math.min(1, deviation / 60);
  const sharp = Math.min(1, sharpness / sharpEnough);
  const value = (0.5 * sharp + 0.3 * range + 0.2 * light) * (1 - 0.5 * Math.max(dark, bright));
  return isPlain(look) ? value : 1 + value;
};

const differenceOf = (one: Look, other: Look): number => one.sketch.reduce((sum, value, index) => sum + Math.abs(value - (other.sketch[index] ?? 0)), 0) / one.sketch.length;

export type Choice = {
  /** Places among what was given, in order. */
  readonly chosen: readonly number[];
  /** The best of them: a place in `chosen`. */
  readonly best: number;
};

/** As many as there are spans of the film, one of each; a span that has only plain ones gives its place to another. */
export const chooseFaces = (looks: readonly Look[], count: number): Choice => {
  const scores = looks.map(scoreOf);
  const chosen: number[] = [];
  const worth = (index: number): number => {
    const look = looks[index];
    if (!look) return 0;
    const twin = chosen.some((other) => looks[other] && differenceOf(look, looks[other]) < alike);
    return (scores[index] ?? 0) * (twin ? 0.4 : 1);
  };
  const bestOf = (some: readonly number[]): number | null => some.reduce<number | null>((best, index) => (best === null || worth(index) > worth(best) ? index : best), null);
  for (let span = 0; span < count; span += 1) {
    const [from, to] = [Math.floor((span * looks.length) / count), Math.floor(((span + 1) * looks.length) / count)];
    const best = bestOf(range(from, to));
    if (best !== null && worth(best) >= 1) chosen.push(best);
  }
  while (chosen.length < Math.min(count, looks.length)) {
    const best = bestOf(range(0, looks.length).filter((index) => !chosen.includes(index)));
    if (best === null) break;
    chosen.push(best);
  }
  chosen.sort((a, b) => a - b);
  const best = chosen.reduce((found, index, place) => ((scores[index] ?? 0) > (scores[chosen[found] ?? 0] ?? 0) ? place : found), 0);
  return { chosen, best };
};

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** With fewer to choose from, titles are looked at as well. */
const enough = 12;

/** So many of the moments, spread over the film; its first and last twentieth are titles as a rule. */
export const candidatesOf = <Moment extends { readonly at: number }>(keys: readonly Moment[], length: number, most: number): Moment[] => {
  const inside = keys.filter(({ at }) => at >= length / 20 && at <= (length * 19) / 20);
  const from = inside.length >= Math.min(most, enough) ? inside : keys;
  if (from.length <= most) return [...from];
  return range(0, most).flatMap((index) => from[Math.floor(((index + 0.5) * from.length) / most)] ?? []);
};
