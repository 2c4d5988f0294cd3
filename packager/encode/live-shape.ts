/**
 * What happens to a picture between its decoder and the encoder of a rung: it gets the size that players were told of, whatever
 * size and shape the source has by now, in pixels that are square. Nothing of it is cut off and nothing stretched: what is of
 * another shape gets bars.
 */
import type { Ratio } from '../media/h264-vui.ts';
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

export const sizeFilters = (source: PictureSize & { readonly sar: Ratio | null }, rung: PictureSize): string[] => {
  const { width, height, x, y } = fitted(source, rung);
  const isWhole = width === rung.width && height === rung.height;
  return [`scale=${width}:${height}:flags=bicubic:out_range=tv`, 'setsar=1', 'format=yuv420p', ...(isWhole ? [] : [`pad=${rung.width}:${rung.height}:${x}:${y}`])];
};
