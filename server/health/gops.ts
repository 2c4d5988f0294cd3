/** Groups of pictures by their stamps: how long they are, how evenly they come, and whether decoding can begin at each. */
import { isVcl, nalType, typeOf } from '../../packager/media/h264-nal.ts';
import { hevcNal, hevcTypeOf } from '../../packager/media/hevc-nal.ts';
import type { AccessUnit } from '../../packager/media/unit.ts';
import type { GopFacts } from './facts.ts';

const remembered = 8;
const craType = 21;
/** NAL units in front of a picture's first slice: parameter sets, a delimiter, messages. More is not looked through. */
const mostUnits = 64;

/** The type of the first slice; null: there is none. */
const sliceOf = (data: Buffer, typeAt: (nal: Uint8Array) => number, isSlice: (type: number) => boolean): number | null => {
  for (let at = 0, count = 0; at + 5 <= data.length && count < mostUnits; count += 1) {
    const type = typeAt(data.subarray(at + 4, at + 5));
    if (isSlice(type)) return type;
    at += 4 + data.readUInt32BE(at);
  }
  return null;
};

/** Whether pictures behind a key frame may refer to what was before it. Codecs that are not looked into are not judged. */
const openness: Readonly<Record<string, (data: Buffer) => boolean>> = {
  // ISO 14496-10, 7.4.1.2.4: only an IDR picture lets nothing do that.
  h264: (data) => sliceOf(data, typeOf, isVcl) !== nalType.idr,
  // ISO 23008-2, 3.24: pictures that lead a CRA may refer to what was before it.
  hevc: (data) => sliceOf(data, hevcTypeOf, (type) => type < hevcNal.firstNonVcl) === craType,
};

export class Gops {
  #keyAt: number | null = null;
  #last: number | null = null;
  #min: number | null = null;
  #max: number | null = null;
  #running = 0;
  readonly #recent: number[] = [];
  readonly #open: boolean[] = [];

  /** `at`: its stamp, ms, unrolled. */
  take({ key, data }: AccessUnit, at: number, codec: string): void {
    if (key) {
      if (this.#keyAt !== null) this.#ended(at - this.#keyAt);
      this.#keyAt = at;
      const isOpen = openness[codec]?.(data);
      if (isOpen !== undefined) push(this.#open, isOpen);
    }
    this.#keyAt ??= at;
    this.#running = Math.max(0, at - this.#keyAt);
  }

  /** The stamps have leapt: what runs now has no length. */
  leap(): void {
    this.#keyAt = null;
    this.#running = 0;
  }

  get facts(): GopFacts {
    const recent = this.#recent.length === 0 ? null : { min: Math.min(...this.#recent), max: Math.max(...this.#recent), count: this.#recent.length };
    return { last: this.#last, min: this.#min, max: this.#max, recent, running: this.#running };
  }

  get openKeys(): number | null {
    return this.#open.length === 0 ? null : this.#open.filter(Boolean).length;
  }

  #ended(length: number): void {
    if (length <= 0) return;
    this.#last = length;
    this.#min = Math.min(this.#min ?? length, length);
    this.#max = Math.max(this.#max ?? length, length);
    push(this.#recent, length);
  }
}

const push = <T>(list: T[], value: T): void => {
  list.push(value);
  if (list.length > remembered) list.shift();
};
