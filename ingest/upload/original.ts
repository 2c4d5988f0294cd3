/**
 * An original while it arrives: the file, at its full size from the beginning and empty where nothing has landed
 * (`data/videos/<id>/original`), and beside it what has (`landed-file.ts`). Bytes are written first and claimed then. Nothing
 * is made before there is something to write. There is one of these for each upload, whoever writes (`originals.ts`).
 */
import { dirname } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import type { Landed } from './desk.ts';
import { diskFault, UploadFault } from './faults.ts';
import type { UploadDisk, UploadFile } from './files.ts';
import { LandedFile, type LandedState } from './landed-file.ts';
import type { UploadMode } from './landed-head.ts';
import { LandedMap, type Range } from './landed-map.ts';
import type { UploadLimits } from './limits.ts';
import { Slots } from './slots.ts';
import { Writers, type Seat, type Writer } from './writers.ts';

export type OriginalParts = {
  readonly disk: UploadDisk;
  readonly clock: Clock;
  readonly limits: UploadLimits;
  readonly bootId: string | null;
  /** Shared with all other originals. */
  readonly writes: Slots;
  readonly syncs: Slots;
  readonly path: string;
  readonly size: number;
  readonly state: LandedState | null;
  readonly changed: (landed: Landed) => void;
  /** Something failed that nobody asked for. */
  readonly failed: (error: unknown) => void;
};

type Files = { readonly data: UploadFile; readonly landed: LandedFile };

export class Original {
  readonly #p: OriginalParts;
  readonly writers: Writers;
  /** Two writes to one file would only wait for each other, in threads that others need. */
  readonly #turn = new Slots(1);
  readonly #before: LandedMap;
  #mode: UploadMode | null;
  #files: Promise<Files> | null = null;
  #landed: LandedFile | null = null;
  #unsynced = 0;
  #cancelSync: (() => void) | null = null;
  #syncing: Promise<void> | null = null;
  #finishing: Promise<void> | null = null;
  /** How often the disk may have dropped what it had taken. */
  #lost = 0;
  #closed = false;

  constructor(parts: OriginalParts) {
    this.#p = parts;
    this.writers = new Writers(parts.clock, parts.limits);
    this.#before = parts.state?.landed ?? new LandedMap(parts.size);
    this.#mode = parts.state?.mode ?? null;
    this.#unsynced = parts.state ? this.#before.bytes - parts.state.kept.bytes : 0;
  }

  get size(): number {
    return this.#p.size;
  }
  /** What may be spoken of: it is there after a kill, too. */
  get landed(): LandedMap {
    return this.#landed?.landed ?? this.#before;
  }
  /** By which of the two ways it comes; null: nobody has written yet. */
  get mode(): UploadMode | null {
    return this.landed.bytes > 0 || this.writers.count > 0 ? this.#mode : null;
  }

