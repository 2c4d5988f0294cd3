/**
 * The desk of uploads: promises room for a file, says who may write it, hears what has landed, and hands it over when it
 * is whole. What is open is in memory, with what has landed of it; the catalog knows what was promised, and when it was
 * whole. The files are the edge's business.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Landed, OpenUpload, Refusal, UploadDesk, UploadVerdict } from '../../ingest/upload/desk.ts';
import type { Clock } from '../../packager/clock.ts';
import { mayTakeMore, type DiskLevel, type Watermarks } from '../../packager/log/watermarks.ts';
import type { Received, UploadAddress, UploadOutcome } from '../api/hooks.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { UploadRow } from '../catalog/uploads.ts';
import type { NewUpload } from '../catalog/videos.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import type { Arriving, Intake } from '../intake/types.ts';
import type { ServerLog } from '../log.ts';
import { Finishing } from './finishing.ts';
import { importLitter } from './import-file.ts';
import type { ToImport } from './imports.ts';
import { Taking } from './taking.ts';
import { refusals } from './refusals.ts';
import { readUploadToken, writeUploadToken } from './upload-token.ts';

export type UploadsOptions = {
  readonly catalog: Pick<Catalog, 'uploads' | 'videos' | 'vault'>;
  readonly events: Pick<EventDispatcher, 'subscribe'>;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly intake: Intake;
  /** `<data>/videos` */
  readonly folder: string;
  readonly disk: { readonly level: DiskLevel; readonly space: { readonly free: number; readonly total: number }; look(): Promise<void> };
  readonly marks: Pick<Watermarks, 'refuse'>;
  readonly expireMs: number;
  /** Bytes that an account may keep where nothing else was said of it; 0: as many as it likes. */
  readonly usualQuota: number;
  readonly files: UploadFiles;
  /** A file that is to be fetched. */
  readonly fetch: (wanted: ToImport) => void;
  /** Somebody may want to know how far this video is. */
  readonly changed: (video: string) => void;
};

/** The files as the edge keeps them. */
export interface UploadFiles {
  /** What an earlier run of the server left of it; null: nothing. */
  landed(path: string, size: number): Promise<Landed | null>;
  /** Nobody writes to it any more when this resolves. */
  release(video: string): Promise<void>;
  /** All of it has come: brings it to the platter, and calls `whole`. */
  finish(upload: OpenUpload): Promise<void>;
}

/** Bytes of a part: what proxies let through, and few enough requests. */
export const partSize = 8 * 2 ** 20;
export const mostOpenOfAccount = 1_000;
const mostKept = 10_000;
const lookedAtOnce = 8;
const longestSaveMs = 3_600_000;
const longestSweepMs = 10 * 60_000;

type Open = {
  readonly row: UploadRow;
  readonly path: string;
  /** 0: nobody knows yet. */
  size: number;
  received: number;
  expiresAt: number;
  /** As the catalog has it: it is told now and then. */
  savedExpiry: number;
};

export class Uploads implements UploadDesk {
  readonly #o: UploadsOptions;
  readonly #open = new Map<string, Open>();
  /** Those whose bytes are all there, as far as anybody asked: oldest use first. */
  readonly #whole = new Map<string, number>();
  readonly #taking: Taking;
  readonly #finishing: Finishing;
  /** Bytes of uploads that are being promised at this moment. */
  #promising = 0;
  #received = 0;
  #cancelSweep: () => void = () => undefined;
  #stopped = false;

