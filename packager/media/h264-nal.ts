/** NAL units of H.264: their types (ISO 14496-10, table 7-1) and the way from a unit to the bits inside it. */

export const nalType = {
  slice: 1,
  partitionA: 2,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  accessUnitDelimiter: 9,
  endOfSequence: 10,
  endOfStream: 11,
  filler: 12,
  spsExtension: 13,
  subsetSps: 15,
} as const;

export const typeOf = (nal: Uint8Array): number => (nal[0] ?? 0) & 0x1f;

/** Types 1 to 5 carry the picture itself. */
export const isVcl = (type: number): boolean => type >= nalType.slice && type <= nalType.idr;

/** The units of a picture that was normalised, H.264 or HEVC: each behind four bytes of length. */
export function* unitsOf(data: Buffer): Generator<Buffer> {
  for (let at = 0; at + 4 < data.length; ) {
    const end = at + 4 + data.readUInt32BE(at);
    yield data.subarray(at + 4, end);
    at = end;
  }
}

/**
 * The payload of a unit (behind its header byte) without emulation prevention: every 00 00 03 loses its 03
 * (7.4.1). `limit` bounds the work where only the beginning matters, as in a slice header.
 */
export const rbsp = (nal: Uint8Array, limit = nal.length): Uint8Array => {
  const end = Math.min(nal.length, limit);
  const out = new Uint8Array(Math.max(0, end - 1));
  let length = 0;
  let zeros = 0;
  for (let at = 1; at < end; at += 1) {
    const byte = nal[at] ?? 0;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    out[length] = byte;
    length += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, length);
};
