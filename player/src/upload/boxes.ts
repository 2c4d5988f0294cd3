/**
 * What of a file the server needs before anything of it can be played: in an MP4 or MOV the index (`moov`), wherever it
 * lies, and the headers of the boxes that lead to it. Everything else plays, or is inspected, from the front.
 */
export type Span = { readonly from: number; readonly to: number };

/** Bytes of the file; fewer where it ends. */
export type ReadSpan = (from: number, to: number) => Promise<Uint8Array>;

/** Cameras write a handful of boxes; whoever has more than this is sent from the front. */
const mostReads = 12;
const firstRead = 4096;
const headerBytes = 16;
/** A larger index is no index (the server's own limit is far below): it would come before everything else. */
const largestIndex = 256 * 1024 * 1024;

type Header = { readonly type: string; readonly size: number };

/** ISO/IEC 14496-12 4.2.2: 32 bits, or 64 behind a 1, or a 0 for what goes on to the end. Null: no box begins here. */
const headerAt = (bytes: Uint8Array, rest: number): Header | null => {
  if (bytes.length < 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = String.fromCharCode(...bytes.subarray(4, 8));
  if (!/^[\x20-\x7e©]{4}$/.test(type)) return null;
  const short = view.getUint32(0);
  if (short === 0) return { type, size: rest };
  if (short >= 8) return { type, size: short };
  if (short !== 1 || bytes.length < headerBytes) return null;
  const size = view.getUint32(8) * 2 ** 32 + view.getUint32(12);
  return size < headerBytes ? null : { type, size };
};

/** Box types that a file begins with; others are no MP4 or MOV, whatever they look like. */
const beginnings: readonly string[] = ['ftyp', 'moov', 'mdat', 'free', 'skip', 'wide', 'pnot', 'styp', 'uuid'];

/** In the order in which they are wanted; empty: this is no MP4, or it has no index that could be found. */
export const wantedFirst = async (read: ReadSpan, size: number): Promise<readonly Span[]> => {
  const headers: Span[] = [];
  let held = { from: 0, bytes: await read(0, Math.min(size, firstRead)) };
  let reads = 1;
  for (let at = 0; at < size; ) {
    if (at < held.from || at + headerBytes > held.from + held.bytes.length) {
      if (reads++ >= mostReads) return [];
      held = { from: at, bytes: await read(at, Math.min(size, at + headerBytes)) };
    }
    const header = headerAt(held.bytes.subarray(at - held.from, at - held.from + headerBytes), size - at);
    if (!header || (at === 0 && !beginnings.includes(header.type))) return [];
    if (header.type === 'moov') {
      const index = { from: at, to: Math.min(size, at + header.size) };
      return index.to - index.from > largestIndex ? [] : [...headers, index];
    }
    headers.push({ from: at, to: Math.min(size, at + headerBytes) });
    at += header.size;
  }
  return [];
};
