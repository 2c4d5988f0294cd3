/**
 * When each part of each track could be had, against when its last picture was due at the sender: what "late" means,
 * whichever rung it is. Every part is asked for and fetched, as a player does.
 */
import type { LiveSender } from './live-sender.ts';
import { LowLatencyViewer } from './ll-viewer.ts';
import type { MillraceServer } from './server.ts';

export type SeenPart = {
  /** The same on every track. */
  readonly uri: string;
  readonly gap: boolean;
  /** When it could be had (performance.now). */
  readonly at: number;
  /** Behind the moment at which its last picture was over at the sender, ms. */
  readonly late: number;
};

const attribute = (line: string, name: string): string => new RegExp(`${name}=("?)([^",]*)\\1`).exec(line)?.[2] ?? '';

export class PartTimes {
  readonly #viewer: LowLatencyViewer;
  readonly #begunAt: number;
  readonly #parts = new Map<string, SeenPart[]>();
  /** Media sequence number → where it begins, s; the same on every track. */
  readonly #starts = new Map<number, number>();
  readonly #known = new Set<string>();
  readonly #gaps = new Map<string, Set<number>>();

  /** From the beginning of a show that has sent all that it has sent in one connection. */
  constructor(server: MillraceServer, video: string, sender: LiveSender, tracks: readonly string[]) {
    this.#begunAt = sender.begunAt;
    this.#viewer = new LowLatencyViewer(`${server.origin}/play/-/${video}`);
    this.#viewer.onPlaylist = (track, text) => this.#take(track, text, performance.now());
    this.#viewer.start(tracks);
  }

  get faults(): readonly string[] {
    return this.#viewer.faults;
  }

  stop(): Promise<void> {
    return this.#viewer.stop();
  }

  /** Between two moments. */
  of(track: string, from = 0, until = Number.POSITIVE_INFINITY): readonly SeenPart[] {
    return (this.#parts.get(track) ?? []).filter(({ at }) => at >= from && at < until);
  }

  late(track: string, from = 0, until = Number.POSITIVE_INFINITY): readonly number[] {
    return this.of(track, from, until).filter(({ gap }) => !gap).map(({ late }) => late);
  }

  /** Numbers of segments that this track does not have. */
  gaps(track: string): readonly number[] {
    return [...(this.#gaps.get(track) ?? [])];
  }

  #take(track: string, text: string, at: number): void {
    let msn = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)/m.exec(text)?.[1] ?? 0);
    if (this.#starts.size === 0) this.#starts.set(msn, 0);
    let [within, isGap] = [0, false];
    for (const line of text.split('\n')) {
      const begins = this.#starts.get(msn) ?? 0;
      if (line.startsWith('#EXT-X-PART:')) {
        within += Number(attribute(line, 'DURATION'));
        this.#part(track, { uri: attribute(line, 'URI'), gap: line.includes('GAP=YES'), at, late: at - this.#begunAt - (begins + within) * 1_000 });
      } else if (line === '#EXT-X-GAP') isGap = true;
      else if (line.startsWith('#EXTINF:')) {
        this.#starts.set(msn + 1, begins + Number(/[\d.]+/.exec(line)?.[0] ?? 0));
        if (isGap) this.#gaps.set(track, new Set([...this.gaps(track), msn]));
        [msn, within, isGap] = [msn + 1, 0, false];
      }
    }
  }

  #part(track: string, part: SeenPart): void {
    const name = `${track}/${part.uri}`;
    if (this.#known.has(name)) return;
    this.#known.add(name);
    const parts = this.#parts.get(track) ?? [];
    parts.push(part);
    this.#parts.set(track, parts);
  }
}
