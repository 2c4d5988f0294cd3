/**
 * One key picture as a small JPEG: it comes as NUT on ffmpeg's standard input, alone, and goes out on its standard output.
 * Pure; every number and every name in it is ours.
 */
import type { Colour } from '../media/h264-vui.ts';
import type { VideoCodec } from '../media/unit.ts';
import { calm, liveDecoders, mostPixels } from './hostile.ts';

export type PictureSource = {
  readonly codec: VideoCodec;
  readonly height: number;
  /** As its pictures say; null: they do not. */
  readonly colour: Colour | null;
};

/** The longer side of what comes out, at the most. */
export const longestSide = 640;
/** From this height on, pictures that say nothing of their colour are taken for HD. */
const leastHd = 720;
const unspecified = 2;
/** Of 2 to 31; a picture of a show has 20 to 60 KB then. */
const quality = 4;

export const pictureCommand = (source: PictureSource): string[] => [
  ...[...calm, '-nostdin', '-nostats', '-threads', '1'],
  ...['-f', 'nut', '-format_whitelist', 'nut', '-protocol_whitelist', 'pipe', '-codec_whitelist', liveDecoders[source.codec]],
  ...['-max_streams', '1', '-max_pixels', String(mostPixels)],
  // Its head says what it is: there is nothing to find out.
  ...['-probesize', '32', '-analyzeduration', '0', '-fpsprobesize', '0'],
  // A key picture of an open GOP is shown by itself, and one that has lost something is better than none.
  ...['-flags:v', '+output_corrupt', '-flags2:v', '+showall'],
  ...['-i', 'pipe:0', '-map', '0:v:0', '-frames:v', '1', '-filter_threads', '1', '-vf', filter(source)],
  ...['-c:v', 'mjpeg', '-threads:v', '1', '-q:v', String(quality), '-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-f', 'mjpeg', 'pipe:1'],
];

/** As wide as it is shown, with square pixels; no side longer than allowed, and none longer than it was. JPEG has the colours of BT.601, of full range. */
const filter = ({ height, colour }: PictureSource): string => {
  const share = `min(1,${longestSide}/max(iw*sar,ih))`;
  const saysNothing = !colour || colour.matrix === unspecified;
  const matrix = saysNothing && height >= leastHd ? ':in_color_matrix=bt709' : '';
  return `scale=w='max(2,2*round(iw*sar*${share}/2))':h='max(2,2*round(ih*${share}/2))':flags=area${matrix}:out_color_matrix=bt601:out_range=pc,format=yuvj420p,setsar=1`;
};
