/**
 * How many people watch a video: those who fetched one of its playlists or its MPD lately, told apart by address and player.
 * Nobody is remembered longer than that, and nothing is written down.
 */
import type { IncomingMessage } from 'node:http';
import type { AddressOf } from '../web/client-address.ts';
import type { Clock } from '../../packager/clock.ts';

/** A player fetches its playlist at least once a target duration, of 6 s at most. */
const HERE_MS = 15_000;
/** Beyond this the count is a lower bound. */
const MOST_REMEMBERED = 200_000;
const PLAYLIST = /^\/play\/[^/]+\/([a-z0-9]{8,32})\/(?:(?:[a-z0-9-]+\/){1,3}index\.m3u8|manifest\.mpd)/;

export class Viewers {
  readonly #clock: Clock;
  readonly #addressOf: AddressOf;
  readonly #videos = new Map<string, Map<string, number>>();
  #remembered = 0;
  #cancelSweep: () => void = () => undefined;

  constructor(clock: Clock, addressOf: AddressOf) {
    this.#clock = clock;
    this.#addressOf = addressOf;
    this.#sweepLater();
  }

  note(request: IncomingMessage): void {
    const video = PLAYLIST.exec(request.url ?? '')?.[1];
    if (video === undefined) return;
    const who = `${this.#addressOf(request)} ${request.headers['user-agent'] ?? ''}`.slice(0, 400);
    const viewers = this.#videos.get(video) ?? new Map<string, number>();
    if (!viewers.has(who)) {
      if (this.#remembered >= MOST_REMEMBERED) return;
      this.#remembered += 1;
    }
    viewers.set(who, this.#clock.now());
    this.#videos.set(video, viewers);
  }

  count(video: string): number {
    const since = this.#clock.now() - HERE_MS;
    let count = 0;
    for (const seen of this.#videos.get(video)?.values() ?? []) if (seen >= since) count += 1;
    return count;
  }

  stop(): void {
    this.#cancelSweep();
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#clock.after(HERE_MS, () => {
      const since = this.#clock.now() - HERE_MS;
      for (const [video, viewers] of this.#videos) {
        for (const [who, seen] of viewers) {
          if (seen >= since) continue;
          viewers.delete(who);
          this.#remembered -= 1;
        }
        if (viewers.size === 0) this.#videos.delete(video);
      }
      this.#sweepLater();
    });
  }
}
