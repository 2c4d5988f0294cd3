/** For tests: fragments and init segments, written by hand and independently of what writes the real ones. */

const u16 = (value: number): Buffer => {
  const out = Buffer.alloc(2);
  out.writeUInt16BE(value);
  return out;
};
const u32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeInt32BE(value | 0);
  return out;
};
const u64 = (value: number): Buffer => {
  const out = Buffer.alloc(8);
  out.writeBigInt64BE(BigInt(value));
  return out;
};
const zeros = (bytes: number): Buffer => Buffer.alloc(bytes);

export const box = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
};

export type FragmentOptions = {
  readonly trackId?: number;
  readonly time: number;
  readonly samples: number;
  readonly ticks: number;
  readonly key: boolean;
  readonly text: string;
  readonly version?: 0 | 1;
  readonly flags?: number;
  readonly firstOffset?: number;
  readonly runs?: number;
  /** Bytes of mdat more than there are in samples. */
  readonly surplus?: number;
};

const sampleBytes = 40;

export const fragmentOf = ({ trackId = 1, time, samples, ticks, key, text, version = 1, flags = 0x02_0038, firstOffset = 0, runs = 1, surplus = 0 }: FragmentOptions): Buffer => {
  const tfhd = box('tfhd', u32(flags), u32(trackId), u32(ticks), u32(sampleBytes), u32(0x0101_0000));
  const tfdt = version === 1 ? box('tfdt', u32(0x0100_0000), u64(time)) : box('tfdt', u32(0), u32(time));
  const run = (offset: number): Buffer => {
    const rows = Array.from({ length: samples }, (_, index) => Buffer.concat([u32(index === 0 && key ? 0x0200_0000 : 0x0101_0000), u32(index === 0 ? firstOffset : 0)]));
    return box('trun', u32(0x0100_0c01), u32(samples), u32(offset), ...rows);
  };
  const moof = (offset: number): Buffer => box('moof', box('mfhd', u32(0), u32(1)), box('traf', tfhd, tfdt, ...Array.from({ length: runs }, () => run(offset))));
  const { length } = moof(0);
  return Buffer.concat([moof(length + 8), box('mdat', Buffer.alloc(samples * sampleBytes + surplus, text))]);
};

export type InitOptions = { readonly kind: 'video' | 'audio'; readonly timescale: number; readonly width?: number; readonly height?: number; readonly level?: number; readonly tracks?: number; readonly trackId?: number };

export const initOf = ({ kind, timescale, width = 640, height = 360, level = 0x1e, tracks = 1, trackId = 1 }: InitOptions): Buffer => {
  const avc1 = box('avc1', zeros(24), u16(width), u16(height), zeros(50), box('avcC', Buffer.from([1, 0x64, 0, level, 0xff, 0xe0, 0])));
  const descriptors = Buffer.from([3, 25, 0, 1, 0, 4, 17, 0x40, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0x11, 0x90, 6, 1, 2]);
  const mp4a = box('mp4a', zeros(28), box('esds', zeros(4), descriptors));
  const stbl = box('stbl', box('stsd', u32(0), u32(1), kind === 'video' ? avc1 : mp4a));
  const mdia = box('mdia', box('mdhd', u32(0), zeros(8), u32(timescale), zeros(8)), box('hdlr', zeros(8), Buffer.from(kind === 'video' ? 'vide' : 'soun'), zeros(13)), box('minf', stbl));
  const trak = box('trak', box('tkhd', u32(3), zeros(8), u32(trackId), zeros(68)), mdia);
  const mvex = box('mvex', box('trex', u32(0), u32(trackId), u32(1), zeros(12)));
  return Buffer.concat([box('ftyp', Buffer.from('iso6'), zeros(4), Buffer.from('iso6cmfc')), box('moov', box('mvhd', zeros(100)), ...Array.from({ length: tracks }, () => trak), mvex)]);
};
