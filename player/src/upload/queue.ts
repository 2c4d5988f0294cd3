/** Many files, two at a time. */
import type { UploadMetadata } from '../api/endpoints.ts';
import { isSettled, isWatchable } from '../api/follow-video.ts';
import type { VideoNow } from '../api/follow-video.ts';
import { ApiProblem } from '../api/problem.ts';
import { Stopped } from '../lib/interruptible.ts';
import { metadataOf, unfinishedVideos } from './begin.ts';
import type { Begun } from './begin.ts';
import { browserTools } from './browser.ts';
import { knownFailure, UploadFailure } from './failure.ts';
import { insist } from './ground.ts';
import type { Ground, UploadTools } from './ground.ts';
import { UploadLine } from './line.ts';
import { Speed } from './speed.ts';
import { totalsOf } from './totals.ts';
import type { Unfinished, UploadItem, UploadQueue, UploadState, UploadTotals } from './types.ts';
import { Uploader } from './uploader.ts';
import type { Phase } from './uploader.ts';

const atOnce = 2;
/** Figures are told so often while bytes move. */
const tickMs = 500;

type Stage = Exclude<UploadState['is'], Phase | 'failed'> | 'active' | UploadFailure;

type Entry = {
  readonly key: string;
  readonly file: File;
  readonly uploader: Uploader;
  readonly speed: Speed;
  /** The fingerprint under which it is the only one here. */
  claimed: string | null;
  stage: Stage;
  phase: Phase;
  metadata: UploadMetadata;
  /** What was said of it since the server was told last. */
  edited: UploadMetadata;
  now: VideoNow | null;
  controller: AbortController | null;
  /** Settles when what was started last has come to rest. */
  rest: Promise<void>;
  /** The server is being told that it is not wanted. */
  leaving: boolean;
  stopFollowing: () => void;
  shown: UploadItem | null;
};

export class Queue implements UploadQueue {
  readonly #ground: Ground;
  readonly #listeners = new Set<() => void>();
  readonly #never = new AbortController();
  readonly #stopNetwork: () => void;
  #entries: Entry[] = [];
  #items: readonly UploadItem[] = [];
  #count = 0;
  #ticking = false;
  #destroyed = false;

