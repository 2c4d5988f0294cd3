/**
 * A run: one broadcast from its first byte to its end, with everything that players were told frozen. It puts
 * fragments into the track logs, announces each when its `append` has returned, and is the presentation that
 * viewers see.
 *
 *     cut ──▶ fragment ──▶ log.append ──▶ window ──▶ snapshot, listeners
 *             (one queue a track, in order; `backlog` bytes are on their way)
 */
import type { Clock } from '../clock.ts';
import { fragment } from '../cmaf/fragment.ts';
import type { FragmentEntry, EpochFacts, TrackLogReader, TrackLogWriter } from '../log/types.ts';
import { MICROS, rescale } from '../media/wire-time.ts';
import type { EpochRef, PresentationSnapshot, TrackEpoch, TrackSnapshot } from '../snapshot.ts';
import type { Cue } from '../text/cue.ts';
import { epochDate } from './epoch-date.ts';
import { audioEpoch, textEpoch } from './epoch-tracks.ts';
import { LeadGrid, LiveCaptions } from './live-captions.ts';
import type { EpochTrack, RunFacts, RunTrack } from './run-facts.ts';
import type { Cut, CutFragment } from './segmenter.ts';
import { secondConfig } from './second-sound.ts';
import { RunNames } from './run-names.ts';
import { RunEvents, storedEvents, type PlacedEvent } from './events.ts';
import { commonEpochs, trackEpochs } from './stored-epochs.ts';
import { TrackWindow, type Slew } from './track-window.ts';
import { WallDrift } from './wall-drift.ts';

export type { EpochTrack, KeptPolicy, RungFacts, RunFacts, RunTrack } from './run-facts.ts';

export type RunOptions = {
  readonly facts: RunFacts;
  /** The run id in the names of the files from now on, for a run that goes on after a restart. */
  readonly names?: string;
  /** Another one, unguessable. */
  readonly rename?: () => string;
  readonly logs: ReadonlyMap<string, TrackLogWriter>;
  readonly clock: Clock;
  /** A log refused: the owner ends the session. */
  readonly onFault: (error: unknown) => void;
};

type LiveTrack = {
  readonly facts: RunTrack;
  readonly log: TrackLogWriter;
  readonly window: TrackWindow;
  readonly epochs: TrackEpoch[];
  queue: Promise<void>;
  sequence: number;
  /** Null: not a track of captions. */
  readonly captions: LiveCaptions | null;
};

export class LiveRun {
  readonly facts: RunFacts;
  readonly #tracks: LiveTrack[] = [];
  readonly #epochs: EpochRef[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #onFault: (error: unknown) => void;
  readonly #clock: Clock;
  readonly #names: RunNames;
  readonly #events = new RunEvents();
  readonly #grid = new LeadGrid();
  #drift = new WallDrift();
  #state: 'live' | 'ended' = 'live';
  #revision = 1;
  #cached: PresentationSnapshot | null = null;
  #backlog = 0;
  #independent: boolean;
  #roomWaiters: (() => void)[] = [];

  constructor(options: RunOptions) {
    this.facts = options.facts;
    this.#onFault = options.onFault;
    this.#clock = options.clock;
    this.#names = new RunNames(options.names ?? options.facts.run, options.rename ?? null);
    this.#independent = options.facts.policy.independentSegments;
    for (const facts of options.facts.tracks) {
      const log = options.logs.get(facts.id);
      if (!log) throw new Error(`no log for track ${facts.id}`);
      const stored = log.reader.snapshot();
      const window = TrackWindow.fromLog(stored, facts, options.facts.policy.dvrSeconds);
      // A segment has few cues: a number beyond all that there can have been.
      const captions = facts.kind === 'text' ? new LiveCaptions(stored.end * 1024) : null;
      this.#tracks.push({ facts, log, window, epochs: trackEpochs(stored, options.facts.rhythm.frameRate), queue: Promise.resolve(), sequence: stored.end + 1, captions });
    }
    this.#epochs.push(...commonEpochs(this.#tracks.map(({ facts, log }) => ({ timescale: facts.timescale, log: log.reader.snapshot() })), options.facts.run));
  }

