/** Bits that the writer sets and the reader looks for (ISO 14496-12, 8.8.3.1, 8.8.7.1, 8.8.8.1). */

/** One track in a file. */
export const trackId = 1;

export const sampleFlags = {
  /** sample_depends_on = 2: on no other. */
  key: 0x0200_0000,
  /** sample_depends_on = 1, sample_is_non_sync_sample. */
  dependent: 0x0101_0000,
  nonSync: 0x0001_0000,
} as const;

export const tfhdFlag = {
  baseDataOffset: 0x00_0001,
  sampleDescription: 0x00_0002,
  duration: 0x00_0008,
  size: 0x00_0010,
  flags: 0x00_0020,
  durationIsEmpty: 0x01_0000,
  defaultBaseIsMoof: 0x02_0000,
} as const;

export const trunFlag = {
  dataOffset: 0x001,
  firstFlags: 0x004,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  compositionOffset: 0x800,
} as const;
