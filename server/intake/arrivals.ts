/**
 * Originals whose pictures and sounds can all be cut out of them as they are: they are played while they arrive, and are
 * ready the moment that they are whole. Nothing is written for them but their rows.
 *
 *     arrived ─▶ is the index there? ─▶ read, judged ─▶ has the first segment landed? ─▶ playable ─▶ … more segments
 *                                          └─▶ not standard: somebody else's, when it is whole
 *     whole ───▶ (all of that, if it was not) ──────────────▶ ready, or playable where rungs are made behind it
 */
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import type { Disk } from '../../packager/log/types.ts';
import type { VideoStore } from '../catalog/videos.ts';
import { SingleFlight } from '../delivery/single-flight.ts';
import { originalName } from '../live/originals.ts';
import type { PlayableVideos } from '../live/presentations.ts';
import type { ServerLog } from '../log.ts';
import type { Behind } from '../pipeline/types.ts';
import { Arrival, type Prepared } from './arrival.ts';
import type { Arriving } from './types.ts';

export type ArrivalsOptions = {
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly disk: Disk;
  /** `<data>/videos` */
  readonly folder: string;
  readonly videos: Pick<VideoStore, 'withTracks' | 'get' | 'become'>;
  readonly presentations: Pick<PlayableVideos, 'add' | 'ended' | 'drop'>;
  /** What is made behind it. */
  readonly behind: Pick<Behind, 'playable' | 'makesTracks'>;
};

/** Indexes of files that are still arriving, all together: those that come when there is no room wait until they are whole. */
const mostBytes = 256 * 1024 * 1024;
/** The smallest holds an open file too, of which there are not enough for everybody who could send a thousand. */
const leastWeight = 512 * 1024;
/** An index takes some hundred MB while it is read. */
const readAtOnce = 2;

export class Arrivals {
  readonly #o: ArrivalsOptions;
  readonly #arrivals = new Map<string, Arrival>();
  readonly #reading = new SingleFlight<Prepared | null>(readAtOnce);

  constructor(options: ArrivalsOptions) {
    this.#o = options;
  }

  /** More of it has landed. Called often, takes no time, never throws. */
  arrived(video: string, original: Arriving): void {
    this.#of(video).arrived(original);
  }

  /**
   * All of it is there. `taken`: it stands in the catalog as it is, there is nothing left to do here. `not-standard`: somebody
   * else has to look at it, nothing has been changed. Idempotent.
   */
  async whole(video: string): Promise<'taken' | 'not-standard'> {
    const arrival = this.#of(video);
    const outcome = await arrival.whole(join(this.#o.folder, video, originalName));
    if (this.#arrivals.get(video) === arrival) this.#arrivals.delete(video);
    return outcome;
  }

  /** The video is gone: what is known of it is let go. */
  dropped(video: string): void {
    const arrival = this.#arrivals.get(video);
    this.#arrivals.delete(video);
    arrival?.dropped();
  }

  /** The server stops: files are closed, what was told stays. */
  async close(): Promise<void> {
    const arrivals = [...this.#arrivals.values()];
    this.#arrivals.clear();
    await Promise.all(arrivals.map((arrival) => arrival.close()));
  }

  #of(video: string): Arrival {
    const known = this.#arrivals.get(video);
    if (known) return known;
    const arrival = new Arrival(video, { ...this.#o, reading: this.#reading, mayHold: (bytes) => this.#held + Math.max(bytes, leastWeight) <= mostBytes });
    this.#arrivals.set(video, arrival);
    return arrival;
  }

  get #held(): number {
    let bytes = 0;
    for (const { weight } of this.#arrivals.values()) bytes += weight > 0 ? Math.max(weight, leastWeight) : 0;
    return bytes;
  }
}
