/**
 * A chunk as the arguments of one ffmpeg: pictures come as NUT on its standard input, are decoded once, and go out as H.264
 * in NUT, one pipe for each rung from 3 on. Pure; every number and every name in it is ours.
 *
 * Chunks of a rung become one track behind one init segment: whatever stands in parameter sets is fixed, and does not hang
 * on what is in a chunk. And the same chunk gives the same bytes again on a machine of this kind: threads are fixed as well.
 *
 * Times are in ticks of 1/180000 s, and odd for pictures that are to be key pictures, as those of live encoders are
 * (`live-command.ts`); whoever feeds it knows which time of the source each of them stands for.
 */
import type { CodedPicture } from '../../cmaf/coded-picture.ts';
import type { Colour } from '../../media/h264-vui.ts';
import { isAcross } from '../../media/picture-facts.ts';
import type { PictureTreatment, RungWork, Watermark } from '../../pipeline/work.ts';
import { calm, liveDecoders, mostPixels } from '../hostile.ts';
import { firstPipe, liveTimescale } from '../live-command.ts';
import { sizeFilters } from '../live-shape.ts';
import { encoderThreads } from './address.ts';
import { markFilters, markInput, type Matrix } from './watermark.ts';

export const chunkTimescale = liveTimescale;
/**
 * Decoding times, which ffmpeg makes, lie before those of showing, by as much as two pictures are apart and the run-up lasts; and NUT
 * has none before zero. No two pictures of a segment are so far from each other.
 */
const ahead = 6 * 3600 * chunkTimescale;
/** The n-th picture that is shown, `ticks` (of half of these) behind the first one. */
export const stampOf = (ticks: number, key: boolean): number => ahead + 2 * ticks + (key ? 1 : 0);

export type ChunkSource = Omit<CodedPicture, 'config'>;

export type ChunkCommand = {
  readonly source: ChunkSource;
  readonly rungs: readonly RungWork[];
  readonly treatment: PictureTreatment;
  readonly mark: Pick<Watermark, 'place' | 'opacity'> | null;
  /** Pictures a second in the chunk, to share out bits by. */
  readonly frameRate: number;
  readonly runUp: RunUp | null;
};

/**
 * An encoder that begins knows nothing of what it is to encode: its first key picture would look unlike the one that
 * another chunk has at this place. So it is given the first `pictures` twice, and what it makes of them the first time,
 * which is to come out `ahead` ticks ahead of its own time, is thrown away.
 */
export type RunUp = {
  readonly pictures: number;
  readonly ahead: number;
  /** Stamps of the first picture, and of the one behind those that are given twice. */
  readonly first: number;
  readonly next: number;
};

/** `t` counts from the first picture on, which is a key picture: see `live-command.ts`. */
const keyExpression = `not(mod(round(t*${chunkTimescale}),2))`;
/** Of a thousand seconds. x264 lets each picture have a whole one's share of the highest rate: where they are further apart there would be no highest rate. */
const leastRate = 1000;
/** What may be ahead of the highest rate, seconds of it. */
const bufferSeconds = 2;
/** From this height on, pictures that say nothing of their colour are taken for HD. */
const leastHd = 720;
const bt709 = { primaries: 1, transfer: 1, matrix: 1 };
const bt601 = { primaries: 6, transfer: 6, matrix: 6 };

export const chunkCommand = ({ source, rungs, treatment, mark, frameRate, runUp }: ChunkCommand): string[] => [
  ...[...calm, '-nostdin', '-nostats'],
  ...['-threads', String(encoderThreads)],
  // What nothing hangs on need not be smoothed where four of its pixels and more become one.
  ...(rungs.every((rung) => isFarSmaller(rung, source)) ? ['-skip_loop_filter', 'noref'] : []),
  // What the source has of a picture is shown: a rung has as many pictures as it has.
  ...['-flags:v', '+output_corrupt', '-flags2:v', '+showall'],
  ...['-f', 'nut', '-format_whitelist', 'nut', '-protocol_whitelist', 'pipe', '-codec_whitelist', liveDecoders[source.codec]],
  ...['-max_streams', '1', '-max_pixels', String(mostPixels)],
  ...['-probesize', '32', '-analyzeduration', '0', '-fpsprobesize', '0'],
  ...['-noautorotate', '-copyts', '-i', 'pipe:0'],
  ...(mark ? markInput : []),
  ...['-filter_complex_threads', '1', '-filter_complex', filters(source, rungs, treatment, mark, runUp)],
  ...rungs.flatMap((rung, index) => rungArguments(rung, index, source, treatment, frameRate)),
];

/** As it is shown. */
const upright = (source: ChunkSource): ChunkSource => {
  if (!isAcross(source)) return source;
  const { width, height, sar } = source;
  return { ...source, width: height, height: width, sar: sar && { width: sar.height, height: sar.width } };
};

const isFarSmaller = (rung: RungWork, source: ChunkSource): boolean => 2 * rung.width <= upright(source).width && 2 * rung.height <= upright(source).height;

