/** The head of a PES packet (ISO 13818-1, 2.4.3.6): what follows, and when it is decoded and shown. */
import { wrap } from './packets.ts';

const streamId = { video: 0xe0, audio: 0xc0 } as const;

const withoutDts = 14;
const withDts = 19;

export const pesHeaderSize = (pts: number, dts: number): number => (pts === dts ? withoutDts : withDts);

/** 33 bits in five bytes, with a marker bit behind every group. */
const writeTime = (out: Buffer, at: number, prefix: number, ticks: number): number => {
  const time = wrap(ticks);
  const low = time % 2 ** 30;
  out[at] = (prefix << 4) | (Math.floor(time / 2 ** 30) << 1) | 1;
  out[at + 1] = low >> 22;
  out[at + 2] = ((low >> 14) & 0xfe) | 1;
  out[at + 3] = (low >> 7) & 0xff;
  out[at + 4] = ((low << 1) & 0xfe) | 1;
  return at + 5;
};

/** `payload` is the number of bytes behind the head. Only pictures may be longer than 16 bits can say: theirs is 0. */
export const writePesHeader = (out: Buffer, kind: 'video' | 'audio', pts: number, dts: number, payload: number): number => {
  const size = pesHeaderSize(pts, dts);
  out.writeUInt32BE(0x100 | streamId[kind], 0);
  out.writeUInt16BE(kind === 'video' ? 0 : size - 6 + payload, 4);
  out[6] = 0x84; // data_alignment: an access unit begins here
  out[7] = pts === dts ? 0x80 : 0xc0;
  out[8] = size - 9;
  const at = writeTime(out, 9, pts === dts ? 2 : 3, pts);
  return pts === dts ? at : writeTime(out, at, 1, dts);
};
