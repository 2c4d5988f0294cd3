/**
 * A show: what one streamer sends, from the first access unit to the end, over as many sessions as the line
 * makes of it.
 *
 *     units ──▶ gate ──(opens)──▶ timeline ──▶ segmenter ──▶ run (logs, snapshot)
 *                                  one epoch: ends at a jump, a new configuration, a lost session
 */
import type { Clock } from '../clock.ts';
import { EventIntake, type WireEvent } from '../media/event.ts';
import { aloneAgain, keptConfig, pictureReader, type PictureReader } from '../media/picture.ts';
import { pictureFacts } from '../media/picture-facts.ts';
import { EpochTimeline, type AudioShape, type PlacedUnit } from '../media/timeline.ts';
import { plainText } from '../text/cue.ts';
import { sameConfig, type AccessUnit, type AudioConfig, type TrackConfig, type TrackKind, type VideoCodec, type VideoConfig, type WireClock } from '../media/unit.ts';
import { MICROS, rescale } from '../media/wire-time.ts';
import { Beside, type BesideOptions } from './beside.ts';
import { audioEpoch, audioShape, videoEpoch } from './epoch-tracks.ts';
import { storedConfigs } from './stored-epochs.ts';
import { Gate, heldBytes, type Arrival } from './gate.ts';
import type { KeyPicture } from './key-picture.ts';
import type { Wish } from './policy.ts';
import type { LiveRun, RunTrack } from './run.ts';
import { isToldOf, sentTracks } from './run-facts.ts';
import { Segmenter, type Cut } from './segmenter.ts';
import { showShape, type ShowShape } from './show-shape.ts';
import { StandIn } from './stand-in.ts';

export type { ShowShape } from './show-shape.ts';

export type ShowOptions = BesideOptions & {
  readonly clock: Clock;
  /** What the channel wants of its shows. */
  readonly wish: Wish;
  /** A run that goes on after a restart; otherwise one is made when the gate opens. */
  readonly run?: LiveRun;
  /** The gate has opened: keep the facts, make the logs. */
  readonly open: (shape: ShowShape) => Promise<LiveRun>;
  /** The run is there, and what was held is in it. */
  readonly opened?: () => void;
  /** The show cannot go on (the run could not be made, a log refuses). */
  readonly fault: (error: unknown) => void;
};

/** 'new-run': what comes now does not fit what players were told; the owner finishes this show and begins another. */
export type Taken = 'ok' | 'new-run';

/** Bytes on their way to the logs beyond which the sender has to wait. */
const MAX_BACKLOG = 16 * 1024 * 1024;
/** No sound for so long beside running pictures: silence takes its place, or players would wait for it for ever. */
const SILENT_AFTER_MICROS = 1 * MICROS;
const SILENCE_LAG_MICROS = MICROS / 2;

/** An event that is said to be further from the present than this was not said of this show. */
const EVENT_AHEAD_MICROS = 10 * 60 * MICROS;
const EVENT_BEHIND_MICROS = 30 * MICROS;
/** What may wait for the first picture to tell when it is. */
const MOST_EARLY_EVENTS = 50;

type Epoch = { readonly timeline: EpochTimeline; readonly segmenter: Segmenter; readonly audio: AudioShape | null; begun: boolean };

export class Show {
  readonly #o: ShowOptions;
  #run: LiveRun | null;
  #gate: Gate | null = null;
  #opening: Promise<void> | null = null;
  /** What players are (about to be) told of; null while the gate is closed. */
  #told: readonly Pick<RunTrack, 'kind' | 'codec'>[] | null;
  /** Arrivals while the run is being made. */
  #waiting: Arrival[] = [];
  #waitingBytes = 0;
  #wire: WireClock | null = null;
  #epoch: Epoch | null = null;
  #mediaMicros: number;
  #declared: Partial<Record<TrackKind, number>> = {};
  readonly #configs: { video?: VideoConfig; audio?: AudioConfig } = {};
  #pictures: PictureReader | null = null;
  #videoCodec: VideoCodec = 'h264';
  #sound: AudioShape | null = null;
  #epochWall = 0;
  /** Media time of the pictures when sound last came. */
  #soundSeenAt = 0;
  readonly #standIn = new StandIn();
  readonly #intake: EventIntake;
  #earlyEvents: WireEvent[] = [];
  #newestKey: KeyPicture | null = null;
  #beside: Beside | null = null;

  constructor(options: ShowOptions) {
    this.#o = options;
    this.#intake = new EventIntake(options.clock);
    this.#run = options.run ?? null;
    this.#told = options.run ? sentTracks(options.run.facts.tracks) : null;
    this.#mediaMicros = options.run?.endMicros ?? 0;
    if (options.run) this.#beside = new Beside(options.run, options);
    // A publisher may come back without a track that players were told of: what it was tells what its silence is.
    for (const config of options.run ? storedConfigs(sentTracks(options.run.snapshot().tracks)) : []) this.#configure(config);
  }