const turns = { 0: [], 90: ['transpose=clock'], 180: ['hflip', 'vflip'], 270: ['transpose=cclock'] } as const;
/** One picture out of two fields, at the time of the first; what is none goes through. The filter counts in half ticks. */
const whole = ['bwdif=mode=send_frame:deint=interlaced', `settb=1/${chunkTimescale}`];

/** `loop` makes up times for what it shows again, and for all behind it: they keep their distance from one whose own time is known. */
const twice = ({ pictures, ahead, first, next }: RunUp): string[] => [
  `loop=loop=1:size=${pictures}:start=0`,
  `setpts='if(eq(N,${pictures}),st(0,PTS-${first}));if(eq(N,${2 * pictures}),st(0,PTS-${next}));if(gte(N,${pictures}),PTS-ld(0),PTS-${ahead})'`,
];

const filters = (source: ChunkSource, rungs: readonly RungWork[], treatment: PictureTreatment, mark: ChunkCommand['mark'], runUp: RunUp | null): string => {
  const { deinterlace, toneMap } = treatment;
  const shown = { ...upright(source), colour: toneMap ? brightAs[toneMap] : null };
  const inputs = rungs.map((_, index) => `[s${index}]`);
  const first = [...(deinterlace ? whole : []), ...turns[source.rotation], `split=${rungs.length}${inputs.join('')}`].join(',');
  // Of many pixels one: what `area` makes of them looks the same, and costs a tenth.
  const chains = rungs.map((rung, index) => `${inputs[index]}${[...sizeFilters(shown, rung, isFarSmaller(rung, source) ? 'area' : 'bicubic'), ...(runUp ? twice(runUp) : [])].join(',')}[${mark ? 'p' : 'v'}${index}]`);
  if (!mark) return [`[0:v]${first}`, ...chains].join(';');
  const matrix = matrices[coloursOf(source, treatment).matrix] ?? (Math.min(source.width, source.height) >= leastHd ? 'bt709' : 'bt601');
  const images = rungs.map((_, index) => `[m${index}]`);
  const marks = rungs.flatMap((rung, index) => markFilters({ picture: `[p${index}]`, image: images[index] ?? '', out: `[v${index}]` }, { ...rung, mark, matrix }));
  return [`[0:v]${first}`, ...chains, `[1:v]split=${rungs.length}${images.join('')}`, ...marks].join(';');
};

/** Code points of ISO 23091-2, table 4, and ffmpeg's names of them. */
const matrices: Readonly<Record<number, Matrix>> = { 1: 'bt709', 5: 'bt601', 6: 'bt601', 9: 'bt2020' };

/** What the pictures of a rung are told to be. */
const coloursOf = ({ colour, width, height }: ChunkSource, { toneMap }: PictureTreatment): { readonly primaries: number; readonly transfer: number; readonly matrix: number } => {
  if (toneMap !== null) return bt709;
  return colour ?? (Math.min(width, height) >= leastHd ? bt709 : bt601);
};

const bright = { primaries: 9, matrix: 9, fullRange: false };
const brightAs: Readonly<Record<NonNullable<PictureTreatment['toneMap']>, Colour>> = {
  smpte2084: { ...bright, transfer: 16 },
  'arib-std-b67': { ...bright, transfer: 18 },
};

const rungArguments = ({ crf, maxRate, preset, level }: RungWork, index: number, source: ChunkSource, treatment: PictureTreatment, frameRate: number): string[] => {
  const { primaries, transfer, matrix } = coloursOf(source, treatment);
  return [
    ...['-map', `[v${index}]`, '-c:v', 'libx264', '-preset', preset, '-profile:v', 'high', '-level:v', String(level / 10), '-threads:v', String(encoderThreads)],
    ...['-crf:v', String(crf), '-maxrate:v', String(maxRate), '-bufsize:v', String(bufferSeconds * maxRate)],
    // `stitchable`: parameter sets that do not hang on what was found in the pictures. `ipratio`: key pictures of grainy film, of which
    // there is one every two seconds and at every seam, would otherwise be worse than those around them.
    ...['-x264-params', `stitchable=1:ipratio=1.6:8x8dct=1:fps=${Math.max(leastRate, Math.round(frameRate * 1000))}/1000`],
    ...['-color_primaries:v', String(primaries), '-color_trc:v', String(transfer), '-colorspace:v', String(matrix), '-color_range:v', 'tv'],
    // Closed GOPs, and key pictures where they are asked for and nowhere else.
    ...['-g', '1000000', '-sc_threshold', '0', '-flags:v', '+cgop', '-forced-idr', '1'],
    ...['-force_key_frames', `expr:${keyExpression}`],
    // Every picture once, at its own moment.
    ...['-fps_mode', 'passthrough', '-enc_time_base', `1:${chunkTimescale}`],
    ...['-map_metadata', '-1', '-f', 'nut', '-write_index', '0', `pipe:${firstPipe + index}`],
  ];
};
