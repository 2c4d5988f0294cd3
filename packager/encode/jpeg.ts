/** What a JPEG says of itself (ITU-T T.81, annex B): looked at before it is handed to anybody, since a decoder of hostile pictures wrote it. */
export type Jpeg = { readonly bytes: Buffer; readonly width: number; readonly height: number };

const marker = { start: 0xd8, end: 0xd9, scan: 0xda, baseline: 0xc0, extended: 0xc1, progressive: 0xc2 } as const;
const frames: ReadonlySet<number> = new Set([marker.baseline, marker.extended, marker.progressive]);

/** Null: it is none, or one whose head does not say how large it is. */
export const readJpeg = (bytes: Buffer): Jpeg | null => {
  const { length } = bytes;
  if (length < 4 || bytes[0] !== 0xff || bytes[1] !== marker.start || bytes[length - 2] !== 0xff || bytes[length - 1] !== marker.end) return null;
  for (let at = 2; at + 4 <= length; ) {
    const kind = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff || kind === marker.scan) return null;
    const size = bytes.readUInt16BE(at + 2);
    if (size < 2 || at + 2 + size > length) return null;
    if (frames.has(kind)) {
      // Precision, lines, samples a line.
      if (size < 8) return null;
      const [height, width] = [bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7)];
      return width > 0 && height > 0 ? { bytes, width, height } : null;
    }
    at += 2 + size;
  }
  return null;
};
