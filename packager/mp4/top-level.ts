/** The outermost boxes of a file, found with small reads: also of one that is still arriving, in any order. */
import { Allowance, movieLimits } from './limits.ts';

import { Mp4Error, type RangeSource } from './movie.ts';

/** Whether the bytes [from, to) are there. */
export type Has = (from: number, to: number) => boolean;

export type TopBox = { readonly type: string; readonly at: number; readonly body: number; readonly end: number };

/** What a file may begin with: ftyp, or what QuickTime began with before there was one. */
const openings = new Set(['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip', 'pnot', 'styp', 'uuid']);

/** Small boxes lie beside each other: one read shows many headers. */
const glance = 4096;
const headerBytes = 16;

const everything: Has = () => true;

/** Boxes one after the other; each costs a read only where no read before has shown its header. */
export class TopLevel {
  readonly #source: RangeSource;
  readonly #has: Has;
  #seen: Buffer = Buffer.alloc(0);
  #seenAt = 0;
  at = 0;

  constructor(source: RangeSource, has: Has = everything) {
    this.#source = source;
    this.#has = has;
  }

  get size(): number {
    return this.#source.size;
  }

  /** Null at the end of the file, also where a few bytes are left that are no box. */
  async next(): Promise<TopBox | null> {
    if (this.size - this.at < 8) return null;
    const length = Math.min(headerBytes, this.size - this.at);
    if (!this.#shows(length)) {
      this.#seen = await this.#read(this.at, length);
      this.#seenAt = this.at;
    }
    return this.#box(length);
  }

  /** The same, if the last read has shown the next header whole: boxes without end cost no turn of a promise each. */
  shown(): TopBox | null {
    return this.#shows(headerBytes) ? this.#box(headerBytes) : null;
  }

  #shows(length: number): boolean {
    return this.at >= this.#seenAt && this.at + length <= this.#seenAt + this.#seen.length;
  }

  #box(length: number): TopBox {
    const { at, size: fileSize } = this;
    const head = this.#seen.subarray(at - this.#seenAt, at - this.#seenAt + length);
    const small = head.readUInt32BE(0);
    const type = head.toString('latin1', 4, 8);
    if (at === 0 && !openings.has(type)) throw new Mp4Error('not-mp4', 'the file does not begin as an MP4 does');
    let size = small === 0 ? fileSize - at : small;
    let body = at + 8;
    if (small === 1) {
      if (head.length < 16) throw new Mp4Error('truncated', `the size of ${type} is cut off`);
      size = head.readUInt32BE(8) * 2 ** 32 + head.readUInt32BE(12);
      body = at + 16;
    }
    if (size < body - at) throw new Mp4Error('invalid', `${JSON.stringify(type)} has a size of ${size}`);
    if (size > fileSize - at) throw new Mp4Error('truncated', `${JSON.stringify(type)} of ${size} bytes goes ${size - (fileSize - at)} too far`);
    this.at = at + size;
    return { type, at, body, end: at + size };
  }

  /** All of a box; what `next` has shown of it is not read again. */
  async bytesOf({ at, end }: TopBox): Promise<Buffer> {
    const shown = at >= this.#seenAt && end <= this.#seenAt + this.#seen.length;
    return shown ? this.#seen.subarray(at - this.#seenAt, end - this.#seenAt) : this.#source.read(at, end - at);
  }

  /** More than is asked for, where it is there: what lies behind the index may not have arrived. */
  async #read(at: number, length: number): Promise<Buffer> {
    if (!this.#has(at, at + length)) throw new Mp4Error('not-yet', `bytes ${at} to ${at + length} have not arrived`);
    const more = Math.min(glance, this.#source.size - at);
    if (!this.#has(at, at + more)) return this.#source.read(at, length);
    try {
      return await this.#source.read(at, more);
    } catch (error) {
      if (error instanceof Mp4Error && error.code === 'not-yet') return this.#source.read(at, length);
      throw error;
    }
  }
}

/** The moov, and whether the file calls itself QuickTime. Throws `not-yet` where that cannot be said now. */
export const locateMoov = async (top: TopLevel, allowance: Allowance): Promise<TopBox> => {
  for (let box = await top.next(); box; box = top.shown() ?? (await top.next())) {
    allowance.box();
    if (box.type !== 'moov') continue;
    const size = box.end - box.at;
    if (size > allowance.limits.moovBytes) throw new Mp4Error('limit', `a moov of ${size} bytes`);
    return box;
  }
  throw new Mp4Error('truncated', 'the file ends without a moov');
};

export type MoovSearch =
  /** All of it is there. */
  | { readonly state: 'found'; readonly from: number; readonly to: number }
  /** `from` is where the search cannot go on: these bytes are wanted next. */
  | { readonly state: 'not-yet'; readonly from: number; readonly to: number }
  /** However much arrives, it will not be read as an MP4; the error says why. */
  | { readonly state: 'not-mp4'; readonly error: Mp4Error };

/** Walks over what has landed of a file of known size. */
export const findMoov = async (source: RangeSource, has: Has): Promise<MoovSearch> => {
  const top = new TopLevel(source, has);
  try {
    const { at, end } = await locateMoov(top, new Allowance(movieLimits));
    return { state: has(at, end) ? 'found' : 'not-yet', from: at, to: end };
  } catch (error) {
    if (!(error instanceof Mp4Error)) throw error;
    if (error.code !== 'not-yet') return { state: 'not-mp4', error };
    return { state: 'not-yet', from: top.at, to: Math.min(top.at + headerBytes, source.size) };
  }
};
