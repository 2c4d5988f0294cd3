/**
 * What a ladder costs, reckoned before anything is encoded, by what this machine was measured to need. Pure.
 *
 *     one decode of the source
 *     each rung: one reading of the source to scale it, as often as it has a picture; its own pixels; and something for
 *                each picture, however small it is
 */
import type { Codec } from '../media/unit.ts';
import { MICROS } from '../media/wire-time.ts';

/** Seconds of a core for a million pixels. */
export type CoreCost = {
  /** Of H.264. */
  readonly decode: number;
  /** Of the source, for each rung. */
  readonly scale: number;
  /** By preset. */
  readonly encode: Readonly<Record<string, number>>;
};

export type CostedSource = {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number | null;
  /** Absent: H.264. */
  readonly codec?: Codec;
};
export type CostedRung = { readonly width: number; readonly height: number; readonly frameRate: number | null; readonly preset: string };

/** Before anything is known: rather too much than too little. */
export const carefulCost: CoreCost = { decode: 0.006, scale: 0.003, encode: { veryfast: 0.03 } };

/** Of H.264 of the same size and rate: HEVC with 8 bits took 1.3 times as long, with 10 bits 1.6 times, AV1 and VP9 about as long. */
const decodeTimes: Readonly<Partial<Record<Codec, number>>> = { h264: 1, hevc: 1.5, av1: 1.2, vp9: 1.1 };
/** A picture has what it has beside its pixels: about as dear as so many of them. */
const pixelsOfPicture = 70_000;
/** Where nobody has said how many pictures there are. */
const usualRate = 30;
/** What presets of x264 cost beside `veryfast`, where one has not been measured: about, on any machine. */
const presetTimes: Readonly<Record<string, number>> = { ultrafast: 0.35, superfast: 0.65, veryfast: 1, faster: 1.5, fast: 2.6, medium: 3, slow: 6, slower: 8.5, veryslow: 14 };
const dearest = Math.max(...Object.values(presetTimes));

export const megapixelsOf = (width: number, height: number): number => (width * height + pixelsOfPicture) / MICROS;

/** Cores that it keeps busy. */
export const coresOf = (rungs: readonly CostedRung[], source: CostedSource, cost: CoreCost): number => {
  if (rungs.length === 0) return 0;
  const read = (source.width * source.height) / MICROS;
  const ofRung = ({ width, height, frameRate, preset }: CostedRung): number =>
    (frameRate ?? source.frameRate ?? usualRate) * (read * cost.scale + megapixelsOf(width, height) * encodeCost(preset, cost));
  return asRead(source.frameRate ?? usualRate) * read * cost.decode * (decodeTimes[source.codec ?? 'h264'] ?? 1) + rungs.reduce((sum, rung) => sum + ofRung(rung), 0);
};

/** Pictures that follow each other sooner differ less, and are sent with fewer bits. */
const asRead = (rate: number): number => Math.min(rate, usualRate) + (Math.max(0, rate - usualRate) * 2) / 3;

const encodeCost = (preset: string, { encode }: CoreCost): number => encode[preset] ?? (encode['veryfast'] ?? 0) * (presetTimes[preset] ?? dearest);
