/**
 * What happens to a picture between its decoder and the encoder of a rung: it gets the size that players were told of, whatever
 * size and shape the source has by now, in pixels that are square. Nothing of it is cut off and nothing stretched: what is of
 * another shape gets bars.
 */
import type { Colour, Ratio } from '../media/h264-vui.ts';
import { shownSize } from '../media/picture-facts.ts';
import type { PictureSize } from '../media/unit.ts';

/** How a picture lies in a rung. */
export type Fit = PictureSize & { readonly x: number; readonly y: number };

/** Of colour there is one value for two by two pixels. */
const even = (length: number): number => Math.max(2, 2 * Math.round(length / 2));
/** Sizes of rungs are rounded to even numbers: that is no other shape. */
const rounding = 2;

export const fitted = (source: PictureSize & { readonly sar: Ratio | null }, rung: PictureSize): Fit => {
  const shown = shownSize(source, source.sar);
  const shape = shown.width / shown.height;
  const along = (length: number, whole: number): number => (length >= whole - rounding ? whole : even(length));
  const width = along(rung.height * shape, rung.width);
  const height = along(rung.width / shape, rung.height);
  const [wide, high] = [Math.min(width, rung.width), Math.min(height, rung.height)];
  return { width: wide, height: high, x: 2 * Math.floor((rung.width - wide) / 4), y: 2 * Math.floor((rung.height - high) / 4) };
};

/** Code points of ISO 23091-2, table 3. */
const brightTransfers: Readonly<Record<number, string>> = { 16: 'smpte2084', 18: 'arib-std-b67' };

/** PQ or HLG: more light than rungs can show, which are for screens that know no more than BT.709. */
export const isBright = (colour: Colour | null): boolean => colour !== null && colour.transfer in brightTransfers;

/** What isBright needs of ffmpeg. */
export const toneFilters: readonly string[] = ['zscale', 'tonemap'];

/** Scaled first: what follows is dear, and counts in floating point. */
const tones = ({ transfer }: Colour, { width, height }: PictureSize): string[] => [
  `zscale=w=${width}:h=${height}:filter=bicubic:tin=${brightTransfers[transfer]}:pin=2020:min=2020_ncl:t=linear:npl=100`,
  'format=gbrpf32le',
  'zscale=p=709',
  'tonemap=tonemap=hable:desat=0',
  'zscale=t=709:m=709:r=limited',
];

export const sizeFilters = (source: PictureSize & { readonly sar: Ratio | null; readonly colour: Colour | null }, rung: PictureSize, flags = 'bicubic'): string[] => {
  const fit = fitted(source, rung);
  const { width, height, x, y } = fit;
  const isWhole = width === rung.width && height === rung.height;
  const scaled = source.colour && isBright(source.colour) ? tones(source.colour, fit) : [`scale=${width}:${height}:flags=${flags}:out_range=tv`];
  return [...scaled, 'setsar=1', 'format=yuv420p', ...(isWhole ? [] : [`pad=${rung.width}:${rung.height}:${x}:${y}`])];
};
