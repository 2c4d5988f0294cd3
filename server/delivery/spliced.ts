/**
 * A text that is the same for all but for a place in it, which is another for each. What is the same is compressed once: gzip
 * (RFC 1952) around blocks of deflate (RFC 1951) that end at whole bytes and know nothing of each other, between which the rest
 * stands as it is. Several files of gzip in a row would be shorter to write, and browsers read the first alone.
 */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib';

/** Deflating this much takes less than a turn through the thread pool; more is done there. */
export const deflatedHere = 32 * 1024;
const blocks = { level: 1, finishFlush: constants.Z_SYNC_FLUSH };
const deflateElsewhere = promisify<Buffer, { level: number; finishFlush: number }, Buffer>(deflateRaw);

/** No name, no time, no system: RFC 1952, 2.3. */
const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** An empty last block. */
const end = Buffer.from([3, 0]);

/** As it is: RFC 1951, 3.2.4. */
const stored = (bytes: Buffer): Buffer => {
  const block = Buffer.alloc(5 + bytes.length);
  block.writeUInt16LE(bytes.length, 1);
  block.writeUInt16LE(~bytes.length & 0xffff, 3);
  bytes.copy(block, 5);
  return block;
};

const between = (bytes: Buffer, mark: Buffer): Buffer[] => {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, from)) {
    pieces.push(bytes.subarray(from, at));
    from = at + mark.length;
  }
  return [...pieces, bytes.subarray(from)];
};

const interleaved = (pieces: readonly Buffer[], own: Buffer): Buffer[] => pieces.flatMap((piece, index) => (index === 0 ? [piece] : [own, piece]));

export class Spliced {
  readonly #pieces: readonly Buffer[];
  readonly #bytes: number;
  #deflated: readonly Buffer[] | Promise<readonly Buffer[]> | null = null;

  constructor(bytes: Buffer, place: string) {
    this.#bytes = bytes.length;
    this.#pieces = between(bytes, Buffer.from(place));
  }

  /** `own`: 65,535 bytes at most. */
  plain(own: Buffer): Buffer {
    return Buffer.concat(interleaved(this.#pieces, own));
  }

  gzip(own: Buffer): Buffer | Promise<Buffer> {
    const deflated = this.#deflate();
    return deflated instanceof Promise ? deflated.then((pieces) => this.#around(pieces, own)) : this.#around(deflated, own);
  }

  #around(deflated: readonly Buffer[], own: Buffer): Buffer {
    let [sum, size] = [0, 0];
    for (const piece of interleaved(this.#pieces, own)) {
      sum = crc32(piece, sum);
      size += piece.length;
    }
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(sum, 0);
    trailer.writeUInt32LE(size, 4);
    return Buffer.concat([head, ...interleaved(deflated, stored(own)), end, trailer]);
  }

  #deflate(): readonly Buffer[] | Promise<readonly Buffer[]> {
    if (this.#deflated) return this.#deflated;
    if (this.#bytes <= deflatedHere) return (this.#deflated = this.#pieces.map((piece) => deflateRawSync(piece, blocks)));
    const deflating = Promise.all(this.#pieces.map((piece) => deflateElsewhere(piece, blocks)));
    this.#deflated = deflating;
    deflating.then(
      (done) => (this.#deflated = done),
      () => (this.#deflated = null),
    );
    return deflating;
  }
}
