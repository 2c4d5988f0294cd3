/**
 * An upload as it is played while it arrives: its list begins with the film and grows with every segment that has landed
 * in all its tracks. What is told of it is known from the index, so nothing of it changes but how far it reaches.
 */
import type { RunFacts, RunTrack } from '../../packager/live/run-facts.ts';
import { commonEpochs, trackEpochs } from '../../packager/live/stored-epochs.ts';
import { TrackWindow } from '../../packager/live/track-window.ts';
import type { TrackLogReader } from '../../packager/log/types.ts';
import { Landing } from '../../packager/mp4/virtual-landing.ts';
import type { VirtualTrackLog } from '../../packager/mp4/virtual-log.ts';
import type { Cut, EpochRef, PresentationSnapshot, TrackEpoch, TrackSnapshot } from '../../packager/snapshot.ts';
import type { Running } from '../live/presentations.ts';

export type GrowingOptions = {
  readonly facts: RunFacts;
  /** Of each track of `facts`, with nothing landed. */
  readonly logs: ReadonlyMap<string, VirtualTrackLog>;
  readonly closeFile: () => Promise<void>;
  /** What its owner wants to be seen of it; null: the video is gone. */
  readonly readCut: () => Promise<Cut | null>;
};

type Growing = { readonly track: RunTrack; readonly log: VirtualTrackLog; readonly window: TrackWindow; readonly epochs: readonly TrackEpoch[] };

export class GrowingVideo implements Running {
  readonly facts: RunFacts;
  readonly #tracks: readonly Growing[];
  readonly #epochs: readonly EpochRef[];
  readonly #landing: Landing;
  readonly #closeFile: () => Promise<void>;
  readonly #readCut: () => Promise<Cut | null>;
  readonly #listeners = new Set<() => void>();
  #cut: Cut = { inMicros: null, outMicros: null };
  #state: 'live' | 'ended' = 'live';
  #revision = 1;
  #cached: PresentationSnapshot | null = null;

  constructor({ facts, logs, closeFile, readCut }: GrowingOptions) {
    this.facts = facts;
    this.#closeFile = closeFile;
    this.#readCut = readCut;
    this.#tracks = facts.tracks.flatMap((track) => {
      const log = logs.get(track.id);
      if (!log) return [];
      const window = new TrackWindow(track.timescale, facts.policy.dvrSeconds);
      return [{ track, log, window, epochs: trackEpochs(log.snapshot(), facts.rhythm.frameRate) }];
    });
    this.#epochs = commonEpochs(this.#tracks.map(({ track, log }) => ({ timescale: track.timescale, log: log.snapshot() })), facts.run);
    this.#landing = new Landing(this.#tracks.map(({ log }) => log));
  }

  /** Segments that can be played. */
  get reached(): number {
    return this.#landing.reached;
  }
  get whole(): boolean {
    return this.#landing.whole;
  }

  /** More of the file is there. True: call again, in another turn, for there may be more to list. */
  landed(has: (from: number, to: number) => boolean): boolean {
    if (!this.#landing.landed(has)) return false;
    for (const { log, window } of this.#tracks) {
      const { end, entry } = log.snapshot();
      for (let seq = window.segments.length; seq < end; seq += 1) {
        window.add(entry(seq));
        window.closeSegment();
      }
    }
    this.#changed();
    return true;
  }

  /** All of it is listed: whoever watches hears that this is the end. */
  end(): void {
    this.#state = 'ended';
    this.#changed();
  }

  async retrim(): Promise<'shown' | 'gone'> {
    const cut = await this.#readCut();
    if (!cut) return 'gone';
    this.#cut = cut;
    this.#changed();
    return 'shown';
  }

  snapshot(): PresentationSnapshot {
    this.#cached ??= {
      video: this.facts.video,
      run: this.facts.run,
      state: this.#state,
      revision: this.#revision,
      policy: this.facts.policy,
      epochs: this.#epochs,
      tracks: this.#tracks.map(trackSnapshot),
      events: [],
      cut: this.#cut,
    };
    return this.#cached;
  }

  reader(id: string): TrackLogReader | null {
    return this.#tracks.find(({ track }) => track.id === id)?.log ?? null;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    for (const { log } of this.#tracks) await log.close();
    await this.#closeFile();
  }

  #changed(): void {
    this.#revision += 1;
    this.#cached = null;
    for (const listener of this.#listeners) listener();
  }
}

const trackSnapshot = ({ track, window, epochs }: Growing): TrackSnapshot => {
  const { segments, liveStart } = window;
  return { ...track, epochs, segments, firstSegment: 0, liveStart, endSegment: segments.length, open: null };
};
