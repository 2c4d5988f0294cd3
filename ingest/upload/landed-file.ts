/**
 * `original.landed`: what of an original has landed, written down so that no claim is ever untrue.
 *
 * **A killed process.** A bit is written after the call that wrote its bytes has returned, and is spoken of (to clients,
 * to whoever reads the file) after the call that wrote the bit has returned. What the system has taken survives the process.
 *
 * **A power cut** takes any of what was not on the platter, in any order: bits may be there whose bytes are not. So there
 * are two maps. The second one is written only when `fdatasync` of the original has returned, and brought to the platter
 * itself: what it says is on the platter, whenever the power goes. The head carries the boot id of the system. Where it is
 * the present one, the power was never gone, and the first map counts; where it is another, the second one takes its place
 * before anything else happens. So after a power cut the last seconds are sent again, and nothing has to be read to find out
 * which. (Checksums would save those seconds, and cost reading up to the whole file before anybody can go on.)
 *
 * **A disk that fails** to sync says so once, and may have dropped what it had taken: all that was not on the platter is
 * claimed no more.
 */
import { UploadFault } from './faults.ts';
import type { UploadDisk, UploadFile } from './files.ts';
import { decodeHead, encodeHead, headBytes, sameBoot, type UploadMode } from './landed-head.ts';
import { bitmapBytes, LandedMap } from './landed-map.ts';
import { unit } from './limits.ts';

export type LandedState = {
  readonly mode: UploadMode | null;
  readonly landed: LandedMap;
  /** On the platter. */
  readonly kept: LandedMap;
  /** The power may have been gone: what the file says first is not true any more. */
  readonly stale: boolean;
};

export const landedPath = (path: string): string => `${path}.landed`;

/** Null: nothing has landed that anybody knows of. */
export const readLanded = async (disk: UploadDisk, path: string, size: number, bootId: string | null): Promise<LandedState | null> => {
  const file = await disk.open(landedPath(path), 'read');
  if (!file) return null;
  try {
    const map = bitmapBytes(size);
    const bytes = await file.read(0, headBytes + 2 * map);
    const head = decodeHead(bytes);
    if (!head || head.size !== size || bytes.length < headBytes + 2 * map) return null;
    const stale = !sameBoot(head, bootId);
    const kept = new LandedMap(size, new Uint8Array(bytes.subarray(headBytes + map)), head.keptPrefix);
    const landed = stale ? kept.copy() : new LandedMap(size, new Uint8Array(bytes.subarray(headBytes, headBytes + map)), head.prefix);
    return { mode: head.mode, landed, kept, stale };
  } finally {
    await file.close();
  }
};

type Change = { readonly from: number | null; readonly to: number; readonly done: () => void; readonly failed: (error: unknown) => void };

export class LandedFile {
  readonly #file: UploadFile;
  readonly #bootId: string | null;
  /** What may be spoken of. */
  readonly landed: LandedMap;
  readonly #kept: LandedMap;
  #mode: UploadMode | null;
  /** Claims that are not written down yet. */
  #waiting: Change[] = [];
  #queued = false;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: UploadFile, bootId: string | null, { mode, landed, kept }: LandedState) {
    this.#file = file;
    this.#bootId = bootId;
    this.#mode = mode;
    this.landed = landed;
    this.#kept = kept;
  }

  /** Goes on with what was read, or begins. */
  static async open(disk: UploadDisk, path: string, size: number, bootId: string | null, state: LandedState | null): Promise<LandedFile> {
    const file = await disk.open(landedPath(path), 'write');
    const known = state ?? { mode: null, landed: new LandedMap(size), kept: new LandedMap(size), stale: true };
    const opened = new LandedFile(file, bootId, known);
    try {
      // At its full length from the beginning: where the disk is full later, claims still find their place.
      if (known.stale) await opened.#renew();
    } catch (error) {
      await file.close();
      throw error;
    }
    return opened;
  }

  get mode(): UploadMode | null {
    return this.#mode;
  }
  set mode(mode: UploadMode | null) {
    this.#mode = mode;
  }

  /** Whole units. Resolves when a kill would not undo it. */
  add(from: number, to: number): Promise<void> {
    return this.#claim(from, to);
  }
  /** All bytes up to here. */
  addPrefix(to: number): Promise<void> {
    return this.#claim(null, to);
  }

  /** What had landed then is on the platter now. */
  async keep(then: LandedMap): Promise<void> {
    this.#kept.become(then);
    await this.#next(async () => {
      await this.#file.write(headBytes + this.#map, [Buffer.from(this.#kept.bits)]);
      await this.#writeHead();
      await this.#file.datasync();
    });
  }

  /** What is not on the platter may be lost: nobody claims it any more. */
  async forgetUnkept(): Promise<void> {
    this.landed.become(this.#kept);
    for (const { failed } of this.#waiting.splice(0)) failed(new UploadFault('disk-failed', 'the disk failed'));
    await this.#next(async () => {
      // Once more: claims were being written when it began.
      this.landed.become(this.#kept);
      await this.#renew();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  get #map(): number {
    return bitmapBytes(this.landed.size);
  }

  #claim(from: number | null, to: number): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ from, to, done, failed });
      // One write takes along all that come until it begins.
      if (this.#queued) return;
      this.#queued = true;
      void this.#next(() => this.#writeClaims());
    });
  }

  async #writeClaims(): Promise<void> {
    this.#queued = false;
    const changes = this.#waiting.splice(0);
    let { prefix } = this.landed;
    let [low, high] = [this.#map, 0];
    for (const { from, to } of changes) {
      if (from === null) prefix = Math.max(prefix, to);
      else [low, high] = [Math.min(low, byteOf(from)), Math.max(high, byteOf(to - 1) + 1)];
    }
    try {
      if (low < high) await this.#file.write(headBytes + low, [this.#with(changes, low, high)]);
      await this.#writeHead(prefix);
      for (const { from, to, done } of changes) {
        if (from === null) this.landed.addPrefix(to);
        else this.landed.add(from, to);
        done();
      }
    } catch (error) {
      for (const { failed } of changes) failed(error);
    }
  }

  /** These bytes of the map as they will be. */
  #with(changes: readonly Change[], low: number, high: number): Buffer {
    const bits = Buffer.from(this.landed.bits.subarray(low, high));
    for (const { from, to } of changes) {
      if (from === null) continue;
      for (let at = from / unit; at * unit < to; at += 1) bits[(at >> 3) - low] = (bits[(at >> 3) - low] ?? 0) | (1 << (at & 7));
    }
    return bits;
  }

  #writeHead(prefix = this.landed.prefix): Promise<void> {
    const { size } = this.landed;
    return this.#file.write(0, [encodeHead({ mode: this.#mode, size, prefix, keptPrefix: this.#kept.prefix, boot: this.#bootId })]);
  }

  /** Claims first and the boot id that makes them count last, each on the platter before the next. */
  async #renew(): Promise<void> {
    await this.#file.write(headBytes, [Buffer.from(this.landed.bits), Buffer.from(this.#kept.bits)]);
    await this.#file.datasync();
    await this.#writeHead();
    await this.#file.datasync();
  }

  /** One after the other. */
  #next(work: () => Promise<void>): Promise<void> {
    const turn = this.#writing.then(work);
    this.#writing = turn.catch(() => undefined);
    return turn;
  }
}

const byteOf = (at: number): number => Math.floor(at / unit) >> 3;
