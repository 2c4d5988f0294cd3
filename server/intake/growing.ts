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
import type { EpochRef, PresentationSnapshot, TrackEpoch, TrackSnapshot } from '../../packager/snapshot.ts';
import type { Running } from '../live/presentations.ts';
import { shownAs, type Shown } from '../live/shown.ts';

export type GrowingOptions = {
  readonly facts: RunFacts;
  /** Of each track of `facts`, with nothing landed. */
  readonly logs: ReadonlyMap<string, VirtualTrackLog>;
  readonly closeFile: () => Promise<void>;
  /** How its owner wants it to be seen, to begin with. */
  readonly shown: Shown;
  /** And now; null: the video is gone. */
  readonly readShown: () => Promise<Shown | null>;
};

type Growing = { readonly track: RunTrack; readonly log: VirtualTrackLog; window: TrackWindow; readonly epochs: readonly TrackEpoch[] };

export class GrowingVideo implements Running {
  readonly facts: RunFacts;
  readonly #tracks: readonly Growing[];
  readonly #epochs: readonly EpochRef[];
  readonly #landing: Landing;
  readonly #closeFile: () => Promise<void>;
  readonly #readShown: () => Promise<Shown | null>;
  readonly #listeners = new Set<() => void>();
  #shown: Shown;
  #state: 'live' | 'ended' = 'live';
  #revision = 1;
  #cached: PresentationSnapshot | null = null;

  constructor({ facts, logs, closeFile, shown, readShown }: GrowingOptions) {
    this.facts = facts;
    this.#closeFile = closeFile;
    this.#shown = shown;
    this.#readShown = readShown;
    this.#tracks = facts.tracks.flatMap((track) => {
      const log = logs.get(track.id);
      if (!log) return [];
      return [{ track, log, window: this.#emptyWindow(track), epochs: trackEpochs(log.snapshot(), facts.rhythm.frameRate) }];
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
    for (const one of this.#tracks) list(one);
    this.#changed();
    return true;
  }

  /** All of it is listed: whoever watches hears that this is the end. */
  end(): void {
    this.#state = 'ended';
    this.#changed();
  }

  async retrim(): Promise<'shown' | 'gone'> {
    const shown = await this.#readShown();
    if (!shown) return 'gone';
    const renamed = shown.names !== this.#shown.names;
    this.#shown = shown;
    // The lines of a playlist are kept beside the segments that they name.
    if (renamed) for (const one of this.#tracks) list(Object.assign(one, { window: this.#emptyWindow(one.track) }));
    this.#changed();
    return 'shown';
  }

  #emptyWindow(track: RunTrack): TrackWindow {
    return new TrackWindow(track, this.facts.policy.dvrSeconds);
  }

  snapshot(): PresentationSnapshot {
    const { video, run, policy } = this.facts;
    const { cut } = this.#shown;
    this.#cached ??= shownAs(
      { ...{ video, run, policy, cut }, state: this.#state, revision: this.#revision, epochs: this.#epochs, tracks: this.#tracks.map(trackSnapshot), events: [] },
      this.#shown,
    );
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

/** What has landed since. */
const list = ({ log, window }: Growing): void => {
  const { end, entry } = log.snapshot();
  for (let seq = window.segments.length; seq < end; seq += 1) {
    window.add(entry(seq));
    window.closeSegment();
  }
};

const trackSnapshot = ({ track, window, epochs }: Growing): TrackSnapshot => {
  const { segments, liveStart } = window;
  return { ...track, epochs, segments, firstSegment: 0, liveStart, endSegment: segments.length, open: null };
};
