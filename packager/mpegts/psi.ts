/** The two tables of a stream with one program (ISO 13818-1, 2.4.4): PAT, which names the PMT, and PMT, which names the rest. */
import { crc32 } from '../media/crc32.ts';

export const pids = { pat: 0, pmt: 0x1000, video: 0x100, audio: 0x101 } as const;

const streamType = { h264: 0x1b, adts: 0x0f } as const;
const programNumber = 1;

/** Current, the only section of its table. `version` has five bits. */
const section = (tableId: number, id: number, version: number, body: readonly number[]): Buffer => {
  const length = 5 + body.length + 4;
  const bytes = [tableId, 0xb0 | (length >> 8), length & 0xff, id >> 8, id & 0xff, 0xc1 | ((version & 31) << 1), 0, 0, ...body];
  const out = Buffer.alloc(bytes.length + 4);
  out.set(bytes);
  out.writeUInt32BE(crc32(out.subarray(0, bytes.length)), bytes.length);
  return out;
};

const pid13 = (pid: number): number[] => [0xe0 | (pid >> 8), pid & 0xff];
const stream = (type: number, pid: number, descriptors: readonly number[]): number[] => [
  type,
  ...pid13(pid),
  0xf0 | (descriptors.length >> 8),
  descriptors.length & 0xff,
  ...descriptors,
];

export const patSection = (): Buffer => section(0, 1, 0, [programNumber >> 8, programNumber & 0xff, ...pid13(pids.pmt)]);

export type Program = {
  readonly video: boolean;
  /** Descriptors of the sound; null without sound. */
  readonly audio: readonly number[] | null;
  readonly version: number;
};

export const clockPid = ({ video }: Pick<Program, 'video'>): number => (video ? pids.video : pids.audio);

export const pmtSection = (program: Program): Buffer =>
  section(2, programNumber, program.version, [
    ...pid13(clockPid(program)),
    0xf0,
    0,
    ...(program.video ? stream(streamType.h264, pids.video, []) : []),
    ...(program.audio ? stream(streamType.adts, pids.audio, program.audio) : []),
  ]);
