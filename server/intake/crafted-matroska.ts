/** Matroska as nobody should write it, for tests: elements by their ids, with whatever in them (RFC 8794, RFC 9559). */

export const element = (id: number, ...parts: readonly (Buffer | number | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'number' ? unsigned(part) : Buffer.from(part as string | Buffer))));
  const name = Buffer.from(id.toString(16).padStart(id > 0xffffff ? 8 : id > 0xffff ? 6 : id > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([name, sizeOf(body.length), body]);
};

/** In one byte where that is enough, else in eight. */
const sizeOf = (length: number): Buffer => {
  if (length < 127) return Buffer.from([0x80 | length]);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(length) | (1n << 56n));
  return size;
};

const unsigned = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

const ids = { ebml: 0x1a45dfa3, docType: 0x4282, segment: 0x18538067, info: 0x1549a966, scale: 0x2ad7b1, tracks: 0x1654ae6b, entry: 0xae, number: 0xd7, uid: 0x73c5, type: 0x83, codec: 0x86, privateData: 0x63a2, video: 0xe0, width: 0xb0, height: 0xba, every: 0x23e383, cluster: 0x1f43b675, time: 0xe7, block: 0xa3, attachments: 0x1941a469, attached: 0x61a7, name: 0x466e, mediaType: 0x4660, data: 0x465c, fileUid: 0x46ae }; // prettier-ignore

export type CraftedTrack = {
  readonly codec: string;
  readonly type?: 'video' | 'audio' | 'subtitle';
  readonly size?: readonly [number, number];
  readonly codecPrivate?: Buffer;
  /** Nanoseconds of a frame. */
  readonly every?: number;
};

export type Attached = { readonly name: string; readonly data: Buffer; readonly mediaType?: string };

/** `frames`: of the first track, 40 ms apart. `times`: each track is there so often. */
export const matroska = (tracks: readonly CraftedTrack[], frames: readonly Buffer[] = [], times = 1, attached: readonly Attached[] = []): Buffer => {
  const once = tracks.map(({ codec, type = 'video', size: [width, height] = [320, 180], codecPrivate, every }, index) =>
    element(
      ids.entry,
      ...[element(ids.number, index + 1), element(ids.uid, index + 1), element(ids.type, { video: 1, audio: 2, subtitle: 17 }[type]), element(ids.codec, codec)],
      ...(codecPrivate ? [element(ids.privateData, codecPrivate)] : []),
      ...(every === undefined ? [] : [element(ids.every, every)]),
      ...(type === 'video' ? [element(ids.video, element(ids.width, width), element(ids.height, height))] : []),
    ),
  );
  const entries = Array.from({ length: times }, () => once).flat();
  const blocks = frames.map((frame, index) => element(ids.block, Buffer.from([0x81, (index * 40) >> 8, (index * 40) & 0xff, 0x80]), frame));
  const files = attached.map(({ name, data, mediaType = 'application/octet-stream' }, index) =>
    element(ids.attached, element(ids.name, name), element(ids.mediaType, mediaType), element(ids.data, data), element(ids.fileUid, index + 1)),
  );
  return Buffer.concat([
    element(ids.ebml, element(ids.docType, 'matroska')),
    element(ids.segment, element(ids.info, element(ids.scale, 1_000_000)), element(ids.tracks, ...entries), ...(files.length > 0 ? [element(ids.attachments, ...files)] : []), element(ids.cluster, element(ids.time, 0), ...blocks)),
  ]);
};
