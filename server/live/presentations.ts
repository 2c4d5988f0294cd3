/** What can be played: runs that are live or have just ended, and recordings, opened when somebody asks for them. */
import type { Clock } from '../../packager/clock.ts';
import type { LiveRun } from '../../packager/live/run.ts';
import type { Presentation, Presentations } from '../delivery/presentation.ts';
import type { ServerLog } from '../log.ts';
import type { Recorded } from './runs.ts';

export type PresentationOptions = {
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly open: (video: string) => Promise<Recorded | null>;
  readonly liveOn: (channelName: string) => string | null;
};

/** Whoever watched live still fetches what was just written; after that the logs are opened again only when asked for. */
const ENDED_RUN_MS = 20_000;
const MOST_RECORDINGS = 64;
const CLOSE_AFTER_MS = 30_000;

type Opened = { readonly presentation: Presentation; readonly close: () => Promise<void> };

export class PlayableVideos implements Presentations {
  readonly #o: PresentationOptions;
  readonly #runs = new Map<string, LiveRun>();
  /** Oldest use first. */
  readonly #recordings = new Map<string, Promise<Opened | null> | Opened>();
  readonly #listeners: ((video: string) => void)[] = [];
  /** Forgotten while they were being opened: what they found is not how it is now. */
  readonly #outdated = new WeakSet<Promise<Opened | null>>();

  constructor(options: PresentationOptions) {
    this.#o = options;
  }

  find(video: string): Presentation | null | Promise<Presentation | null> {
    const run = this.#runs.get(video);
    if (run) return run;
    const known = this.#recordings.get(video) ?? this.#open(video);
    if (known instanceof Promise) return known.then((opened) => (this.#outdated.has(known) ? this.find(video) : (opened?.presentation ?? null)));
    this.#recordings.delete(video);
    this.#recordings.set(video, known);
    return known.presentation;
  }

  liveOn(channelName: string): string | null {
    return this.#o.liveOn(channelName);
  }

  onForgotten(listener: (video: string) => void): void {
    this.#listeners.push(listener);
  }

  add(run: LiveRun): void {
    this.#runs.set(run.facts.video, run);
  }

  ended(run: LiveRun): void {
    this.#o.clock.after(ENDED_RUN_MS, () => {
      this.#runs.delete(run.facts.video);
      this.#closeLater(() => run.close());
    });
  }

  /**
   * The video is gone, or another part of it is shown from now on: what reads it now reads on, and who comes opens it anew.
   * What is on is neither: it cannot be removed, and no trim holds for it but "none".
   */
  forget(video: string): void {
    const run = this.#runs.get(video);
    if (run?.snapshot().state === 'live') return;
    this.#runs.delete(video);
    if (run) this.#closeLater(() => run.close());
    const opened = this.#recordings.get(video);
    this.#recordings.delete(video);
    if (opened instanceof Promise) this.#outdated.add(opened);
    else if (opened) this.#closeLater(opened.close);
    for (const listener of this.#listeners) listener(video);
  }

  async close(): Promise<void> {
    const closing = [...this.#recordings.values()].flatMap((entry) => (entry instanceof Promise ? [] : [entry.close()]));
    this.#recordings.clear();
    await Promise.all([...closing, ...[...this.#runs.values()].map((run) => run.close())]);
    this.#runs.clear();
  }

  /** Many may ask at once: the logs are opened once. */
  #open(video: string): Promise<Opened | null> {
    const opening = this.#o.open(video).then((recorded) => recorded && opened(recorded));
    this.#recordings.set(video, opening);
    opening.then(
      (entry) => {
        if (this.#recordings.get(video) !== opening) {
          // Forgotten while it was being opened.
          if (entry) this.#closeLater(entry.close);
          return;
        }
        if (entry) this.#recordings.set(video, entry);
        else this.#recordings.delete(video);
        this.#makeRoom();
      },
      (error: unknown) => {
        this.#o.log.error({ video, err: error }, 'A recording cannot be opened.');
        if (this.#recordings.get(video) === opening) this.#recordings.delete(video);
      },
    );
    return opening;
  }

  #makeRoom(): void {
    for (const [video, entry] of this.#recordings) {
      if (this.#recordings.size <= MOST_RECORDINGS) return;
      if (entry instanceof Promise) continue;
      this.#recordings.delete(video);
      this.#closeLater(entry.close);
    }
  }

  /** Reads that are under way finish first. */
  #closeLater(close: () => Promise<void>): void {
    this.#o.clock.after(CLOSE_AFTER_MS, () => {
      close().catch((error: unknown) => this.#o.log.warn({ err: error }, 'A log was not closed.'));
    });
  }
}

const opened = ({ snapshot, readers }: Recorded): Opened => ({
  presentation: {
    snapshot: () => snapshot,
    reader: (track) => readers.get(track) ?? null,
    onChange: () => () => undefined,
  },
  close: async () => {
    await Promise.all([...readers.values()].map((reader) => reader.close()));
  },
});
