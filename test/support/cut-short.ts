/** Films that end too early, at places drawn from a seed: half of them anywhere, half where it is said what is in the file. */
import { readFile } from 'node:fs/promises';
import { aac, picture, tone, x264 } from '../../server/intake/exactness.ts';
import { encoded } from './encoded.ts';
import { Random } from './random.ts';

type Kind = { readonly extension: string; readonly args: readonly string[]; readonly head: (whole: Buffer) => readonly [from: number, to: number] };

/** Where in an MP4 its index lies. */
const index = (whole: Buffer): readonly [number, number] => {
  const at = whole.indexOf('moov', 0, 'latin1') - 4;
  return [at, at + whole.readUInt32BE(at)];
};
const beginning = ({ length }: Buffer): readonly [number, number] => [1, Math.min(length, 4096)];

const kinds = {
  'MP4, index first': { extension: 'mp4', args: ['-movflags', '+faststart'], head: index },
  'MP4, index last': { extension: 'mp4', args: [], head: index },
  Matroska: { extension: 'mkv', args: [], head: beginning },
  'MPEG-TS': { extension: 'ts', args: [], head: beginning },
} satisfies { readonly [name: string]: Kind };

export type CutKind = keyof typeof kinds;
export const cutKinds = Object.keys(kinds) as CutKind[];

/** What of such a film may come of it: it is shown as far as it goes, or it is said what is wrong. */
export const cutEnds: readonly string[] = ['ready', 'failed truncated', 'failed broken', 'failed no-media', 'failed not-a-video', 'failed encode-failed'];

/** So many of a kind; never whole, and never empty. */
export const cutShort = async (kind: CutKind, count: number, seed: number): Promise<Buffer[]> => {
  const { extension, args, head }: Kind = kinds[kind];
  const whole = await readFile(await encoded(extension, [...picture(2), ...tone(2), ...x264, ...aac, ...args]));
  const random = new Random(seed);
  const within = (from: number, to: number): Buffer => whole.subarray(0, Math.max(1, from + random.below(to - from)));
  return Array.from({ length: count }, (_, round) => (round % 2 === 0 ? within(0, whole.length) : within(...head(whole))));
};
