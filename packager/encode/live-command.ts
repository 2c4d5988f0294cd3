/**
 * The rungs of a live stream as the arguments of one ffmpeg: pictures come as NUT on its standard input, are decoded once,
 * and go out as H.264 in NUT, one pipe for each rung from 3 on. Pure; every number and every name in it is ours.
 *
 * Times go through it as they are but for an offset, in ticks of 1/180000 s: twice the time in 90 kHz, and one more for a key
 * picture (`stampOf`). So each part of it sees which pictures are key pictures of the source, and none has to believe what a decoder
 * takes for one: recovery points, say, where no segment begins.
 */
import type { Colour, Ratio } from '../media/h264-vui.ts';
import type { VideoCodec } from '../media/unit.ts';
import { calm, liveDecoders, mostPixels } from './hostile.ts';
import { leastStep } from './live-choice.ts';
import { isBright, sizeFilters } from './live-shape.ts';

export type LiveSource = {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  /** Shape of a pixel; null: square, as far as anybody knows. */
  readonly sar: Ratio | null;
  /** As its pictures say; null: they do not. */
  readonly colour: Colour | null;
  /** Its pictures may be two fields each. */
  readonly interlaced?: boolean;
};

export type LiveRung = {
  readonly width: number;
  readonly height: number;
  /** Of x264: `veryfast`, … */
  readonly preset: string;
  /** Bits a second on average, at the most, and bits that may be ahead of it. */
  readonly bitRate: number;
  readonly maxRate: number;
  readonly buffer: number;
  /** As in `avc1.64001f`: 31 is level 3.1. */
  readonly level: number;
  /** Pictures a second that are to be expected behind the cap; bits are shared out by it. */
  readonly frameRate: { readonly numerator: number; readonly denominator: number };
  /** Pictures a second that it may have at the most (`pictureChoice`); null: all that there are. */
  readonly cap: number | null;
  /** What is there already: its pictures up to this time (90 kHz) are left out, and the first one behind it is an IDR picture. */
  readonly after: number | null;
};

export const liveTimescale = 180_000;
/**
 * NUT has no time before zero, and where a show begins in the middle of an open GOP, pictures behind its first key picture are
 * shown before it: by as much as the timeline lets through at the most. It is even: a stamp stays as odd as it was.
 */
const pictureOffset = 30 * liveTimescale;
/** Two of its ticks are one of 90 kHz. */
export const stampOf = (pts: number, key: boolean): number => pictureOffset + 2 * pts + (key ? 1 : 0);
export const ptsOf = (stamp: number): number => Math.floor((stamp - pictureOffset) / 2);

/** The first pipe of a rung; those before it are the usual three. */
export const firstPipe = 3;

/** `t` counts from the first picture on, whose stamp is odd: so are those of key pictures, an even number of ticks behind it. */
const keyExpression = `not(mod(round(t*${liveTimescale}),2))`;
/**
 * Pixels from which on a picture is encoded as two slices side by side: a step down would otherwise be all that a second core
 * is good for, since decoding, scaling and the rungs come one after the other. It costs a hundredth more work.
 */
const leastSliced = 848 * 480;
/** From this height on, pictures that say nothing of their colour are taken for HD. */
const leastHd = 720;
const bt709 = { primaries: 1, transfer: 1, matrix: 1 };
const bt601 = { primaries: 6, transfer: 6, matrix: 6 };

export const liveCommand = (source: LiveSource, rungs: readonly LiveRung[]): string[] => [
  ...[...calm, '-nostdin', '-nostats'],
  // Frame threads would hold back a picture each: two pictures of delay on two cores.
  ...['-threads', '1'],
  ...['-f', 'nut', '-format_whitelist', 'nut', '-protocol_whitelist', 'pipe', '-codec_whitelist', liveDecoders[source.codec]],
  ...['-max_streams', '1', '-max_pixels', String(mostPixels)],
  // Its head says what it is: there is nothing to find out, which would take twenty pictures.
  ...['-probesize', '32', '-analyzeduration', '0', '-fpsprobesize', '0'],
  ...['-copyts', '-i', 'pipe:0'],
  ...['-filter_complex_threads', '1', '-filter_complex', filters(source, rungs)],
  ...rungs.flatMap((rung, index) => rungArguments(rung, index, source)),
];

/** One picture out of two fields, at the time of the first; what is none goes through. The filter counts in half ticks. */
const whole = `bwdif=mode=send_frame:deint=interlaced,settb=1/${liveTimescale},`;

const filters = (source: LiveSource, rungs: readonly LiveRung[]): string => {
  const inputs = rungs.map((_, index) => `[s${index}]`);
  const chains = rungs.map((rung, index) => `${inputs[index]}${chainOf(source, rung)}[v${index}]`);
  return [`[0:v]${source.interlaced ? whole : ''}split=${rungs.length}${inputs.join('')}`, ...chains].join(';');
};

const chainOf = (source: LiveSource, { cap, after, ...rung }: LiveRung): string =>
  [
    ...(cap === null ? [] : [`select='mod(pts,2)+isnan(prev_selected_pts)+gte(floor(pts/2)-floor(prev_selected_pts/2),${leastStep(cap)})'`]),
    // Behind the cap: what it chooses hangs on what it chose before.
    ...(after === null ? [] : [`select='gt(pts,${stampOf(after, true)})'`]),
    ...sizeFilters(source, rung),
    // The first that comes out is a key picture, whatever it was (see `keyExpression`).
    `setpts='PTS+eq(N,0)*not(mod(PTS,2))'`,
  ].join(',');

const rungArguments = (rung: LiveRung, index: number, source: LiveSource): string[] => {
  const { width, height, preset, bitRate, maxRate, buffer, level, frameRate } = rung;
  const { primaries, transfer, matrix } = isBright(source.colour) ? bt709 : source.colour ?? (source.height >= leastHd ? bt709 : bt601);
  return [
    ...['-map', `[v${index}]`, '-c:v', 'libx264', '-preset', preset, '-tune', 'zerolatency', '-profile:v', 'high', '-level:v', String(level / 10)],
    ...['-threads:v', String(width * height >= leastSliced ? 2 : 1), '-b:v', String(bitRate), '-maxrate:v', String(maxRate), '-bufsize:v', String(buffer)],
    // The rate is said to x264 itself: to ffmpeg it would be an order to keep it. The transform makes it High, which players were
    // promised, in every preset: x264 writes the least profile that has all that it uses.
    ...['-x264-params', `fps=${frameRate.numerator}/${frameRate.denominator}:8x8dct=1`],
    // Rungs that players change between are to look alike, whichever of them says nothing.
    ...['-color_primaries:v', String(primaries), '-color_trc:v', String(transfer), '-colorspace:v', String(matrix), '-color_range:v', 'tv'],
    // Closed GOPs, and key pictures where the source has them and nowhere else.
    ...['-g', '1000000', '-sc_threshold', '0', '-flags', '+cgop', '-forced-idr', '1'],
    ...['-force_key_frames', `expr:${keyExpression}`],
    // Every picture once, at its own moment.
    ...['-fps_mode', 'passthrough', '-enc_time_base', `1:${liveTimescale}`],
    ...['-map_metadata', '-1', '-flush_packets', '1', '-f', 'nut', '-write_index', '0', `pipe:${firstPipe + index}`],
  ];
};
