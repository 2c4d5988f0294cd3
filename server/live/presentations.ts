/**
 * What can be played: what is on (shows, and uploads that are watched while they arrive) or has just ended, and recordings,
 * opened when somebody asks for them.
 */
import type { Clock } from '../../packager/clock.ts';
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
/** An uploaded film has an index of some MB. */
const MOST_BYTES = 256 * 1024 * 1024;
const CLOSE_AFTER_MS = 30_000;
/** A long film, paused once: so long goes on whoever began to watch before a track came off the list. */
const FORMER_MS = 6 * 3_600_000;
const MOST_FORMER = 16;

/** What changes while it is played: whoever makes it says when it has ended. */
export type Running = Presentation & {
  readonly facts: { readonly video: string };
  /** It is shown otherwise from now on (another part of it, under other keys), or not at all. Only what can be changed and removed while it is on has this. */
  readonly retrim?: () => Promise<'shown' | 'gone'>;
  close(): Promise<void>;
};

type Former = { readonly video: string; readonly opened: Opened; readonly cancel: () => void };
type Opened = { readonly presentation: Presentation; readonly weight: number; readonly close: () => Promise<void> };

export class PlayableVideos implements Presentations {
  readonly #o: PresentationOptions;
  readonly #runs = new Map<string, Running>();
  /** Oldest use first. */
  readonly #recordings = new Map<string, Promise<Opened | null> | Opened>();
  readonly #listeners: ((video: string) => void)[] = [];
  /** What was played before tracks came off the list. Oldest first. */
  readonly #former: Former[] = [];
  /** Over, and still found for a while; how to call that off. */
  readonly #ending = new Map<Running, () => void>();
  /** Closed a while from now; how to call that off. */
  readonly #closing = new Map<() => Promise<void>, () => void>();
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

  add(run: Running): void {
    this.#runs.set(run.facts.video, run);
  }

  ended(run: Running): void {
    const cancel = this.#o.clock.after(ENDED_RUN_MS, () => {
      if (this.#runs.get(run.facts.video) === run) this.#runs.delete(run.facts.video);
      this.#letGo(run);
    });
    this.#ending.set(run, cancel);
  }

  async #retrim(run: Running): Promise<void> {
    const { video } = run.facts;
    try {
      const outcome = await run.retrim?.();
      if (outcome === 'gone') this.drop(run);
      else if (outcome === 'shown') this.#tellForgotten(video);
    } catch (error) {
      this.#o.log.error({ video, err: error }, 'What is shown of an upload could not be read.');
      // It may be shown as nobody wants it any more: whoever asked has to ask again.
      throw error;
    }
  }

  /** Its video is gone before it was whole. */
  drop(run: Running): void {
    const { video } = run.facts;
    if (this.#runs.get(video) !== run) return;
    this.#runs.delete(video);
    this.#letGo(run);
    this.#tellForgotten(video);
  }

  /**
   * The video is gone, or is shown otherwise from now on: what reads it now reads on, and who comes opens it anew.
   * A show that is on is neither: it cannot be removed, no trim holds for it but "none", and it stays as protected as it
   * began. Resolves when that holds.
   */
  async forget(video: string): Promise<void> {
    this.#dropFormer((former) => former.video === video);
    return this.#forget(video);
  }

  /** Its list is another from now on, and nothing of what was on it is to be kept from anybody. `dropped`: tracks have come off it. */
  async renew(video: string, dropped: boolean): Promise<void> {
    const opened = dropped ? this.#taken(video) : null;
    if (opened) {
      const cancel = this.#o.clock.after(FORMER_MS, () => this.#dropFormer((former) => former.opened === opened));
      this.#former.push({ video, opened, cancel });
      const bytes = (): number => this.#former.reduce((sum, former) => sum + former.opened.weight, 0);
      while (this.#former.length > MOST_FORMER || (this.#former.length > 1 && bytes() > MOST_BYTES / 4)) this.#dropFormer((former) => former === this.#former[0]);
    }
    return this.#forget(video);
  }

  /** What is open of it, if all of it is there: nobody else has it then. */
  #taken(video: string): Opened | null {
    const run = this.#runs.get(video);
    if (run) {
      if (run.snapshot().state === 'live') return null;
      this.#runs.delete(video);
      this.#ending.get(run)?.();
      this.#ending.delete(run);
      return { presentation: run, weight: 0, close: () => run.close() };
    }
    const opened = this.#recordings.get(video);
    if (!opened || opened instanceof Promise) return null;
    this.#recordings.delete(video);
    return opened;
  }

  former(video: string, track: string): Presentation | null {
    const had = this.#former.findLast((former) => former.video === video && former.opened.presentation.snapshot().tracks.some(({ id }) => id === track));
    return had?.opened.presentation ?? null;
  }

  #dropFormer(which: (former: Former) => boolean): void {
    for (const former of this.#former.filter(which)) {
      this.#former.splice(this.#former.indexOf(former), 1);
      former.cancel();
      this.#closeLater(former.opened.close);
    }
  }

  async #forget(video: string): Promise<void> {
    const run = this.#runs.get(video);
    if (run?.snapshot().state === 'live') return this.#retrim(run);
    this.#runs.delete(video);
    if (run) this.#letGo(run);
    const opened = this.#recordings.get(video);
    this.#recordings.delete(video);
    if (opened instanceof Promise) this.#outdated.add(opened);
    else if (opened) this.#closeLater(opened.close);
    this.#tellForgotten(video);
  }

  async close(): Promise<void> {
    const recordings = [...this.#recordings.values()];
    this.#recordings.clear();
    this.#dropFormer(() => true);
    for (const entry of recordings) if (!(entry instanceof Promise)) this.#closeLater(entry.close);
    for (const run of new Set([...this.#runs.values(), ...this.#ending.keys()])) this.#letGo(run);
    this.#runs.clear();
    // What is being opened finds that it is not wanted any more.
    await Promise.allSettled(recordings);
    // Nobody is there any more who could read on.
    for (const cancel of this.#closing.values()) cancel();
    const closing = [...this.#closing.keys()];
    this.#closing.clear();
    await Promise.all(closing.map((close) => close()));
  }

  #letGo(run: Running): void {
    this.#ending.get(run)?.();
    this.#ending.delete(run);
    this.#closeLater(() => run.close());
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

  #tellForgotten(video: string): void {
    for (const listener of this.#listeners) listener(video);
  }

  /** The one that was used last stays, however large it is. */
  #makeRoom(): void {
    let bytes = 0;
    for (const entry of this.#recordings.values()) bytes += entry instanceof Promise ? 0 : entry.weight;
    for (const [video, entry] of this.#recordings) {
      if (this.#recordings.size <= MOST_RECORDINGS && (bytes <= MOST_BYTES || this.#recordings.size === 1)) return;
      if (entry instanceof Promise) continue;
      this.#recordings.delete(video);
      bytes -= entry.weight;
      this.#closeLater(entry.close);
    }
  }

  /** Reads that are under way finish first. */
  #closeLater(close: () => Promise<void>): void {
    const cancel = this.#o.clock.after(CLOSE_AFTER_MS, () => {
      this.#closing.delete(close);
      close().catch((error: unknown) => this.#o.log.warn({ err: error }, 'A log was not closed.'));
    });
    this.#closing.set(close, cancel);
  }
}

const opened = ({ snapshot, readers, weight, close }: Recorded): Opened => ({
  presentation: {
    snapshot: () => snapshot,
    reader: (track) => readers.get(track) ?? null,
    onChange: () => () => undefined,
  },
  weight,
  close,
});