  constructor(options: UploadsOptions) {
    this.#o = options;
    this.#taking = new Taking({ ...options, tidy: (id) => this.#tidy(id) });
    const { events, log, files } = options;
    this.#finishing = new Finishing({ log, finish: (upload) => files.finish(upload), isOpen: (id) => this.#open.has(id) });
    events.subscribe('video.updated', ({ videoId, changed }) => (changed.includes('state') ? this.#judged(videoId) : undefined));
  }

  /** Open uploads, and bytes received since the start. */
  get figures(): { readonly open: number; readonly received: number } {
    return { open: this.#open.size, received: this.#received };
  }

  async create(upload: NewUpload, url: string | null = null): Promise<UploadOutcome> {
    const { catalog, clock, expireMs, usualQuota } = this.#o;
    await this.#o.disk.look();
    // Nothing may come between the two: what is promised counts from the moment that it was found to fit.
    if (!this.#fits(null, upload.size)) return { kind: 'disk-full' };
    this.#promising += upload.size;
    try {
      const expiresAt = clock.wall() + expireMs;
      const outcome = await catalog.uploads.create(upload, { partSize, url, expiresAt, usualQuota, mostOpen: mostOpenOfAccount });
      const row = outcome.kind === 'made' ? await catalog.uploads.get(outcome.video.id) : null;
      if (row) await this.#begin(row);
      return outcome;
    } finally {
      this.#promising -= upload.size;
    }
  }

  /** Signs anew; asking for it is a sign of life. Null: nobody has to send anything. */
  async address(videoId: string): Promise<UploadAddress | null> {
    const open = this.#open.get(videoId);
    if (!open || open.row.url !== null) return null;
    this.#prolong(open);
    const expiresAt = Math.floor(open.expiresAt / 1000) * 1000;
    const token = writeUploadToken(this.#o.catalog.vault, { video: videoId, expiresAt });
    const { partSize, fingerprint } = open.row;
    return { token, partSize, received: open.received, size: open.size, expiresAt, fingerprint };
  }

  received(videoId: string): Received | null {
    const open = this.#open.get(videoId);
    return open ? { received: open.received, size: open.size, expiresAt: open.expiresAt, fingerprint: open.row.fingerprint } : null;
  }

  async verdict(text: string): Promise<UploadVerdict> {
    const { catalog, clock } = this.#o;
    const token = readUploadToken(catalog.vault, text);
    if (!token) return refused(refusals.unknown);
    if (token.expiresAt <= clock.wall()) return refused(refusals.expired);
    const { video: id, expiresAt } = token;
    const open = this.#open.get(id);
    if (open && open.row.url === null) return { kind: 'open', upload: openUpload(open, expiresAt) };
    const size = this.#whole.get(id);
    if (size !== undefined) return { kind: 'whole', id, size, expiresAt };
    const row = await catalog.uploads.get(id);
    if (row?.wholeAt != null) {
      this.#remember(id, row.size);
      return { kind: 'whole', id, size: row.size, expiresAt };
    }
    return refused(row?.state === 'failed' ? refusals.failed(row.errorCode, row.errorMessage) : refusals.gone);
  }

  room(bytes: number): Refusal | null {
    const { disk, marks } = this.#o;
    const { free, total } = disk.space;
    const full = !mayTakeMore(disk.level) || (total > 0 && total - free + bytes > marks.refuse * total);
    return full ? refusals.diskFull : null;
  }

  landed(id: string, landed: Landed): void {
    const open = this.#open.get(id);
    if (!open) return;
    if (landed.bytes > open.received) {
      this.#received += landed.bytes - open.received;
      this.#prolong(open);
    }
    this.#arrived(open, landed);
    this.#o.changed(id);
  }

  /** What is fetched turns out to have so many bytes. */
  async sized(id: string, size: number): Promise<'quota' | 'disk' | null> {
    const open = this.#open.get(id);
    const lacking = await this.#promise(id, size, size - (open?.received ?? 0));
    if (open && lacking === null) open.size = size;
    return lacking;
  }

  grows(id: string, bytes: number): Promise<'quota' | 'disk' | null> {
    return this.#promise(id, bytes, bytes - (this.#open.get(id)?.received ?? 0));
  }

  async whole(id: string): Promise<void> {
    const open = this.#open.get(id);
    if (!(await this.#o.catalog.uploads.whole(id))) return;
    if (open) this.#remember(id, open.size);
    this.#open.delete(id);
    this.#o.changed(id);
    this.#taking.take(id);
  }

  async cancelled(id: string): Promise<void> {
    if (await this.#o.catalog.videos.remove(id)) this.#open.delete(id);
  }

  /** The video is gone: nobody writes to its file any more when this resolves. */
  async letGo(id: string): Promise<void> {
    this.#open.delete(id);
    this.#whole.delete(id);
    this.#o.intake.dropped(id);
    await this.#o.files.release(id);
  }

  /** What an earlier run left: goes on where it was. */
  async start(): Promise<void> {
    const { catalog } = this.#o;
    const rows = await catalog.uploads.open();
    // Each is a few calls to the disk, and the server is not ready before.
    for (let at = 0; at < rows.length; at += lookedAtOnce) await Promise.all(rows.slice(at, at + lookedAtOnce).map((row) => this.#begin(row)));
    for (const id of await catalog.uploads.untaken()) this.#taking.take(id);
    this.#sweep();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelSweep();
    await this.#finishing.stop();
    await this.#taking.stop();
  }

  async #begin(row: UploadRow): Promise<void> {
    const { folder, files, log } = this.#o;
    const path = join(folder, row.videoId, 'original');
    const open: Open = { row, path, size: row.url === null ? row.size : 0, received: 0, expiresAt: row.expiresAt, savedExpiry: row.expiresAt };
    this.#open.set(row.videoId, open);
    try {
      await mkdir(join(folder, row.videoId), { recursive: true });
      if (row.url !== null) return this.#o.fetch({ id: row.videoId, ownerId: row.ownerId, url: row.url, path });
      const landed = await files.landed(path, row.size);
      if (landed && landed.bytes > 0) this.#arrived(open, landed);
      this.#finishWhole(open);
    } catch (error) {
      // One that cannot be looked at keeps no other from going on; whoever sends it hears of it.
      log.error({ video: row.videoId, err: error }, 'What there is of an upload cannot be read.');
    }
  }

  #arrived(open: Open, landed: Landed): void {
    open.received = landed.bytes;
    // What has no end yet has no index that could be found.
    if (open.size === 0) return;
    const arriving: Arriving = { path: open.path, size: open.size, bytes: landed.bytes, has: (from, to) => landed.has(from, to) };
    this.#o.intake.arrived(open.row.videoId, arriving);
  }

  /** True: all of it is there, and it becomes whole. */
  #finishWhole(open: Open): boolean {
    if (open.row.url !== null || open.received < open.size) return false;
    this.#finishing.take(openUpload(open, open.expiresAt));
    return true;
  }

  /** `more`: bytes of it that are not on the disk yet. */
  async #promise(id: string, bytes: number, more: number): Promise<'quota' | 'disk' | null> {
    const { catalog, disk, usualQuota } = this.#o;
    await disk.look();
    if (!this.#fits(id, Math.max(0, more))) return 'disk';
    return (await catalog.uploads.promise(id, bytes, usualQuota)) ? null : 'quota';
  }

  /** Beside all others: what was promised to this one before is not wanted twice. */
  #fits(id: string | null, size: number): boolean {
    let promised = this.#promising;
    for (const [other, { size: whole, received }] of this.#open) if (other !== id) promised += Math.max(0, whole - received);
    return this.room(promised + size) === null;
  }

  /** It waits for its bytes as long again, from now on. */
  #prolong(open: Open): void {
    const { clock, expireMs, catalog, log } = this.#o;
    open.expiresAt = clock.wall() + expireMs;
    if (open.expiresAt - open.savedExpiry < Math.min(longestSaveMs, expireMs / 8)) return;
    open.savedExpiry = open.expiresAt;
    catalog.uploads.waitUntil(open.row.videoId, open.expiresAt).catch((error: unknown) => log.warn({ err: error }, 'Until when an upload waits could not be remembered.'));
  }

  /** What was written down of how a file came. */
  async #tidy(id: string): Promise<void> {
    const path = join(this.#o.folder, id, 'original');
    for (const note of [`${path}.landed`, ...importLitter(path)]) await rm(note, { force: true });
  }

  #remember(id: string, size: number): void {
    this.#whole.set(id, size);
    const [oldest] = this.#whole.size > mostKept ? this.#whole.keys() : [];
    if (oldest !== undefined) this.#whole.delete(oldest);
  }

  /**
   * What came of it so far is enough to know that nothing will become of it: no more is taken, and nothing of it kept. Asks
   * the catalog, since a kill may come in between: the event is heard again then, and nothing of this is open any more.
   */
  async #judged(id: string): Promise<void> {
    const { catalog, files, folder } = this.#o;
    const row = await catalog.uploads.get(id);
    if (row?.state !== 'failed' || (row.wholeAt !== null && !this.#open.has(id))) return;
    if (this.#open.delete(id)) this.#o.changed(id);
    await files.release(id);
    this.#o.intake.dropped(id);
    const path = join(folder, id, 'original');
    await rm(path, { force: true });
    await this.#tidy(id);
    // Which is a change of its own: said once.
    if (row.size > 0) await catalog.videos.become(id, ['failed'], { state: 'failed', originalBytes: 0 });
  }

  /** Nothing came for too long. */
  #sweep(): void {
    const { clock, expireMs, log, catalog } = this.#o;
    const remove = async (): Promise<void> => {
      for (const [id, open] of this.#open) {
        const { row, expiresAt, received } = open;
        // What is fetched ends by itself, when its turn has come.
        if (this.#finishWhole(open) || expiresAt > clock.wall() || row.url !== null) continue;
        if (await catalog.videos.remove(id)) log.info({ video: id, received }, 'Nothing more came of an upload: it is given up and removed.');
        this.#open.delete(id);
      }
    };
    const again = (): void => {
      if (!this.#stopped) this.#cancelSweep = clock.after(Math.min(longestSweepMs, Math.max(1_000, expireMs / 4)), () => this.#sweep());
    };
    remove().then(again, (error: unknown) => {
      log.error({ err: error }, 'Uploads that are given up could not be removed.');
      again();
    });
  }
}

const refused = (refusal: Refusal): UploadVerdict => ({ kind: 'refused', refusal });

const openUpload = ({ row, path, size }: Open, expiresAt: number): OpenUpload => ({ id: row.videoId, size, partSize: row.partSize, expiresAt, path });
