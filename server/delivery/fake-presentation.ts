/** For tests and benches: presentations that live in memory and move only when they are told to. */
import type { IncomingMessage } from 'node:http';
import { LogError, type FragmentEntry, type LogSnapshot, type TrackLogReader } from '../../packager/log/types.ts';
import { PretendStream, type PretendOptions } from '../../packager/hls/pretend-stream.ts';
import type { Recorded } from '../../packager/mpegts/recorded.ts';
import { keyRing } from '../../packager/protect/key-ring.ts';
import type { KeyProvider } from '../../packager/protect/keys.ts';
import type { Cut, PresentationSnapshot } from '../../packager/snapshot.ts';
import type { Audience, Gatekeeper, GrantVerdict, Presentation, Presentations } from './presentation.ts';

export class FakePresentation implements Presentation {
  readonly stream: PretendStream;
  readonly #listeners = new Set<() => void>();
  #snapshot: PresentationSnapshot | null = null;
  /** Every read of a log: `v0 12-13`. */
  readonly reads: string[] = [];
  /** When set, a read waits for it first. */
  gate: Promise<void> | null = null;
  /** When set, every read fails with it. */
  fault: Error | null = null;

  constructor(options: PretendOptions = {}) {
    this.stream = new PretendStream(options);
  }

  snapshot(): PresentationSnapshot {
    return (this.#snapshot ??= this.stream.snapshot());
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Changes the stream, and tells whoever listens. */
  do(change: (stream: PretendStream) => unknown): this {
    change(this.stream);
    this.#snapshot = null;
    for (const listener of [...this.#listeners]) listener();
    return this;
  }

  reader(track: string): TrackLogReader | null {
    if (!this.snapshot().tracks.some(({ id }) => id === track)) return null;
    return new FakeReader(this, track);
  }

  /** What a viewer must get for the fragments [from, to). */
  bytes(track: string, from: number, to = from + 1): Buffer {
    const fragments: Buffer[] = [];
    for (let seq = from; seq < to; seq++) {
      const bytes = this.stream.bytes(track, seq);
      if (!bytes) throw new LogError('not-yet', `fragment ${seq} of ${track} is not there`);
      fragments.push(bytes);
    }
    return Buffer.concat(fragments);
  }
}

class FakeReader implements TrackLogReader {
  readonly #of: FakePresentation;
  readonly #track: string;

  constructor(of: FakePresentation, track: string) {
    this.#of = of;
    this.#track = track;
  }

  snapshot(): LogSnapshot {
    const entry = (seq: number): FragmentEntry => {
      throw new LogError('gone', `a pretended log has no entry ${seq}`);
    };
    return { first: 0, end: 0, entry, epochs: [] };
  }

  async read(from: number, to: number): Promise<Buffer[]> {
    this.#of.reads.push(`${this.#track} ${from}-${to}`);
    await this.#of.gate;
    if (this.#of.fault) throw this.#of.fault;
    return Array.from({ length: to - from }, (_, index) => this.#of.bytes(this.#track, from + index));
  }

  readChecked(from: number, to: number): Promise<Buffer[]> {
    return this.read(from, to);
  }

  async readHeads(from: number, to: number, bytes: number): Promise<Buffer[]> {
    return (await this.read(from, to)).map((fragment) => fragment.subarray(0, bytes));
  }

  async close(): Promise<void> {}
}

/** What a show of ffmpeg's became: real media, in memory. `cut`: what of it is shown. */
export const recordedPresentation = ({ snapshot, logs }: Recorded, cut: Cut = snapshot.cut): Presentation => {
  const shown = { ...snapshot, cut };
  return { snapshot: () => shown, reader: (track) => logs.get(track) ?? null, onChange: () => () => undefined };
};

/** The same keys every time; another key after three segments. */
export const fakeKeys: KeyProvider = { ringOf: (video) => keyRing(Buffer.from(video.padEnd(32, '.')), 3) };

export const reachedHere = ({ headers }: IncomingMessage): string => `http://${headers.host ?? ''}`;

/** Videos and channels by name; `later` makes every look-up take a turn. */
export class FakePresentations implements Presentations {
  readonly videos = new Map<string, Presentation>();
  readonly live = new Map<string, string>();
  later = false;
  readonly #listeners: ((video: string) => void)[] = [];

  onForgotten(listener: (video: string) => void): void {
    this.#listeners.push(listener);
  }

  /** The video is gone, or is another from now on. */
  forget(video: string, becomes?: Presentation): void {
    if (becomes) this.videos.set(video, becomes);
    else this.videos.delete(video);
    for (const listener of this.#listeners) listener(video);
  }

  add(presentation: FakePresentation): FakePresentation {
    this.videos.set(presentation.stream.video, presentation);
    return presentation;
  }
  find(video: string): Presentation | null | Promise<Presentation | null> {
    const found = this.videos.get(video) ?? null;
    return this.later ? Promise.resolve(found) : found;
  }
  former(): Presentation | null {
    return null;
  }
  liveOn(channelName: string): string | null | Promise<string | null> {
    const found = this.live.get(channelName) ?? null;
    return this.later ? Promise.resolve(found) : found;
  }
}

/** `-` opens everything that is not listed as closed; other grants are what the test says. */
export class FakeGatekeeper implements Gatekeeper {
  readonly grants = new Map<string, GrantVerdict>();
  /** What a grant is for; all, unless it is said. */
  readonly audiences = new Map<string, readonly Audience[]>();
  readonly closed = new Set<string>();

  verdict(grant: string, video: string, audience: Audience): GrantVerdict {
    const audiences = this.audiences.get(grant);
    if (audiences && !audiences.includes(audience)) return { ok: false, status: 403, code: 'grant-other-audience' };
    if (grant === '-' && !this.closed.has(video)) return { ok: true, shared: true, expiresAt: null, maxHeight: null, mayDownload: true };
    if (grant === '-') return { ok: false, status: 404, code: 'not-found' };
    return this.grants.get(grant) ?? { ok: false, status: 403, code: 'grant-signature' };
  }
}
