/** The headers of the movie and of its tracks: ids, scales, languages, and how the picture is turned. */
import { Cursor, type Box } from './boxes.ts';
import { Mp4Error, type MovieVideo } from './movie.ts';
import { packedLanguage } from './words.ts';

/** a b c d of ISO 14496-12, 6.2.2: x' = ax + cy, y' = bx + dy, with y downwards. */
type Matrix = readonly [a: number, b: number, c: number, d: number];

const readMatrix = (cursor: Cursor): Matrix => {
  const [a, b] = [cursor.i32(), cursor.i32()];
  cursor.skip(4);
  const [c, d] = [cursor.i32(), cursor.i32()];
  cursor.skip(16);
  return [a, b, c, d];
};

const one = 0x1_0000;

const after = ([a, b, c, d]: Matrix, [e, f, g, h]: Matrix): Matrix => [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h];

/** Degrees clockwise. Mirrors and skews are none: players do not do them either. */
export const rotationOf = (track: Matrix, movie: Matrix): MovieVideo['rotation'] => {
  const [a, b, c, d] = after(track, movie).map(Math.sign);
  const signs = `${a} ${b} ${c} ${d}`;
  if (signs === '0 1 -1 0') return 90;
  if (signs === '-1 0 0 -1') return 180;
  return signs === '0 -1 1 0' ? 270 : 0;
};

/** Steps over both dates, which are wide in version 1. */
const start = (bytes: Buffer, box: Box): { cursor: Cursor; wide: boolean; flags: number } => {
  const cursor = new Cursor(bytes, box);
  const { version, flags } = cursor.full();
  cursor.skip(version === 1 ? 16 : 8);
  return { cursor, wide: version === 1, flags };
};

export type MovieHeader = { readonly timescale: number; readonly matrix: Matrix; readonly quickTime: boolean };

export const readMovieHeader = (bytes: Buffer, mvhd: Box, quickTime: boolean): MovieHeader => {
  const { cursor, wide } = start(bytes, mvhd);
  const timescale = cursor.u32();
  if (timescale === 0) throw new Mp4Error('invalid', 'mvhd has a time scale of 0');
  cursor.skip(wide ? 8 : 4);
  cursor.skip(16); // rate, volume, reserved
  return { timescale, matrix: readMatrix(cursor), quickTime };
};

export const readTrackHeader = (bytes: Buffer, tkhd: Box): { readonly id: number; readonly enabled: boolean; readonly matrix: Matrix } => {
  const { cursor, wide, flags } = start(bytes, tkhd);
  const id = cursor.u32();
  cursor.skip(4 + (wide ? 8 : 4));
  cursor.skip(16); // reserved, layer, group, volume
  // Some writers leave the matrix out, or empty.
  const matrix = cursor.left >= 36 ? readMatrix(cursor) : ([one, 0, 0, one] as const);
  return { id, enabled: (flags & 1) !== 0, matrix };
};

export const readMediaHeader = (bytes: Buffer, mdhd: Box, quickTime: boolean): { readonly timescale: number; readonly language: string } => {
  const { cursor, wide } = start(bytes, mdhd);
  const timescale = cursor.u32();
  if (timescale === 0) throw new Mp4Error('invalid', 'mdhd has a time scale of 0');
  cursor.skip(wide ? 8 : 4);
  return { timescale, language: packedLanguage(cursor.u16(), quickTime) };
};