  constructor(tools: UploadTools) {
    this.#ground = { ...tools, line: new UploadLine(tools, () => this.#tell()) };
    this.#stopNetwork = tools.onNetwork(() => {
      if (tools.online()) this.#ground.line.retryNow();
      this.#tell();
    });
  }

  items(): readonly UploadItem[] {
    return this.#items;
  }
  totals(): UploadTotals {
    return totalsOf(this.#items);
  }
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
  busy(): boolean {
    return this.#entries.some(({ stage }) => stage === 'waiting' || stage === 'active');
  }

  add(files: Iterable<File>, metadata: UploadMetadata = {}): readonly string[] {
    const added = [...files].map((file) => this.#entry(file, metadata));
    this.#entries.push(...added);
    this.#pump();
    return added.map(({ key }) => key);
  }
  async change(key: string, metadata: UploadMetadata): Promise<void> {
    const entry = this.#find(key);
    if (!entry) return;
    const { video } = entry.uploader;
    if (video === null) {
      entry.metadata = { ...entry.metadata, ...metadata };
      entry.edited = { ...entry.edited, ...metadata };
    } else entry.metadata = metadataOf(await this.#ground.api.changeVideo(video, metadata));
    this.#tell();
  }
  pause(key: string): void {
    const entry = this.#find(key);
    if (entry && (entry.stage === 'waiting' || entry.stage === 'active')) this.#stop(entry, 'paused');
  }
  resume(key: string): void {
    const entry = this.#find(key);
    if (!entry || entry.leaving) return;
    const { stage } = entry;
    if (stage !== 'paused' && !(stage instanceof UploadFailure && stage.again)) return;
    entry.stage = 'waiting';
    this.#pump();
  }
  async cancel(key: string): Promise<void> {
    const entry = this.#find(key);
    if (!entry || entry.leaving || entry.stage === 'cancelled' || entry.stage === 'done') return;
    this.#stop(entry, 'paused');
    entry.leaving = true;
    try {
      await entry.rest;
      const { video } = entry.uploader;
      if (video !== null) await this.#remove(video);
      if (entry.claimed !== null) this.#ground.memory.forget(entry.claimed);
      entry.stopFollowing();
      entry.stage = 'cancelled';
    } finally {
      entry.leaving = false;
      this.#tell();
    }
  }
  forget(key: string): void {
    const entry = this.#find(key);
    if (!entry) return;
    this.#stop(entry, 'paused');
    entry.stopFollowing();
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#tell();
  }
  async unfinished(): Promise<readonly Unfinished[]> {
    const here = new Set(this.#entries.map(({ uploader }) => uploader.video));
    const videos = await unfinishedVideos(this.#ground, this.#never.signal);
    return videos
      .filter(({ id }) => !here.has(id))
      .map(({ id, title, filename, upload: { size, received, expiresAt } }) => {
        const until = expiresAt === undefined ? null : new Date(expiresAt).getTime();
        return { video: id, title, filename: filename ?? title, size, received, expiresAt: until };
      });
  }
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#listeners.clear();
    this.#never.abort();
    this.#stopNetwork();
    for (const entry of this.#entries) {
      entry.controller?.abort();
      entry.stopFollowing();
    }
    this.#ground.reader.close();
  }

  #find(key: string): Entry | undefined {
    return this.#entries.find((entry) => entry.key === key);
  }
  #entry(file: File, metadata: UploadMetadata): Entry {
    const entry: Entry = {
      key: `u${this.#count++}`,
      file,
      uploader: new Uploader(file, this.#ground, {
        phase: (phase) => {
          entry.phase = phase;
          if (phase === 'sending') entry.speed.begin(this.#ground.clock.now());
          this.#tell();
        },
        moved: (bytes) => entry.speed.add(bytes, this.#ground.clock.now()),
        claim: (fingerprint) => this.#claim(entry, fingerprint),
        metadata: () => {
          entry.edited = {};
          return entry.metadata;
        },
        known: (begun, signal) => this.#known(entry, begun, signal),
      }),
      speed: new Speed(),
      claimed: null,
      stage: 'waiting',
      phase: 'preparing',
      metadata,
      edited: {},
      now: null,
      controller: null,
      rest: Promise.resolve(),
      leaving: false,
      stopFollowing: () => {},
      shown: null,
    };
    return entry;
  }
  /** One at a time sends a file, whatever it is called. */
  #claim(entry: Entry, fingerprint: string): boolean {
    const over: readonly unknown[] = ['done', 'cancelled'] satisfies Stage[];
    if (this.#entries.some(({ claimed, stage }) => claimed === fingerprint && !over.includes(stage))) return false;
    entry.claimed = fingerprint;
    return true;
  }
  async #known(entry: Entry, { video, metadata, addresses }: Begun, signal: AbortSignal): Promise<void> {
    entry.metadata = { ...metadata, ...entry.edited };
    if (addresses || !entry.now) this.#follow(entry, video);
    this.#tell();
    if (Object.keys(entry.edited).length === 0) return;
    const { edited } = entry;
    entry.edited = {};
    try {
      entry.metadata = metadataOf(await insist(this.#ground, signal, () => this.#ground.api.changeVideo(video, edited)));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      entry.metadata = metadata; // it is not to be called so; its bytes go on
    }
  }
  #follow(entry: Entry, video: string): void {
    entry.stopFollowing();
    entry.stopFollowing = this.#ground.follow(video, (now) => {
      entry.now = now;
      if (isSettled(now)) entry.stopFollowing();
      this.#tell();
    });
  }
  async #remove(video: string): Promise<void> {
    try {
      await this.#ground.api.deleteVideo(video);
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 404) throw error; // somebody else was faster
    }
  }

  #pump(): void {
    for (const entry of this.#entries) {
      const active = this.#entries.filter(({ stage }) => stage === 'active').length;
      if (active >= atOnce || this.#destroyed) break;
      if (entry.stage === 'waiting') this.#start(entry);
    }
    if (!this.busy()) this.#ground.reader.close();
    this.#tell();
  }
  #start(entry: Entry): void {
    const controller = new AbortController();
    entry.stage = 'active';
    entry.phase = 'preparing';
    entry.controller = controller;
    entry.rest = entry.rest.then(() => this.#run(entry, controller.signal));
  }
  async #run(entry: Entry, signal: AbortSignal): Promise<void> {
    const end = (stage: Stage): void => {
      // Paused meanwhile, and perhaps wanted again: then another run is about to begin.
      if (signal.aborted) return;
      entry.stage = stage;
      entry.controller = null;
      this.#pump();
    };
    try {
      if (signal.aborted) return;
      await entry.uploader.run(signal);
      end('done');
    } catch (error) {
      if (error instanceof Stopped) return;
      const failure = knownFailure(error);
      if (!failure) this.#ground.report(error);
      end(failure ?? new UploadFailure('unexpected', String(error), true));
    }
  }
  #stop(entry: Entry, stage: Stage): void {
    entry.controller?.abort();
    entry.controller = null;
    entry.stage = stage;
    this.#pump();
  }

  #tell(): void {
    if (this.#destroyed) return;
    const items = this.#entries.map((entry) => this.#show(entry));
    const same = items.length === this.#items.length && items.every((item, index) => item === this.#items[index]);
    if (!same) {
      this.#items = items;
      for (const listener of this.#listeners) listener();
    }
    this.#tick();
  }
  #tick(): void {
    const moves = this.#entries.some(({ stage, phase }) => stage === 'active' && phase === 'sending');
    if (this.#ticking || !moves) return;
    this.#ticking = true;
    this.#ground.clock.later(tickMs, () => {
      this.#ticking = false;
      this.#tell();
    });
  }
  #show(entry: Entry): UploadItem {
    const { key, file, uploader, metadata, now, shown } = entry;
    const moves = entry.stage === 'active' && entry.phase === 'sending';
    const speed = moves ? entry.speed.at(this.#ground.clock.now()) : null;
    const sent = entry.stage === 'done' ? file.size : uploader.sent;
    const next: UploadItem = {
      key,
      filename: file.name,
      size: file.size,
      state: this.#state(entry),
      video: uploader.video,
      metadata,
      sent,
      resumedFrom: uploader.resumedFrom,
      speed,
      remaining: speed === null ? null : (file.size - sent) / speed,
      plays: now !== null && isWatchable(now),
      now,
    };
    if (shown && sameItem(shown, next)) return shown;
    entry.shown = next;
    return next;
  }
  #state({ stage, phase }: Entry): UploadState {
    if (stage instanceof UploadFailure) return { is: 'failed', reason: stage.reason, detail: stage.detail, again: stage.again };
    if (stage !== 'active') return { is: stage };
    return phase === 'sending' ? { is: phase, line: this.#ground.line.state } : { is: phase };
  }
}

const sameItem = (one: UploadItem, other: UploadItem): boolean => {
  const keys = Object.keys(other) as (keyof UploadItem)[];
  return keys.every((key) => one[key] === other[key] || (key === 'state' && JSON.stringify(one.state) === JSON.stringify(other.state)));
};

export const createUploadQueue = (tools: UploadTools = browserTools()): UploadQueue => new Queue(tools);

