/**
 * CRC-32C of long data, five times as fast as by tables: most words of it are cleared by adding them to later ones, sixteen
 * bytes at a time, and only what is left at the end goes through the tables.
 *
 * A CRC does not change when a multiple of its polynomial is added to the data. This one has but six terms:
 *
 *     q = x^209 + x^144 + x^54 + x^39 + x^14 + 1
 *
 * and since squaring a sum of bits squares its terms, q with x^128 in place of x (its 128th power) is a multiple too. So the first
 * sixteen bytes are cleared by adding them 65, 155, 170, 195 and 209 words of sixteen bytes further on, then the next ones, up to the
 * last 209 words. Which is said the other way round below: each word gets those that were cleared so far before it.
 * JavaScript has no words of sixteen bytes, WebAssembly has; what it works on lies in memory of its own.
 */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: { readonly fold: Fold; readonly memory: { readonly buffer: ArrayBuffer } } };
};
/** To each word from `to` on, those before `from`; as many as there are from `from` to `until`, and at least one. */
type Fold = (from: number, until: number, to: number) => void;

const word = 16;
const distances = [65, 155, 170, 195, 209] as const;
/** What the farthest distance spans. */
const span = 209 * word;
/** At once: it stays in the cache between being copied and being worked on. */
const most = 128 * 1024;
/** Less than this is not worth it. */
export const leastFolded = 4 * span;

/** Memory: nothing, as long as the span, so that the first words have others before them; the data; room for its last span. */
const dataAt = span;
const restAt = dataAt + most;
const pages = Math.ceil((restAt + span) / 65_536);

/** LEB128, as WebAssembly writes numbers that are not negative. */
const number = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...number(value >>> 7)]);
const vector = (items: readonly (readonly number[])[]): number[] => [...number(items.length), ...items.flat()];
const section = (id: number, body: readonly number[]): number[] => [id, ...number(body.length), ...body];
const name = (text: string): number[] => vector([...Buffer.from(text)].map((byte) => [byte]));

const [from, until, to] = [0, 1, 2];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const load = (offset: number): number[] => [0xfd, 0x00, 4, ...number(offset)];
const store = (offset: number): number[] => [0xfd, 0x0b, 4, ...number(offset)];
const xor = [0xfd, 0x51];
const plusWord = [0x41, word, 0x6a];
/** `from` is a span ahead of the word in question: offsets are positive. */
const before = (distance: number): number[] => [...get(from), ...load(span - distance * word), ...xor];

const code = [
  ...[0x03, 0x40], // loop
  ...[...get(to), ...get(to), ...load(0), ...distances.flatMap(before), ...store(0)],
  ...[...get(to), ...plusWord, ...set(to)],
  ...[...get(from), ...plusWord, ...set(from)],
  ...[...get(from), ...get(until), 0x49, 0x0d, 0], // again if from < until
  ...[0x0b, 0x0b], // end of the loop, end of the function
];
const i32 = 0x7f;
const binary = [
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, vector([[0x60, ...vector([[i32], [i32], [i32]]), ...vector([])]])), // types
  ...section(3, vector([[0]])), // functions, by type
  ...section(5, vector([[1, ...number(pages), ...number(pages)]])), // memory
  ...section(7, vector([[...name('fold'), 0, 0], [...name('memory'), 2, 0]])), // exports
  ...section(10, vector([[...number(code.length + 1), 0, ...code]])), // code, without further locals
];

export type Folded = { readonly taken: number; readonly rest: Uint8Array };

export class Crc32cFold {
  readonly #fold: Fold;
  readonly #bytes: Buffer;

  private constructor(fold: Fold, memory: ArrayBuffer) {
    this.#fold = fold;
    this.#bytes = Buffer.from(memory);
  }

  /** Null: not on this processor. */
  static make(): Crc32cFold | null {
    try {
      const { fold, memory } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(binary))).exports;
      return new Crc32cFold(fold, memory.buffer);
    } catch {
      return null;
    }
  }

  /**
   * What the register of the CRC comes to over `taken` bytes from `at` on, when it was `register` before them, is what it comes
   * to over `rest` when it was 0. `rest` is good until the next call. Null: too little to be made shorter.
   */
  take(data: Uint8Array, at: number, register: number): Folded | null {
    const left = data.length - at;
    if (left < leastFolded) return null;
    const taken = Math.min(most, left - (left % word));
    const bytes = this.#bytes;
    const cleared = taken - span;
    // A plain copy, also out of memory that is shared: see `body.ts`.
    bytes.fill(data.subarray(at, at + taken), dataAt, dataAt + taken);
    bytes.writeInt32LE(bytes.readInt32LE(dataAt) ^ register, dataAt);
    this.#fold(0, cleared, dataAt);
    // The last ones are not cleared any more: they get what was, and nothing of each other.
    bytes.copy(bytes, restAt, dataAt + cleared, dataAt + taken);
    bytes.fill(0, dataAt + cleared, dataAt + taken);
    this.#fold(cleared, cleared + span, restAt);
    return { taken, rest: bytes.subarray(restAt, restAt + span) };
  }
}