  /** Null until the gate has opened. */
  get run(): LiveRun | null {
    return this.#run;
  }

  get full(): boolean {
    return (this.#run?.backlog ?? 0) + this.#waitingBytes > MAX_BACKLOG;
  }

  async room(): Promise<void> {
    await this.#opening;
    await this.#run?.room(MAX_BACKLOG / 2);
  }

  /** A publisher is there (again). Its stamps have nothing to do with those before. */
  begin(wire: WireClock): void {
    this.#endEpoch();
    this.#earlyEvents = [];
    this.#wire = wire;
    if (this.#run) this.#standIn.begin(wire, this.#run.facts.rhythm);
    else if (!this.#opening) this.#gate = new Gate(wire);
  }

  /** Bits a second that the sender says it will send. */
  declare(rates: Partial<Record<TrackKind, number>>): void {
    this.#declared = rates;
  }

  track(sent: TrackConfig): Taken {
    // Parsed for its errors: a configuration that cannot be read ends its sender, not the show.
    const config = sent.kind === 'video' ? this.#readPictures(sent) : sent;
    if (config.kind === 'audio') this.#sound = audioShape(config, null);
    if (this.#told && !isToldOf(this.#told, config)) return 'new-run';
    // Of VP9, the first key picture says how large it is.
    if (config.kind === 'video' && pictureFacts(config).size === null) return 'ok';
    return this.#arrive({ type: 'track', config, wall: this.#o.clock.wall() });
  }

  #readPictures(sent: VideoConfig): VideoConfig {
    const config = keptConfig(sent);
    this.#pictures = pictureReader(config.codec, config);
    this.#videoCodec = config.codec;
    return config;
  }

  write(unit: AccessUnit): Taken {
    if (unit.kind === 'audio') {
      if (unit.data.length === 0) return 'ok';
      this.#sound?.samplesOf?.(unit.data); // Here it costs its sender; further in, the show.
      return this.#arrive({ type: 'unit', unit, wall: this.#o.clock.wall() });
    }
    this.#pictures ??= pictureReader(this.#videoCodec, null);
    const picture = this.#pictures(unit.data);
    if (picture.config && this.track(picture.config) === 'new-run') return 'new-run';
    if (picture.empty) return 'ok';
    // An open GOP of H.264 begins with a picture that does not say so in its type; in other codecs it does.
    const key = picture.key || (unit.key && this.#videoCodec === 'h264');
    // Announced, and so late that the show has begun as sound alone.
    if (this.#told && !this.#told.some(({ kind }) => kind === 'video')) return key ? 'new-run' : 'ok';
    return this.#arrive({ type: 'unit', unit: { ...unit, key, data: picture.data }, wall: this.#o.clock.wall() });
  }

  event(event: WireEvent): void {
    if (this.#intake.takes(event)) this.#arrive({ type: 'event', event, wall: this.#o.clock.wall() });
  }

  /** Something to read, from now on if it is not said from when. Null: nothing is shown yet. */
  caption(language: string, said: { readonly text: string; readonly startMicros?: number; readonly durationMicros: number }): 'said' | 'no-language' | 'full' | null {
    const run = this.#run;
    if (!run) return null;
    const startMicros = said.startMicros ?? this.#nowMicros(run);
    return run.caption(language, { startMicros, endMicros: startMicros + said.durationMicros, text: plainText(said.text) });
  }

  /** Media time that has been reached; while nobody sends, where the next epoch begins. */
  #nowMicros(run: LiveRun): number {
    const epoch = this.#epoch;
    if (!epoch?.begun) return this.#mediaMicros;
    return run.facts.tracks.some(({ kind }) => kind === 'video') ? epoch.segmenter.videoMicros : epoch.timeline.audioEndMicros;
  }

  /** Null: none has come since the server was started. */
  get newestKey(): KeyPicture | null {
    return this.#newestKey;
  }

  /** Events that were too many, too large, or not what they said. */
  get droppedEvents(): number {
    return this.#intake.dropped;
  }

  /** The publisher is gone: what it sent is brought to an end, and the playlists are held as they are. */
  async pause(): Promise<void> {
    await this.#possible();
    this.#endEpoch();
    // What is encoded beside it may take seconds to come on a busy machine: whoever comes back is not to wait for it.
    await this.#run?.settled();
  }

  /** What was held begins the show, if it is enough for one. */
  async #possible(): Promise<void> {
    if (this.#gate?.possible()) this.#openGate(this.#gate);
    await this.#opening;
  }

  /** When what was encoded of it is in the run, nobody encodes for it any more. */
  async release(): Promise<void> {
    await this.#beside?.settled();
    this.#beside?.close();
  }

  /** The show is over. False: nothing of it was ever shown. */
  async finish(): Promise<boolean> {
    await this.#possible();
    // The show that takes its place is planned while this one comes to its end.
    this.#beside?.leave();
    await this.pause();
    await this.release();
    await this.#run?.end();
    return this.#run !== null;
  }

  #arrive(arrival: Arrival): Taken {
    if (this.#gate) {
      if (arrival.type === 'track' && !this.#gate.fits(arrival.config)) this.#gate = this.#gate.afresh(arrival.config.kind);
      this.#gate.add(arrival, this.#o.clock.now());
      if (this.#gate.ready()) this.#openGate(this.#gate);
      else if (this.#gate.overfull) this.#o.fault(new Error('no key frame came within the first 64 MB'));
      return 'ok';
    }
    if (this.#opening) {
      this.#waiting.push(arrival);
      this.#waitingBytes += heldBytes(arrival);
      return 'ok';
    }
    return this.#take(arrival);
  }

  #openGate(gate: Gate): void {
    this.#gate = null;
    const shape = showShape(gate.observed(), this.#o.wish, this.#declared);
    this.#told = sentTracks(shape.tracks);
    this.#waiting = gate.release();
    this.#opening = this.#open(shape).catch(this.#o.fault).finally(() => {
      this.#opening = null;
    });
  }

  async #open(shape: ShowShape): Promise<void> {
    this.#run = await this.#o.open(shape);
    this.#beside = new Beside(this.#run, this.#o);
    if (this.#wire) this.#standIn.begin(this.#wire, this.#run.facts.rhythm);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    // MPEG-TS tells of a track with its first frame, which may come behind pictures: the first epoch has to know of it.
    for (const arrival of waiting) if (arrival.type === 'track' && !this.#configs[arrival.config.kind]) this.#configure(arrival.config);
    for (const arrival of waiting) this.#take(arrival);
    this.#o.opened?.();
  }

  #take(arrival: Arrival): Taken {
    if (arrival.type === 'track') {
      const { config } = arrival;
      if (!this.#run || !isToldOf(sentTracks(this.#run.facts.tracks), config)) return 'new-run';
      const known = this.#configs[config.kind];
      if (known && sameConfig(known, config)) return 'ok';
      this.#configure(config);
      if (config.kind === 'video') this.#standIn.forget();
      this.#endEpoch();
      return 'ok';
    }
    if (arrival.type === 'event') {
      this.#placeEvent(arrival.event);
      return 'ok';
    }
    const { unit } = arrival;
    const kinds = this.#run?.facts.tracks.map(({ kind }) => kind) ?? [];
    if (!kinds.includes(unit.kind)) return 'ok';
    if (unit.kind === 'video') {
      const seen = this.#standIn.picture(unit, unit.key ? aloneAgain(this.#videoCodec, unit.data) : null, arrival.wall);
      if (!seen) return 'ok';
      for (const one of seen.before) this.#put(one, arrival.wall);
      if (seen.apart) this.#endEpoch();
      this.#put(seen.unit, arrival.wall);
      return 'ok';
    }
    if (kinds.includes('video')) {
      const { waitedMs } = this.#standIn;
      const standIns = this.#standIn.sound(unit, this.#microsOf(unit, arrival.wall), arrival.wall, this.#epoch?.segmenter.partRoomMicros ?? null);
      if (!standIns) return 'new-run';
      for (const one of standIns) this.#put(one, arrival.wall - waitedMs);
    }
    this.#put(unit, arrival.wall);
    return 'ok';
  }

  /** How long a frame of sound is. */
  #microsOf({ data }: AccessUnit, wall: number): number {
    this.#epoch ??= this.#newEpoch(wall);
    const audio = this.#epoch?.audio;
    return audio ? ((audio.samplesOf?.(data) ?? audio.frameLength) * MICROS) / audio.sampleRate : 0;
  }

  #put(unit: AccessUnit, wall: number): void {
    let placed = this.#place(unit, wall);
    if (placed === 'break') {
      this.#endEpoch();
      placed = this.#place(unit, wall);
    }
    if (placed !== 'break') for (const one of placed) this.#cut(one);
  }

  #configure(config: TrackConfig): void {
    if (config.kind === 'video') this.#configs.video = config;
    else this.#configs.audio = config;
  }

  #place(unit: AccessUnit, wall: number): PlacedUnit[] | 'break' {
    this.#epoch ??= this.#newEpoch(wall);
    if (!this.#epoch) return [];
    if (!this.#epoch.timeline.begun && unit.kind === 'video' && unit.key) this.#epochWall = wall;
    return this.#epoch.timeline.place(unit);
  }

  #placeEvent(event: WireEvent): void {
    const epoch = this.#epoch;
    const { run } = this;
    if (!epoch?.begun || !run || !this.#wire) {
      if (this.#earlyEvents.length < MOST_EARLY_EVENTS) this.#earlyEvents.push(event);
      else this.#intake.dropped += 1;
      return;
    }
    const { scheme, pts, duration, data } = event;
    const { timescale } = this.#wire;
    const now = this.#nowMicros(run);
    const said = pts === null ? null : epoch.timeline.when(pts);
    const micros = Math.max(0, said ?? now);
    const near = micros >= now - EVENT_BEHIND_MICROS && micros <= now + EVENT_AHEAD_MICROS;
    const durationMicros = duration === null ? null : rescale(duration, timescale, MICROS);
    if (!near || !run.event({ scheme, micros, durationMicros, data })) this.#intake.dropped += 1;
  }

  #newEpoch(wall: number): Epoch | null {
    const run = this.#run;
    if (!run || !this.#wire) return null;
    const hasVideo = run.facts.tracks.some(({ kind }) => kind === 'video');
    const soundTrack = run.facts.tracks.find(({ kind }) => kind === 'audio');
    const config = this.#configs.audio;
    const audio = config && soundTrack ? audioShape(config, soundTrack.timescale) : null;
    const startMicros = this.#mediaMicros;
    const { longestFrameMicros: usualFrameMicros, segmentLimitMicros: longestPictureMicros } = run.facts.rhythm;
    this.#epochWall = wall;
    const timeline = new EpochTimeline({ clock: this.#wire, startMicros, hasVideo, audio, usualFrameMicros, longestPictureMicros });
    const segmenter = new Segmenter({
      rhythm: run.facts.rhythm,
      startMicros,
      hasVideo,
      audioTimescale: soundTrack?.timescale ?? null,
      audioPartTarget: soundTrack?.partTarget ?? null,
      emit: (cut) => this.#cutOut(run, cut),
    });
    this.#soundSeenAt = startMicros;
    return { timeline, segmenter, audio, begun: false };
  }

  #cutOut(run: LiveRun, cut: Cut): void {
    run.write(cut);
    this.#beside?.cut(cut);
  }

  #cut(unit: PlacedUnit): void {
    const epoch = this.#epoch;
    if (!epoch) return;
    if (!epoch.begun) {
      epoch.begun = true;
      this.#announceEpoch(epoch);
      for (const event of this.#earlyEvents.splice(0)) this.#placeEvent(event);
    }
    epoch.segmenter.write(unit);
    this.#beside?.unit(unit);
    const { video: config } = this.#configs;
    if (unit.kind === 'video' && unit.key && config) this.#newestKey = { config, data: unit.data };
    if (epoch.segmenter.cutWithoutKey) this.#run?.withdrawIndependence();
    const pictures = epoch.segmenter.videoMicros;
    if (unit.kind === 'audio') this.#soundSeenAt = pictures;
    else if (pictures - this.#soundSeenAt > SILENT_AFTER_MICROS) {
      if (epoch.audio?.silence === null) epoch.segmenter.soundless(pictures - SILENT_AFTER_MICROS);
      for (const silent of epoch.timeline.fillSilence(pictures - SILENCE_LAG_MICROS)) {
        epoch.segmenter.write(silent);
        this.#beside?.unit(silent);
      }
    }
  }

  #announceEpoch({ timeline }: Epoch): void {
    const run = this.#run;
    if (!run) return;
    const epoch = run.nextEpoch;
    const { video, audio } = this.#configs;
    const tracks = sentTracks(run.facts.tracks).flatMap(({ kind, timescale }) => {
      if (kind === 'video' && video) return [videoEpoch(epoch, video, timeline.reorderDelay, run.facts.rhythm.frameRate)];
      return kind === 'audio' && audio ? [audioEpoch(epoch, audio, timescale)] : [];
    });
    run.beginEpoch({ epoch, wallClock: Math.round(this.#epochWall), startMicros: this.#mediaMicros }, tracks);
    this.#beside?.begin(epoch, this.#configs, this.#mediaMicros, timeline.reorderDelay);
  }

  #endEpoch(): void {
    const epoch = this.#epoch;
    this.#epoch = null;
    if (!epoch?.begun) return;
    this.#beside?.ending();
    this.#mediaMicros = epoch.segmenter.flush((until) => {
      const silent = epoch.timeline.fillSilence(until);
      for (const unit of silent) this.#beside?.unit(unit);
      return silent;
    });
    this.#beside?.end(this.#mediaMicros);
  }
}
