/**
 * A presentation of several rungs, before there is a live ladder that makes them: each rung is a show of its own (the
 * real one, over a log in memory), all are fed the same moment of their clips at the same time, and their snapshots
 * together are one presentation with the tracks v0, v1, … of one group and the sound of the first.
 */
import type { Clock } from '../../packager/clock.ts';
import { LiveRun } from '../../packager/live/run.ts';
import { Show } from '../../packager/live/show.ts';
import { MemoryLog } from '../../packager/log/memory-log.ts';
import type { TrackLogReader } from '../../packager/log/types.ts';
import { rtmpClock } from '../../packager/media/unit.ts';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import type { Presentation } from '../../server/delivery/presentation.ts';
import type { FlvClip } from './flv.ts';

export const ladderVideo = 'video-00000001';
const run = 'k3v9x0a2b7';

type Rung = { readonly clip: FlvClip; readonly show: Show; sent: number };

export class Ladder implements Presentation {
  readonly faults: unknown[] = [];
  readonly #clock: Clock;
  readonly #clipMs: number;
  readonly #rungs: readonly Rung[];
  #kept: { readonly of: readonly PresentationSnapshot[]; readonly snapshot: PresentationSnapshot } | null = null;

  /** `clips` have the same pictures and key frames, the best first; they last `clipMs` and loop. */
  constructor(clock: Clock, clips: readonly FlvClip[], clipMs: number) {
    this.#clock = clock;
    this.#clipMs = clipMs;
    this.#rungs = clips.map((clip) => ({ clip, show: this.#show(), sent: 0 }));
    for (const { clip, show } of this.#rungs) {
      show.begin(rtmpClock);
      if (clip.avcConfig) show.track({ kind: 'video', codec: 'h264', config: clip.avcConfig });
      if (clip.aacConfig) show.track({ kind: 'audio', codec: 'aac', config: clip.aacConfig });
    }
  }

  /** Feeds every rung what it has up to a time of the show, ms. */
  feed(until: number): void {
    for (const rung of this.#rungs) {
      const { units } = rung.clip;
      for (;;) {
        const unit = units[rung.sent % units.length];
        const shift = Math.floor(rung.sent / units.length) * this.#clipMs;
        if (!unit || unit.dts + shift > until) break;
        // The core keeps what it is given.
        rung.show.write({ ...unit, dts: unit.dts + shift, pts: unit.pts + shift, data: Buffer.from(unit.data) });
        rung.sent += 1;
      }
    }
  }

  async finish(): Promise<void> {
    await Promise.all(this.#rungs.map(({ show }) => show.finish()));
  }

  snapshot(): PresentationSnapshot {
    const of = this.#runs().map((one) => one.snapshot());
    if (this.#kept && of.every((one, index) => one === this.#kept?.of[index])) return this.#kept.snapshot;
    // The rungs end one after the other, within a turn: as long as one goes on, so does the show.
    const ending = of.some(({ state }) => state === 'ended') && !of.every(({ state }) => state === 'ended');
    if (ending && this.#kept) return this.#kept.snapshot;
    const snapshot = merged(of);
    this.#kept = { of, snapshot };
    return snapshot;
  }

  reader(track: string): TrackLogReader | null {
    const index = track === 'a0' ? 0 : Number(/^v(\d)$/.exec(track)?.[1] ?? NaN);
    return this.#rungs[index]?.show.run?.reader(track === 'a0' ? 'a0' : 'v0') ?? null;
  }

  onChange(listener: () => void): () => void {
    const leaving = this.#runs().map((one) => one.onChange(listener));
    return () => {
      for (const leave of leaving) leave();
    };
  }

  #runs(): LiveRun[] {
    return this.#rungs.map(({ show }) => {
      if (!show.run) throw new Error('a rung has not been opened yet');
      return show.run;
    });
  }

  #show(): Show {
    const onFault = (error: unknown): void => void this.faults.push(error);
    return new Show({
      clock: this.#clock,
      wish: { latency: 'low', dvrSeconds: null, captions: [] },
      fault: onFault,
      open: async (shape) => {
        const logs = new Map(shape.tracks.map(({ id }) => [id, new MemoryLog()]));
        return new LiveRun({ facts: { video: ladderVideo, run, ...shape }, logs, clock: this.#clock, onFault });
      },
    });
  }
}

const merged = (of: readonly PresentationSnapshot[]): PresentationSnapshot => {
  const [first] = of;
  if (!first) throw new Error('a ladder without rungs');
  const pictures = of.flatMap(({ tracks }, index) =>
    tracks.filter(({ kind }) => kind === 'video').map((track) => ({ ...track, id: `v${index}` })),
  );
  const revision = of.reduce((sum, one) => sum + one.revision, 0);
  return { ...first, revision, tracks: [...pictures, ...first.tracks.filter(({ kind }) => kind === 'audio')] };
};
