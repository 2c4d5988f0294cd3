/**
 * Who is asked for. What pages and players ask is noted in memory, and written down at most once a minute; of videos whose
 * rungs are made on demand, the first time in a process is when they are.
 *
 *     playback, manifests ─▶ noted ─ once a minute ─▶ catalog ─▶ those on demand: all of their rungs are wanted
 */
import type { Clock } from '../../packager/clock.ts';
import type { RungCostStore } from '../catalog/rung-costs.ts';
import type { RungPolicy } from '../catalog/schema.ts';
import type { ServerLog } from '../log.ts';

export type AskedOptions = {
  readonly clock: Clock;
  readonly log: Pick<ServerLog, 'error'>;
  readonly store: Pick<RungCostStore, 'asked'>;
  /** Of accounts of which nothing else was said. */
  readonly usual: RungPolicy;
  /** All rungs of it are to be made. Takes no time, never throws, may be said twice. */
  readonly want: (video: string) => void;
};

const everyMs = 60_000;
/** Of so many it is known that they were noted; of more, some are noted again. */
const mostKnown = 10_000;
/** SQLite binds 32,766 values; a thousand are soon written. */
const batch = 1_000;
/** What was noted is not noted again for so long. */
const oftenMs = 3_600_000;

export class AskedVideos {
  readonly #o: AskedOptions;
  /** When each was noted, the oldest first. */
  readonly #known = new Map<string, number>();
  readonly #waiting = new Set<string>();
  /** All rungs have been asked of them, the oldest first. */
  readonly #wanted = new Set<string>();
  #writtenAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: AskedOptions) {
    this.#o = options;
  }

  /** Somebody wants to play it. Called for every manifest, and takes no time. */
  asked(video: string): void {
    const now = this.#o.clock.now();
    const before = this.#known.get(video);
    if (this.#stopped || this.#waiting.size >= mostKnown || (before !== undefined && now - before < oftenMs)) return;
    this.#known.delete(video);
    this.#known.set(video, now);
    forgetOldest(this.#known);
    this.#waiting.add(video);
    // Whoever comes first after a quiet minute is not made to wait for the end of another.
    this.#cancel ??= this.#o.clock.after(Math.max(0, this.#writtenAt + everyMs - now), () => {
      this.#cancel = null;
      this.#write();
    });
  }

  /** Its rungs were dropped: the next time they are wanted anew. */
  dropped(video: string): void {
    this.#wanted.delete(video);
    this.#known.delete(video);
  }

  /** Writes what is noted. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#writtenAt = this.#o.clock.now();
    const videos = [...this.#waiting];
    this.#waiting.clear();
    this.#writing = this.#writing.then(() => this.#writeAll(videos));
  }

  async #writeAll(videos: readonly string[]): Promise<void> {
    const { store, usual, want, log } = this.#o;
    for (let at = 0; at < videos.length; at += batch) {
      const some = videos.slice(at, at + batch);
      try {
        const onDemand = await store.asked(some, usual);
        for (const video of onDemand.filter((one) => !this.#wanted.has(one))) {
          this.#wanted.add(video);
          forgetOldest(this.#wanted);
          if (!this.#stopped) want(video);
        }
      } catch (error) {
        for (const video of some) this.#known.delete(video);
        log.error({ err: error }, 'Who was asked for could not be written down: the next who asks is noted again.');
      }
    }
  }
}

const forgetOldest = (known: Map<string, unknown> | Set<string>): void => {
  if (known.size <= mostKnown) return;
  const [oldest] = known.keys();
  if (oldest !== undefined) known.delete(oldest);
};
