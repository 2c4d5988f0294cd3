/**
 * What ffmpeg is told for pictures of a video. Decoding: pictures come as NUT on its standard input and go out as they are, small,
 * with their times; what it reads was made by strangers. Writing: JPEG or WebP out of pictures that are ours by then. Pure.
 */
import type { CodedPicture } from '../../cmaf/coded-picture.ts';
import { isAcross, uprightSize } from '../../media/picture-facts.ts';
import type { Size } from '../../pictures/storyboard.ts';
import { calm, liveDecoders, mostPixels } from '../hostile.ts';
import { fitted, isBright, sizeFilters, toneFilters } from '../live-shape.ts';

/** Of every time, in NUT and out of it. */
export const stillTimescale = 1000;
/** From this height on, pictures that say nothing of their colour are taken for HD. */
const leastHd = 720;
const unspecified = 2;

const turns: Readonly<Record<CodedPicture['rotation'], readonly string[]>> = { 0: [], 90: ['transpose=clock'], 180: ['hflip', 'vflip'], 270: ['transpose=cclock'] };

/** As it is shown, with square pixels, no side longer than allowed, and none longer than it was. Even. */
export const shownWithin = (source: CodedPicture, longest: number): Size => {
  const shown = uprightSize(source, source.sar);
  const share = Math.min(1, longest / Math.max(shown.width, shown.height));
  const even = (length: number): number => Math.max(2, 2 * Math.round((length * share) / 2));
  return { width: even(shown.width), height: even(shown.height) };
};

export const decodeCommand = (source: CodedPicture, size: Size, filters: ReadonlySet<string>): string[] => [
  ...[...calm, '-nostdin', '-nostats', '-threads', '1'],
  ...['-f', 'nut', '-format_whitelist', 'nut', '-protocol_whitelist', 'pipe', '-codec_whitelist', liveDecoders[source.codec]],
  ...['-max_streams', '1', '-max_pixels', String(mostPixels)],
  // Its head says what it is: there is nothing to find out.
  ...['-probesize', '32', '-analyzeduration', '0', '-fpsprobesize', '0'],
  // A key picture of an open GOP is shown by itself, and one that has lost something is better than none.
  ...['-flags:v', '+output_corrupt', '-flags2:v', '+showall', '-noautorotate', '-copyts'],
  ...['-i', 'pipe:0', '-map', '0:v:0', '-filter_threads', '1', '-vf', scaled(source, size, filters)],
  ...['-c:v', 'rawvideo', '-fps_mode', 'passthrough', '-enc_time_base', `1:${stillTimescale}`],
  ...['-map_metadata', '-1', '-fflags', '+bitexact', '-f', 'nut', '-write_index', '0', 'pipe:1'],
];

/** All pictures of a video have one size; what is of another shape gets bars. JPEG has the colours of BT.601, of full range. */
const scaled = (source: CodedPicture, size: Size, filters: ReadonlySet<string>): string => {
  const { colour, height, rotation } = source;
  const box = isAcross(source) ? { width: size.height, height: size.width } : size;
  const full = 'out_color_matrix=bt601:out_range=pc,format=yuvj420p,setsar=1';
  if (isBright(colour) && toneFilters.every((name) => filters.has(name))) {
    return [...sizeFilters(source, box), `scale=in_color_matrix=bt709:in_range=tv:${full}`, ...turns[rotation]].join(',');
  }
  const fit = fitted(source, box);
  const saysNothing = !colour || colour.matrix === unspecified;
  const matrix = saysNothing && height >= leastHd ? ':in_color_matrix=bt709' : '';
  const isWhole = fit.width === box.width && fit.height === box.height;
  return [
    `scale=${fit.width}:${fit.height}:flags=area${matrix}:${full}`,
    ...(isWhole ? [] : [`pad=${box.width}:${box.height}:${fit.x}:${fit.y}`]),
    ...turns[rotation],
  ].join(',');
};

const raw = ({ width, height }: Size, rate: number): string[] => [
  ...[...calm, '-nostdin', '-nostats', '-threads', '1'],
  ...['-f', 'rawvideo', '-protocol_whitelist', 'pipe', '-codec_whitelist', 'rawvideo', '-pixel_format', 'yuvj420p', '-video_size', `${width}x${height}`, '-framerate', String(rate)],
  ...['-i', 'pipe:0', '-map', '0:v:0'],
];
const plain = ['-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact'];

/** `quality`: of 2 (the best) to 31. */
export const jpegCommand = (size: Size, quality: number): string[] => [...raw(size, 1), '-frames:v', '1', '-c:v', 'mjpeg', '-threads:v', '1', '-q:v', String(quality), ...plain, '-f', 'mjpeg', 'pipe:1'];

export const animationEncoder = 'libwebp_anim';
/** It goes round for ever. */
export const webpCommand = (size: Size, rate: number): string[] => [
  ...raw(size, rate),
  ...['-vf', 'scale=in_range=pc:out_range=tv,format=yuv420p', '-c:v', animationEncoder, '-threads:v', '1', '-lossless', '0', '-quality', '55', '-compression_level', '4', '-loop', '0'],
  ...[...plain, '-f', 'webp', 'pipe:1'],
];
