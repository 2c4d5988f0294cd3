/** The `esds` box: an AudioSpecificConfig inside the descriptors of MPEG-4 systems (ISO 14496-1, 7.2.6). */
import { fullBox, u16, u24, u32, u8, type Box, type Part } from './box.ts';
import { Cursor, type BoxView } from './box-reader.ts';
import { CmafError } from './cmaf-error.ts';

const descriptorTag = { elementaryStream: 3, decoderConfig: 4, decoderSpecific: 5, syncLayer: 6 } as const;
/** objectTypeIndication of ISO 14496-3 audio. */
export const mpeg4Audio = 0x40;

/** Tag, size in groups of seven bits (14496-1, 8.3.3), body. */
const descriptor = (tag: number, body: readonly Part[], bodySize: number): { parts: Part[]; size: number } => {
  if (bodySize >= 1 << 14) throw new CmafError('limit', `a descriptor of ${bodySize} bytes`);
  const length = bodySize < 128 ? [u8(bodySize)] : [u8(0x80 | (bodySize >> 7)), u8(bodySize & 0x7f)];
  return { parts: [u8(tag), ...length, ...body], size: 1 + length.length + bodySize };
};

export const esds = (config: Buffer): Box => {
  const specific = descriptor(descriptorTag.decoderSpecific, [config], config.length);
  const decoder = descriptor(
    descriptorTag.decoderConfig,
    [
      u8(mpeg4Audio),
      u8((5 << 2) | 1), // an audio stream
      u24(0), // bufferSizeDB, maxBitrate, avgBitrate: not known while live
      u32(0),
      u32(0),
      ...specific.parts,
    ],
    13 + specific.size,
  );
  // Predefined 2: what MP4 files use (14496-14, 3.1.2).
  const sync = descriptor(descriptorTag.syncLayer, [u8(2)], 1);
  const stream = descriptor(
    descriptorTag.elementaryStream,
    [u16(0), u8(0), ...decoder.parts, ...sync.parts], // ES_ID 0 in a file, no flags
    3 + decoder.size + sync.size,
  );
  return fullBox('esds', 0, 0, stream.parts);
};

/** The size of the descriptor with this tag, whose body comes next; others before it are stepped over. */
const findDescriptor = (cursor: Cursor, wanted: number): number => {
  for (;;) {
    const tag = cursor.u8();
    let size = 0;
    let byte = 0x80;
    // 14496-1, 8.3.3: at most four groups of seven bits.
    for (let i = 0; i < 4 && byte & 0x80; i += 1) {
      byte = cursor.u8();
      size = size * 128 + (byte & 0x7f);
    }
    if (tag === wanted) return size;
    cursor.skip(size);
  }
};

/** What the box says of its stream: objectTypeIndication and the decoder's own configuration. */
export const readEsds = (bytes: Buffer, box: BoxView): { readonly objectType: number; readonly config: Buffer } => {
  const cursor = new Cursor(bytes, box, 4);
  findDescriptor(cursor, descriptorTag.elementaryStream);
  cursor.skip(2);
  const flags = cursor.u8();
  if (flags & 0x80) cursor.skip(2);
  if (flags & 0x40) cursor.skip(cursor.u8());
  if (flags & 0x20) cursor.skip(2);
  findDescriptor(cursor, descriptorTag.decoderConfig);
  const objectType = cursor.u8();
  cursor.skip(12);
  return { objectType, config: cursor.bytes(findDescriptor(cursor, descriptorTag.decoderSpecific)) };
};