  /** Bytes handed over and not yet in the logs. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Media time reached, micros: where the next epoch starts. */
  get endMicros(): number {
    return Math.max(
      0,
      ...this.#tracks.map(({ window, facts, log }) => {
        // A kill may have cut behind a P picture: pictures last up to the reorder delay longer than decoding.
        const reorder = log.reader.snapshot().epochs.at(-1)?.reorderDelay ?? 0;
        return rescale(window.end + reorder, facts.timescale, MICROS);
      }),
    );
  }

  get nextEpoch(): number {
    return (this.#epochs.at(-1)?.epoch ?? -1) + 1;
  }

  /** Bytes stored for the show. */
  get bytes(): number {
    return this.#tracks.reduce((sum, { log }) => sum + log.stats().bytes, 0);
  }

  /** Resolves when the backlog is below the given bytes. */
  async room(below: number): Promise<void> {
    while (this.#backlog > below) await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Rungs begin it when their encoders have said what they make. `wallClock`: the arrival of its first picture. */
  beginEpoch(arrived: Omit<EpochRef, 'run'>, tracks: readonly EpochTrack[]): void {
    const epoch = { ...arrived, wallClock: epochDate(arrived.wallClock, this.#dateOf(arrived.startMicros)) };
    const of = (track: LiveTrack): EpochTrack | undefined => (track.captions ? textEpoch(epoch.epoch, track.facts) : tracks.find(({ kind }) => kind === track.facts.kind));
    const changed = this.#tracks.flatMap((track) => {
      const now = isMade(track) ? undefined : of(track);
      return now ? [{ track, now }] : [];
    });
    const run = this.#names.begin(changed.map(({ track, now }) => ({ before: track.epochs.at(-1), from: now })));
    const begun = { ...epoch, run };
    this.#epochs.push(begun);
    this.#drift = new WallDrift();
    for (const { track, now } of changed) this.#begin(track, begun, now);
  }

  /** What is cut of a rung from now on belongs to this epoch; null: its encoder has made nothing, and what it was before is told of it. */
  beginRung(id: string, epoch: number, made: EpochTrack | null): EpochTrack | null {
    const track = this.#track(id);
    const begun = this.#epochs.find((known) => known.epoch === epoch);
    const last = track?.epochs.at(-1)?.epoch ?? -1;
    if (!track || !begun || last > epoch) return null;
    const now = made ? { ...made, epoch } : unmade(track, epoch);
    if (last < epoch) this.#begin(track, begun, now);
    else if (made) this.#beginLate(track, begun, now);
    return now;
  }

  /** So far it had nothing but holes. What was listed is not changed: what decodes it is told ahead of the next segment. */
  #beginLate(track: LiveTrack, epoch: EpochRef, { kind: _kind, reorderDelay, ...told }: EpochTrack): void {
    this.#enqueue(track, 0, async () => {
      await track.log.beginEpoch(this.#epochFacts(track, epoch, told, reorderDelay));
      const at = track.epochs.findIndex((known) => known.epoch === told.epoch);
      this.#changed(() => (track.epochs[at] = { ...told, initFrom: track.window.nextMsn }));
    });
  }

  #begin(track: LiveTrack, epoch: EpochRef, { kind: _kind, reorderDelay, ...told }: EpochTrack): void {
    track.epochs.push(told);
    this.#enqueue(track, 0, () => track.log.beginEpoch(this.#epochFacts(track, epoch, told, reorderDelay)));
  }

  writeRung(id: string, cut: Cut): void {
    const track = this.#track(id);
    if (track) this.#write(track, cut);
  }

  /** By the last epoch that has begun. */
  #dateOf(micros: number): number | null {
    const last = this.#epochs.at(-1);
    return last ? last.wallClock + (micros - last.startMicros) / 1000 + this.#drift.slewMs : null;
  }

  #epochFacts({ facts }: LiveTrack, { epoch, wallClock, startMicros, run }: EpochRef, { init, codecString }: TrackEpoch, reorderDelay: number): EpochFacts {
    return { epoch, timescale: facts.timescale, wallClock, start: rescale(startMicros, MICROS, facts.timescale), reorderDelay, codecString, run, init };
  }

  write(cut: Cut): void {
    const track = this.#tracks.find((one) => one.facts.kind === cut.kind && !isMade(one));
    if (!track) return;
    if (track === this.#lead) this.#followGrid(track, cut);
    this.#write(track, cut);
  }

  #write(track: LiveTrack, cut: Cut): void {
    switch (cut.type) {
      case 'fragment':
        this.#writeFragment(track, cut);
        break;
      case 'segment-end':
        this.#enqueue(track, 0, async () => this.#changed(() => track.window.closeSegment()));
        break;
      case 'hole':
        this.#enqueue(track, 0, () => this.#appendHole(track, cut.dts, cut.duration, cut.segmentStart));
        break;
    }
  }

  /** Captions are complete when the lead's segment is, and wait for nothing else. */
  #followGrid(lead: LiveTrack, cut: Cut): void {
    if (cut.type !== 'segment-end') this.#grid.fragment(cut.dts, cut.duration);
    if (cut.type === 'fragment' && !cut.segmentEnd) return;
    const closed = this.#grid.close();
    if (!closed) return;
    for (const track of this.#tracks) {
      if (!track.captions) continue;
      const ticks = (time: number): number => rescale(time, lead.facts.timescale, track.facts.timescale);
      this.#enqueue(track, 0, () => this.#appendCaptions(track, ticks(closed.from), ticks(closed.to)));
    }
  }

  async #appendCaptions(track: LiveTrack, from: number, to: number): Promise<void> {
    if (!track.captions) return;
    const data = track.captions.segment(track.sequence, from, Math.max(to, from + 1));
    track.sequence += 1;
    const entry = await track.log.append({ dts: from, firstPts: from, duration: Math.max(to - from, 1), key: true, segmentStart: true, gap: false }, data);
    this.#changed(() => {
      track.window.add(entry, this.#slewOf(track));
      track.window.closeSegment();
    });
  }

  /** What is to be read. 'no-language': players were told of none; 'full': too much waits to be shown. */
  caption(language: string, cue: Cue): 'said' | 'no-language' | 'full' {
    const track = this.#tracks.find(({ facts, captions }) => captions !== null && facts.language === language);
    const lead = this.#lead;
    if (!track?.captions || !lead) return 'no-language';
    return track.captions.say(cue, rescale(this.#grid.openFrom, lead.facts.timescale, MICROS)) ? 'said' : 'full';
  }

  /** Said beside the media; it is in the log, and in the manifests, with the next fragment of the lead track. False: too much waits for that. */
  event(event: PlacedEvent): boolean {
    return this.#events.announce(event);
  }

  /** The events of logs that were opened again. */
  async recallEvents(): Promise<void> {
    const lead = this.#lead;
    if (lead) this.#events.restore(await storedEvents(lead.log.reader, lead.window.eventful));
    this.#cached = null;
  }

  /** From here on not every segment starts with a key frame: what was promised of them is withdrawn. */
  withdrawIndependence(): void {
    this.#independent = false;
  }

  #track(id: string): LiveTrack | undefined {
    return this.#tracks.find(({ facts }) => facts.id === id);
  }

  /** Everything written so far is in the logs and announced. */
  async settled(): Promise<void> {
    await Promise.all(this.#tracks.map(({ queue }) => queue));
  }

  /** The show is over: ENDLIST for whoever watches, and the logs are on the platter. */
  async end(): Promise<void> {
    await this.settled();
    try {
      await this.alignTracks();
    } finally {
      this.#changed(() => {
        for (const { window } of this.#tracks) window.closeSegment();
        this.#state = 'ended';
      });
    }
    await Promise.all(this.#tracks.map(({ log }) => log.sync()));
  }

  /** Lets go of the files; what is in them stays, and a later start goes on from there. */
  async close(): Promise<void> {
    await this.settled();
    await Promise.all(this.#tracks.map(({ log }) => log.close()));
  }

  /**
   * A kill may have left one track a segment behind the others. A declared hole brings it level, so that the
   * same number means the same time in every playlist (RFC 8216bis 6.2.4).
   */
  async alignTracks(): Promise<void> {
    const longest = this.#tracks.reduce((most, { window }) => Math.max(most, window.segments.length), 0);
    const lead = this.#tracks.find(({ window }) => window.segments.length === longest);
    if (!lead) return;
    for (const track of this.#tracks) {
      for (let next = lead.window.segments[track.window.segments.length]; next; next = lead.window.segments[track.window.segments.length]) {
        const start = rescale(next.start, lead.facts.timescale, track.facts.timescale);
        const end = rescale(next.start + next.duration, lead.facts.timescale, track.facts.timescale);
        await this.#knowsEpoch(track, next.epoch);
        // Where nothing was said is no hole.
        if (track.captions) await this.#appendCaptions(track, start, end);
        else await this.#appendHole(track, start, end - start);
      }
    }
  }

  /** The kill may have come before the log of captions, or of a rung, knew of the epoch. */
  async #knowsEpoch(track: LiveTrack, epoch: number): Promise<void> {
    const known = this.#epochs.find((one) => one.epoch === epoch);
    if (!known || !(track.captions || isMade(track)) || (track.log.reader.snapshot().epochs.at(-1)?.epoch ?? -1) >= epoch) return;
    const { kind: _kind, reorderDelay, ...told } = track.captions ? textEpoch(epoch, track.facts) : unmade(track, epoch);
    track.epochs.push(told);
    await track.log.beginEpoch(this.#epochFacts(track, known, told, reorderDelay));
  }

  snapshot(): PresentationSnapshot {
    this.#cached ??= {
      video: this.facts.video,
      run: this.#names.now,
      state: this.#state,
      revision: this.#revision,
      policy: this.#independent === this.facts.policy.independentSegments ? this.facts.policy : { ...this.facts.policy, independentSegments: false },
      epochs: this.#epochs.slice(),
      tracks: this.#tracks.map((track) => this.#trackSnapshot(track)),
      events: this.#events.list,
      cut: { inMicros: null, outMicros: null },
    };
    return this.#cached;
  }

  reader(id: string): TrackLogReader | null {
    return this.#track(id)?.log.reader ?? null;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Its fragments carry the events: a player that plays sound alone has no other. */
  get #lead(): LiveTrack | undefined {
    return this.#tracks.find(({ facts }) => facts.kind === 'video') ?? this.#tracks.find(({ facts }) => facts.kind === 'audio');
  }

  #trackSnapshot(track: LiveTrack): TrackSnapshot {
    const { facts, window } = track;
    const { segments, open, liveStart } = window;
    const firstSegment = this.#state === 'ended' ? 0 : liveStart;
    const epochs = track.epochs.length === 0 && isMade(track) ? [plannedEpoch(track, this.#epochs[0]?.epoch ?? 0)] : track.epochs.slice();
    return { ...facts, epochs, segments, firstSegment, liveStart, endSegment: segments.length, open };
  }

  #writeFragment(track: LiveTrack, cut: CutFragment): void {
    const events = track === this.#lead ? this.#events.take(track.facts.timescale) : null;
    const media = fragment({ sequence: track.sequence, baseDecodeTime: cut.dts, kind: cut.kind, samples: cut.samples });
    const data = events ? [...events.boxes, ...media] : media;
    track.sequence += 1;
    const bytes = data.reduce((sum, part) => sum + part.length, 0);
    const { dts, firstPts, duration, key, segmentStart, segmentEnd } = cut;
    this.#enqueue(track, bytes, async () => {
      const entry = await track.log.append({ dts, firstPts, duration, key, segmentStart, gap: false, ...(events && { events: true }) }, data);
      this.#changed(() => {
        this.#add(track, entry);
        const { msn } = track.window.open ?? {};
        if (msn !== undefined) events?.written({ msn, epoch: entry.epoch });
        if (segmentEnd) track.window.closeSegment();
      });
    });
  }

  async #appendHole(track: LiveTrack, dts: number, duration: number, segmentStart = true): Promise<void> {
    const entry = await track.log.append({ dts, firstPts: dts, duration, key: true, segmentStart, gap: true }, []);
    this.#changed(() => {
      this.#add(track, entry);
      track.window.closeSegment();
    });
  }

  #add(track: LiveTrack, entry: FragmentEntry): void {
    track.window.add(entry, this.#slewOf(track));
    this.#names.came(this.#epochs.find(({ epoch }) => epoch === entry.epoch)?.run);
  }

  #slewOf({ facts }: LiveTrack): Slew {
    return (msn, start) => this.#drift.slew(msn, rescale(start, facts.timescale, 1_000), this.#clock.wall());
  }

  #enqueue(track: LiveTrack, bytes: number, task: () => Promise<void>): void {
    this.#backlog += bytes;
    track.queue = track.queue.then(task).catch(this.#onFault).finally(() => {
      this.#backlog -= bytes;
      for (const wake of this.#roomWaiters.splice(0)) wake();
    });
  }

  #changed(change: () => void): void {
    change();
    this.#revision += 1;
    this.#cached = null;
    for (const listener of this.#listeners) listener();
  }
}

/** What is encoded here begins an epoch when its turn has come, and not with what it is made of. */
const isMade = ({ facts: { rung, secondSound } }: LiveTrack): boolean => rung !== undefined || secondSound !== undefined;

const plannedEpoch = (track: LiveTrack, epoch: number): TrackEpoch => {
  const { kind: _kind, reorderDelay: _delay, ...planned } = unmade(track, epoch);
  return planned;
};

/** An epoch in which a rung has nothing (yet): what it was before, or what was planned. Of a second sound everything is known. */
const unmade = ({ epochs, facts: { rung, secondSound, timescale } }: LiveTrack, epoch: number): EpochTrack => {
  if (secondSound) return audioEpoch(epoch, secondConfig(secondSound), timescale);
  const planned = rung && { codecString: rung.codecString, width: rung.width, height: rung.height, ...(rung.frameRate !== null && { frameRate: rung.frameRate }) };
  return { kind: 'video', init: Buffer.alloc(0), codecString: '', ...planned, ...epochs.at(-1), epoch, reorderDelay: 0 };
};
