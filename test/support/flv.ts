/** Test-only reader of FLV files that ffmpeg wrote: H.264 and AAC as an RTMP publisher would send them. */
import type { AccessUnit } from '../../packager/media/unit.ts';

export type FlvClip = {
  readonly avcConfig: Buffer | null;
  readonly aacConfig: Buffer | null;
  /** In file order, times in milliseconds; video as it came, with lengths of 4 bytes. */
  readonly units: readonly AccessUnit[];
};

const audioTag = 8;
const videoTag = 9;

export const readFlv = (file: Buffer): FlvClip => {
  let avcConfig: Buffer | null = null;
  let aacConfig: Buffer | null = null;
  const units: AccessUnit[] = [];
  const firstTag = file.readUInt32BE(5) + 4;
  for (let at = firstTag; at + 11 <= file.length; ) {
    const type = file.readUInt8(at) & 0x1f;
    const size = file.readUIntBE(at + 1, 3);
    const dts = file.readUIntBE(at + 4, 3) + file.readUInt8(at + 7) * 2 ** 24;
    const body = file.subarray(at + 11, at + 11 + size);
    at += 11 + size + 4;
    if (type === audioTag && (body[0] ?? 0) >> 4 === 10) {
      if (body[1] === 0) aacConfig = body.subarray(2);
      else units.push({ kind: 'audio', dts, pts: dts, key: true, data: body.subarray(2) });
    }
    if (type === videoTag && ((body[0] ?? 0) & 15) === 7) {
      const key = (body[0] ?? 0) >> 4 === 1;
      if (body[1] === 0) avcConfig = body.subarray(5);
      if (body[1] === 1) units.push({ kind: 'video', dts, pts: dts + (body.readIntBE(2, 3)), key, data: body.subarray(5) });
    }
  }
  return { avcConfig, aacConfig, units };
};
