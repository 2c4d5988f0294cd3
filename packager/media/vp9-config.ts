/**
 * VPCodecConfigurationRecord, what `vpcC` holds behind its version and flags (VP Codec ISO Media File Format Binding):
 *
 *     profile | level | depth 4, chroma 3, full range 1 | primaries | transfer | matrix | u16 length of nothing
 */
import { CodecError } from './codec-error.ts';
import type { Vp9KeyFrame } from './vp9-frame.ts';

export type Vp9Config = {
  readonly profile: number;
  /** Ten times the level; 0: not said. */
  readonly level: number;
  readonly bitDepth: number;
  /** 0 and 1: 4:2:0; 2: 4:2:2; 3: 4:4:4. */
  readonly chroma: number;
  readonly fullRange: boolean;
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
};

const recordSize = 8;
const boxHead = Buffer.from([1, 0, 0, 0]);
const largestConfig = 1024;

/** Senders put the record behind the version and flags of its box, or send it bare. Initialization data, which VP9 does not have, is left out. */
export const vp9ConfigOf = (sent: Buffer): Buffer => {
  if (sent.length > largestConfig) throw new CodecError('limit', `vpcC has ${sent.length} bytes`);
  const boxed = sent.length >= boxHead.length + recordSize && boxHead.equals(sent.subarray(0, boxHead.length));
  const record = sent.subarray(boxed ? boxHead.length : 0);
  if (record.length < recordSize) throw new CodecError('truncated', `vpcC has only ${sent.length} bytes`);
  const bare = Buffer.alloc(recordSize);
  record.copy(bare, 0, 0, recordSize - 2);
  return bare;
};

export const parseVp9Config = (config: Buffer): Vp9Config => {
  if (config.length !== recordSize) throw new CodecError('invalid', `the record of VP9 has ${config.length} bytes`);
  const [profile = 0, level = 0, shades = 0, primaries = 0, transfer = 0, matrix = 0] = config;
  const bitDepth = shades >> 4;
  if (profile > 3) throw new CodecError('invalid', `VP9: reserved profile ${profile}`);
  if (bitDepth !== 8 && bitDepth !== 10 && bitDepth !== 12) throw new CodecError('invalid', `VP9: a depth of ${bitDepth} bits`);
  return { profile, level, bitDepth, chroma: (shades >> 1) & 7, fullRange: (shades & 1) === 1, primaries, transfer, matrix };
};

// Annex A of the bitstream specification: the largest picture of each level, in samples of luma.
const levels: readonly (readonly [level: number, samples: number])[] = [
  [10, 36_864],
  [11, 73_728],
  [20, 122_880],
  [21, 245_760],
  [30, 552_960],
  [31, 983_040],
  [40, 2_228_224],
  [50, 8_912_896],
  [60, 35_651_584],
];

const levelOf = ({ width, height }: Vp9KeyFrame): number => levels.find(([, samples]) => width * height <= samples)?.[0] ?? 62;

/** As code points of ISO 23091-2, by color_space (7.2.2); those that are missing are not said. */
const spaces: Readonly<Record<number, readonly [primaries: number, transfer: number, matrix: number]>> = {
  1: [6, 6, 6],
  2: [1, 1, 1],
  3: [6, 6, 6],
  4: [7, 7, 7],
  5: [9, 14, 9],
  7: [1, 13, 0],
};

const chromaOf = ({ subsamplingX, subsamplingY }: Vp9KeyFrame): number => (subsamplingX === 0 ? 3 : subsamplingY === 0 ? 2 : 1);

/**
 * The record that fits a key frame. What the sender's says beyond it, level and colour, is kept for as long as the two agree;
 * the same buffer where nothing had to change.
 */
export const vp9ConfigFor = (frame: Vp9KeyFrame, sent: Buffer | null): Buffer => {
  const said = sent && parseVp9Config(sent);
  const chroma = chromaOf(frame);
  const kept = said && said.profile === frame.profile && said.bitDepth === frame.bitDepth && Math.max(1, said.chroma) === chroma ? said : null;
  const least = levelOf(frame);
  if (sent && kept && kept.level >= least) return sent;
  const space = spaces[frame.colourSpace] ?? [2, 2, 2];
  const [primaries, transfer, matrix] = kept ? [kept.primaries, kept.transfer, kept.matrix] : space;
  const fullRange = kept ? kept.fullRange : frame.fullRange;
  const shades = (frame.bitDepth << 4) | (chroma << 1) | (fullRange ? 1 : 0);
  return Buffer.from([frame.profile, Math.max(least, kept?.level ?? 0), shades, primaries, transfer, matrix, 0, 0]);
};

const two = (value: number): string => String(value).padStart(2, '0');

/** `vp09.PP.LL.DD`, and the rest, all or nothing, where it is not what players assume. */
export const vp9CodecString = ({ profile, level, bitDepth, chroma, fullRange, primaries, transfer, matrix }: Vp9Config): string => {
  const head = `vp09.${two(profile)}.${two(level)}.${two(bitDepth)}`;
  const codes = [primaries, transfer, matrix];
  const usual = codes.every((code) => code === 1) || codes.every((code) => code === 2);
  if (usual && chroma < 2 && !fullRange) return head;
  return [head, two(chroma), ...codes.map(two), two(fullRange ? 1 : 0)].join('.');
};
