/**
 * An image on every picture of a rung: what of the arguments of a chunk's ffmpeg it is. Pure.
 *
 * It is laid on the finished picture, upright and with square pixels, one rung at a time: so it is as sharp as the rung, whatever shape
 * the source has. It takes the same share of every rung: an image is as large as it is for a picture whose shorter side has
 * 1080 pixels, and never more than half of a side.
 */
import type { PictureSize } from '../../media/unit.ts';
import type { Watermark } from '../../pipeline/work.ts';
import { mostPixels } from '../hostile.ts';

/** What the image is called in the folder that a job's ffmpeg sees. */
export const markName = 'watermark.png';

/** The second input. Its one picture stays for as long as there are others. */
export const markInput: readonly string[] = [
  ...['-threads', '1', '-f', 'png_pipe', '-format_whitelist', 'png_pipe', '-protocol_whitelist', 'file', '-codec_whitelist', 'png'],
  ...['-max_streams', '1', '-max_pixels', String(mostPixels), '-framerate', '25', '-i', `file:${markName}`],
];

/** Of the shorter side: between the image and the edge. */
const marginShare = 1 / 30;
const usualShort = 1080;
const mostShare = 1 / 2;

/** As ffmpeg calls what makes brightness and two colours of red, green and blue. */
export type Matrix = 'bt709' | 'bt601' | 'bt2020';

export type MarkedRung = PictureSize & { readonly mark: Pick<Watermark, 'place' | 'opacity'>; readonly matrix: Matrix };

/**
 * From `[picture]` to `[out]`, by way of `[image]`. Colours are scaled by how much of them is seen, or the clear edge of an image would
 * bleed into it. All of it but the last is done once, since there is one image.
 */
export const markFilters = ({ picture, image, out }: { readonly picture: string; readonly image: string; readonly out: string }, { width, height, mark, matrix }: MarkedRung): string[] => {
  const share = Math.min(width, height) / usualShort;
  const scale = `min(${share},min(${width * mostShare}/iw,${height * mostShare}/ih))`;
  const scaled = [
    ...['format=gbrap', 'premultiply=inplace=1', `scale=w='max(2,2*round(iw*${scale}/2))':h='max(2,2*round(ih*${scale}/2))':flags=bicubic`, 'unpremultiply=inplace=1'],
    ...[`colorchannelmixer=aa=${mark.opacity}`, 'setsar=1', `scale=out_color_matrix=${matrix}:out_range=tv`, 'format=yuva420p'],
  ];
  const [x, y] = placeOf(mark.place, 2 * Math.round((Math.min(width, height) * marginShare) / 2));
  return [`${image}${scaled.join(',')}${named(out)}`, `${picture}${named(out)}overlay=x='${x}':y='${y}':format=yuv420:eof_action=repeat${out}`];
};

/** `[v0]`: what lies between is `[v0mark]`. */
const named = (out: string): string => out.replace(']', 'mark]');

/** Of colour there is one value for two by two pixels: it lies on even ones. */
const placeOf = (place: Watermark['place'], margin: number): readonly [x: string, y: string] => {
  const [left, top, right, bottom] = [`${margin}`, `${margin}`, `max(0,W-w-${margin})`, `max(0,H-h-${margin})`];
  switch (place) {
    case 'top-left':
      return [left, top];
    case 'top-right':
      return [right, top];
    case 'bottom-left':
      return [left, bottom];
    case 'bottom-right':
      return [right, bottom];
    case 'centre':
      return ['2*floor((W-w)/4)', '2*floor((H-h)/4)'];
  }
};
