/**
 * Uploads without their protocol: a catalog, everything that plays, and files that arrive piece by piece, in the process
 * of the test. What players are told and given comes over HTTP, as from a server.
 */
import { mkdir, mkdtemp, open, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../packager/clock.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { createGatekeeper } from '../../server/auth/gatekeeper.ts';
import { openCatalog, type Catalog } from '../../server/catalog/catalog.ts';
import { planOf, quiet, someAccount, uploadOf } from '../../server/catalog/testing.ts';
import type { Protection, VideoState } from '../../server/catalog/schema.ts';
import { fakeKeys, reachedHere } from '../../server/delivery/fake-presentation.ts';
import { createDelivery } from '../../server/delivery/handler.ts';
import { EventDispatcher } from '../../server/events/dispatcher.ts';
import { Arrivals } from '../../server/intake/arrivals.ts';
import { nothingBehind } from '../../server/intake/testing.ts';
import { Live } from '../../server/live/live.ts';
import { createLog } from '../../server/log.ts';

type Test = { teardown(run: () => unknown): void };

/** What of a file is there: ranges, rising and apart. */
class Pieces {
  #ranges: (readonly [from: number, to: number])[] = [];

  add(from: number, to: number): void {
    const apart = this.#ranges.filter(([a, b]) => b < from || a > to);
    const joined = this.#ranges.filter(([a, b]) => b >= from && a <= to);
    this.#ranges = [...apart, [Math.min(from, ...joined.map(([a]) => a)), Math.max(to, ...joined.map(([, b]) => b))] as const].sort((a, b) => a[0] - b[0]);
  }
  clear(): void {
    this.#ranges = [];
  }
  get bytes(): number {
    return this.#ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  }
  readonly has = (from: number, to: number): boolean => from >= to || this.#ranges.some(([a, b]) => a <= from && to <= b);
}

export class UploadStage {
  readonly folder: string;
  readonly catalog: Catalog;
  readonly live: Live;
  readonly arrivals: Arrivals;
  readonly origin: string;
  /** What should not have happened. */
  readonly errors: unknown[];
  readonly #owner: string;
  readonly #stops: (() => unknown)[];
  readonly #files: FileHandle[] = [];

  private constructor(parts: Pick<UploadStage, 'folder' | 'catalog' | 'live' | 'arrivals' | 'origin' | 'errors'>, owner: string, stops: (() => unknown)[]) {
    ({ folder: this.folder, catalog: this.catalog, live: this.live, arrivals: this.arrivals, origin: this.origin, errors: this.errors } = parts);
    this.#owner = owner;
    this.#stops = stops;
  }

  /** `folder`: what an earlier one left. */
  static async open(t: Test, folder?: string): Promise<UploadStage> {
    const data = folder ?? (await mkdtemp(path.join(tmpdir(), 'millrace-stage-')));
    if (folder === undefined) t.teardown(() => rm(data, { recursive: true, force: true }));
    const clock = systemClock;
    const errors: unknown[] = [];
    const log = createLog('error', { write: (line) => void errors.push(line) });
    const catalog = await openCatalog({ folder: data, clock, log: quiet });
    const events = new EventDispatcher({ outbox: catalog.outbox, clock, log });
    const videos = path.join(data, 'videos');
    const live = new Live({
      ...{ catalog, events, clock, log, disk: nodeDisk, folder: videos, reconnectWindow: 1_000, takeoverSilence: 1_000, newVideoAfter: 86_400_000 },
      ...{ keepMs: 0, syncEveryMs: 0, stallMs: 1_000, marks: { warn: 1, refuse: 1, stop: 1, hysteresis: 0 }, letGo: async () => undefined, changed: () => undefined, publishHook: null, ladders: { wish: () => undefined, soundBitRate: () => null, open: () => null, of: () => null, forget: () => undefined }, sounds: { wish: () => () => null, open: () => null, of: () => 'none', forget: () => undefined } },
    });
    await live.start();
    events.start();
    const arrivals = new Arrivals({ clock, log, disk: nodeDisk, folder: videos, videos: catalog.videos, presentations: live.presentations, behind: nothingBehind });
    const gatekeeper = createGatekeeper(catalog.videos, events);
    const delivery = createDelivery({ presentations: live.presentations, gatekeeper, keys: fakeKeys, reachedAt: reachedHere, clock, cacheBytes: 64 << 20, onError: (error) => errors.push(error) });
    // As the server does: otherwise a connection is closed at the moment at which somebody asks again over it.
    const http = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
      if (!delivery.handle(request, response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const stops = [
      () => http.closeAllConnections(),
      () => new Promise((resolve) => http.close(resolve)),
      () => arrivals.close(),
      () => live.stop(),
      () => events.stop(),
      () => catalog.close(),
    ];
    const stage = new UploadStage({ folder: data, catalog, live, arrivals, origin, errors }, await someAccount(catalog), stops);
    t.teardown(async () => {
      await stage.stop();
      for (const file of stage.#files) await file.close();
    });
    return stage;
  }

  /** As a server that stops: what it leaves can be opened again. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) await stop();
  }

  /** A video of which nothing has come yet. */
  async upload(file: string, protection: Protection = 'none'): Promise<StagedUpload> {
    const bytes = await readFile(file);
    const made = await this.catalog.uploads.create(uploadOf(this.#owner, { size: bytes.length, visibility: 'public', protection }), planOf());
    if (made.kind !== 'made') throw new Error(made.kind);
    const folder = path.join(this.folder, 'videos', made.video.id);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'original.landed'), '');
    const original = await open(path.join(folder, 'original'), 'w+');
    // It may be written to after this stage has stopped, as if the server had been started again.
    this.#files.push(original);
    return new StagedUpload(this, made.video.id, bytes, original);
  }

  /** All of it at once, and opened anew by whoever plays it, as long after its arrival; its id. */
  async ready(file: string): Promise<string> {
    const upload = await this.upload(file);
    const outcome = await upload.finish();
    if (outcome !== 'taken') throw new Error(`${file} is not standard`);
    this.live.presentations.forget(upload.id);
    return upload.id;
  }

  url(video: string, below = 'master.m3u8'): string {
    return `${this.origin}/play/-/${video}/${below}`;
  }

  async text(video: string, below: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(this.url(video, below));
    return { status: response.status, text: await response.text() };
  }
}

export class StagedUpload {
  readonly id: string;
  readonly bytes: Buffer;
  readonly path: string;
  readonly #stage: UploadStage;
  readonly #file: FileHandle;
  readonly #pieces = new Pieces();

  constructor(stage: UploadStage, id: string, bytes: Buffer, file: FileHandle) {
    this.#stage = stage;
    this.id = id;
    this.bytes = bytes;
    this.#file = file;
    this.path = path.join(stage.folder, 'videos', id, 'original');
  }

  /** These bytes land. */
  async land(from: number, to: number): Promise<void> {
    const end = Math.min(to, this.bytes.length);
    await this.#file.write(this.bytes, from, end - from, from);
    this.#pieces.add(from, end);
    this.tell();
  }

  /** The disk has lost all of it. */
  lose(): void {
    this.#pieces.clear();
    this.tell();
  }

  /** Said again, as after a restart. */
  tell(stage = this.#stage): void {
    stage.arrivals.arrived(this.id, { path: this.path, size: this.bytes.length, bytes: this.#pieces.bytes, has: this.#pieces.has });
  }

  /** What is missing lands, and it is whole. */
  async finish(stage = this.#stage): Promise<'taken' | 'not-standard'> {
    if (!this.#pieces.has(0, this.bytes.length)) {
      await this.#file.write(this.bytes, 0, this.bytes.length, 0);
      this.#pieces.add(0, this.bytes.length);
    }
    await this.#file.close();
    await rm(`${this.path}.landed`);
    await stage.catalog.uploads.whole(this.id);
    return stage.arrivals.whole(this.id);
  }

  async state(): Promise<VideoState | null> {
    return (await this.#stage.catalog.videos.get(this.id))?.state ?? null;
  }
}