  /** For whoever may write these bytes now; false: it comes by the other way. The first one decides. */
  begin(mode: UploadMode): boolean {
    if (this.landed.bytes > 0 && this.#mode !== mode) return false;
    if (this.writers.count > 1 && this.#mode !== null && this.#mode !== mode) return false;
    this.#mode = mode;
    return true;
  }

  enter(from: number, to: number, writer: Writer): Promise<Seat | null> {
    return this.writers.enter(from, to, writer);
  }

  /** Claims nothing. What has landed is not to be written again: somebody may be reading it. */
  async write(at: number, data: readonly Buffer[]): Promise<void> {
    try {
      const { data: file } = await this.#open();
      await this.#turn.run(() => (this.#closed ? Promise.reject(over()) : this.#p.writes.run(() => file.write(at, data))));
    } catch (error) {
      throw diskFault(error);
    }
  }

  /** These bytes are in the file: whole units. */
  land(from: number, to: number): Promise<void> {
    return this.#claim(to - from, (file) => file.add(from, to));
  }

  /** All bytes up to here are in the file. */
  landTo(to: number): Promise<void> {
    return this.#claim(to - this.landed.prefix, (file) => file.addPrefix(to));
  }

  missing(most = this.#p.limits.ranges): Range[] {
    return this.landed.missing(most);
  }

  /** Brings all of it to the platter. */
  finish(): Promise<void> {
    this.#finishing ??= this.#finish().finally(() => (this.#finishing = null));
    return this.#finishing;
  }

  async #finish(): Promise<void> {
    if (!this.landed.whole) throw new Error('bytes are missing');
    // An upload of nothing at all has no file yet.
    await this.#open();
    // The sync that is under way may have begun before the last bytes came.
    await this.#syncing;
    await this.#sync();
    await this.#p.disk.syncFolder(dirname(this.#p.path)).catch((error: unknown) => {
      throw diskFault(error);
    });
  }

  /** Nobody writes any more, and the files are closed. What has landed stays. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.writers.close();
    await this.#finishing?.catch(() => undefined);
    await this.#turn.run(async () => undefined);
    await this.#sync().catch(this.#p.failed);
    const files = await this.#files?.catch(() => null);
    if (!files) return;
    await files.landed.close();
    await files.data.close();
  }

  async #claim(bytes: number, claim: (file: LandedFile) => Promise<void>): Promise<void> {
    const lost = this.#lost;
    const { landed } = await this.#open();
    try {
      if (lost !== this.#lost) throw new UploadFault('disk-failed', 'the disk failed');
      landed.mode = this.#mode;
      await claim(landed);
    } catch (error) {
      throw diskFault(error);
    }
    this.#unsynced += Math.max(0, bytes);
    this.#syncInTime();
    this.#p.changed(this.landed);
  }

  /**
   * When much has come since the last time, or more than is still to come: so whoever waits for the last sync waits for
   * little, and where many gigabytes come there are few more of them.
   */
  #syncInTime(): void {
    const { limits, clock } = this.#p;
    const left = this.size - this.landed.bytes;
    if (this.#unsynced >= Math.min(limits.syncBytes, Math.max(limits.leastSyncBytes, left))) this.#syncSoon();
    else if (this.#unsynced > 0) this.#cancelSync ??= clock.after(limits.syncMs, () => this.#syncSoon());
  }

  #syncSoon(): void {
    this.#cancelSync?.();
    this.#cancelSync = null;
    // What comes during a sync may be much again, and nothing may come after it for a while: when it ends this is looked at anew.
    if (this.#syncing) return;
    void this.#sync().then(() => this.#closed || this.#syncInTime(), this.#p.failed);
  }

  #sync(): Promise<void> {
    this.#syncing ??= this.#p.syncs.run(() => this.#syncNow()).finally(() => (this.#syncing = null));
    return this.#syncing;
  }

  async #syncNow(): Promise<void> {
    this.#cancelSync?.();
    this.#cancelSync = null;
    if (this.#unsynced === 0 || !this.#files) return;
    const { data, landed } = await this.#files;
    const then = landed.landed.copy();
    this.#unsynced = 0;
    try {
      await data.datasync();
    } catch (error) {
      this.#lost += 1;
      this.writers.stopAll('disk-failed');
      await landed.forgetUnkept();
      this.#p.changed(landed.landed);
      throw diskFault(error);
    }
    await landed.keep(then);
  }

  #open(): Promise<Files> {
    if (this.#closed) return Promise.reject(over());
    this.#files ??= this.#make().catch((error: unknown) => {
      this.#files = null;
      throw diskFault(error);
    });
    return this.#files;
  }

  async #make(): Promise<Files> {
    const { disk, path, size, bootId, state } = this.#p;
    const opened: { close(): Promise<void> }[] = [];
    try {
      const data = await disk.open(path, 'write');
      opened.push(data);
      await data.truncate(size);
      const landed = await LandedFile.open(disk, path, size, bootId, state);
      opened.push(landed);
      await disk.syncFolder(dirname(path));
      this.#landed = landed;
      return { data, landed };
    } catch (error) {
      for (const file of opened) await file.close();
      throw error;
    }
  }
}

const over = (): UploadFault => new UploadFault('over', 'this upload is over');
