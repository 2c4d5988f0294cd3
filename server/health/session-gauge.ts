/**
 * One session, measured as its units pass: a few additions each, and nothing that grows. What it knows is put together
 * when somebody asks.
 */
import type { Clock } from '../../packager/clock.ts';
import type { LineReport, PublishRequest } from '../../packager/media/publish.ts';
import type { AccessUnit, MediaKind, TrackConfig } from '../../packager/media/unit.ts';
import { Unwrapper } from '../../packager/media/wire-time.ts';
import { Arrival } from './arrival.ts';
import type { ArrivalFacts, AudioFacts, AudioShape, LineFacts, SessionFacts, VideoFacts, VideoShape } from './facts.ts';
import { Gops } from './gops.ts';
import type { Seconds } from './seconds.ts';
import { audioShape, videoShape } from './shapes.ts';

/** Further apart is no slow picture, unless they have been about as slow all the time. */
const leapMs = 3_000;
const slowPictures = 3;
const slowestMs = 10_000;
const backMs = 1_000;
/** Stamps that leapt while as much time went by did not leap: nothing came. */
const slackMs = 1_000;
const rateSeconds = 5;
const lineReports = 11;
const longestName = 100;

/** `spacing`: the usual distance of two stamps. */
type Track = { readonly times: Unwrapper; last: number | null; at: number; spacing: number };
/** What the rate is counted from: stamps of pictures, at most so many seconds of them. */
type Rate = { from: number; to: number; frames: number };

export type Stirred = 'jump' | 'gap';

export class SessionGauge {
  readonly since: number;
  readonly #request: PublishRequest;
  readonly #clock: Clock;
  readonly #seconds: Seconds;
  readonly #begun: number;
  readonly #tracks: Record<MediaKind, Track>;
  readonly #gops = new Gops();
  readonly #arrival = new Arrival();
  readonly #rates: Rate[] = [];
  #software: string | null;
  #video: VideoShape | null = null;
  #audio: AudioShape | null = null;
  #pictures = false;
  #reordered = false;
  #lines: LineReport[] = [];
  #bytes = 0;

  constructor(request: PublishRequest, clock: Clock, seconds: Seconds) {
    this.#request = request;
    this.#clock = clock;
    this.#seconds = seconds;
    this.#begun = clock.now();
    this.#software = request.software?.slice(0, longestName) ?? null;
    this.since = clock.wall();
    const track = (): Track => ({ times: new Unwrapper(request.clock), last: null, at: this.#begun, spacing: 0 });
    this.#tracks = { video: track(), audio: track() };
  }

  track(config: TrackConfig): { readonly video: VideoShape } | { readonly audio: AudioShape } {
    if (config.kind === 'video') return { video: (this.#video = videoShape(config)) };
    return { audio: (this.#audio = audioShape(config)) };
  }

  /** What was odd about it; null: nothing. */
  write(unit: AccessUnit): Stirred | null {
    const now = this.#clock.now();
    const { kind, dts, pts, data } = unit;
    this.#bytes += data.length;
    this.#seconds.take(kind, data.length, now);
    const track = this.#tracks[kind];
    const stamp = (track.times.unwrap(dts) * 1000) / this.#request.clock.timescale;
    const step = track.last === null ? 0 : stamp - track.last;
    const stirred = stirring(step, now - track.at, patienceOf(track));
    if (stirred !== 'jump' && step > 0) track.spacing += (Math.min(step, slowestMs) - track.spacing) / (track.spacing === 0 ? 1 : 8);
    track.last = stamp;
    track.at = now;
    const leads = kind === 'video' || !this.#pictures;
    if (kind === 'video') this.#picture(unit, stamp, pts !== dts, stirred !== null);
    if (!leads) return null;
    if (stirred !== null) this.#arrival.leap();
    this.#arrival.take(stamp, now);
    return stirred;
  }

  /** OBS connects under the name of an encoder of 2005, and has its own in onMetaData only. */
  hint({ encoder }: Readonly<Record<string, unknown>>): void {
    const name = typeof encoder === 'string' ? encoder.replace(/[^\x20-\x7e]/g, '').trim() : '';
    if (name !== '') this.#software = name.slice(0, longestName);
  }

  /** Reports come once a second: ten of them are the last ten seconds. */
  line(report: LineReport): void {
    this.#lines.push(report);
    if (this.#lines.length > lineReports) this.#lines.shift();
  }

  get bytes(): number {
    return this.#bytes;
  }
  /** All that the line has counted. */
  get lastLine(): LineReport | null {
    return this.#lines.at(-1) ?? null;
  }

  get session(): SessionFacts {
    const { protocol, address } = this.#request;
    return { protocol, software: this.#software, address, since: this.since, age: Math.round(this.#clock.now() - this.#begun) };
  }

  get video(): VideoFacts | null {
    const shape = this.#video;
    if (!shape) return null;
    const now = this.#clock.now();
    return {
      ...shape,
      fps: this.#fps(now),
      bitrate: this.#seconds.bitrate('video', rateSeconds, this.#begun, now),
      gop: this.#gops.facts,
      reordered: this.#reordered,
      openKeys: this.#gops.openKeys,
      silent: Math.round(now - this.#tracks.video.at),
      patience: Math.round(patienceOf(this.#tracks.video)),
    };
  }

  get audio(): AudioFacts | null {
    const now = this.#clock.now();
    return this.#audio && { ...this.#audio, bitrate: this.#seconds.bitrate('audio', rateSeconds, this.#begun, now), silent: Math.round(now - this.#tracks.audio.at) };
  }

  get arrival(): ArrivalFacts {
    return this.#arrival.facts(this.#clock.now(), patienceOf(this.#tracks[this.#pictures ? 'video' : 'audio']));
  }

  get lineFacts(): LineFacts | null {
    const last = this.#lines.at(-1);
    const first = this.#lines[0];
    if (!last || !first) return null;
    const seconds = Math.max(1, this.#lines.length - 1);
    return {
      ...last,
      recent: {
        packets: last.packets - first.packets,
        lost: last.lost - first.lost,
        dropped: last.dropped - first.dropped,
        undecrypted: last.undecrypted - first.undecrypted,
        bitrate: Math.round(((last.bytes - first.bytes) * 8) / seconds),
      },
    };
  }

  #picture(unit: AccessUnit, stamp: number, moved: boolean, leapt: boolean): void {
    if (!this.#pictures) this.#arrival.leap(); // Sound led so far, by stamps of its own.
    this.#pictures = true;
    if (moved) this.#reordered = true;
    if (leapt) {
      this.#gops.leap();
      this.#rates.length = 0;
    }
    this.#gops.take(unit, stamp, this.#video?.codec ?? '');
    const rate = this.#rates.at(-1);
    if (rate && stamp - rate.from < 1_000) {
      rate.frames += 1;
      rate.to = Math.max(rate.to, stamp);
      return;
    }
    this.#rates.push({ from: stamp, to: stamp, frames: 1 });
    if (this.#rates.length > rateSeconds) this.#rates.shift();
  }

  /** By stamps, so that a line that stutters does not make it look like a camera that does. */
  #fps(now: number): number | null {
    const [first] = this.#rates;
    const last = this.#rates.at(-1);
    if (!first || !last || last.to - first.from < 900 || now - this.#tracks.video.at > patienceOf(this.#tracks.video)) return null;
    const frames = this.#rates.reduce((sum, rate) => sum + rate.frames, 0) - 1;
    return Math.round((frames * 100_000) / (last.to - first.from)) / 100;
  }
}

const patienceOf = ({ spacing }: Track): number => Math.max(leapMs, slowPictures * spacing);

const stirring = (step: number, passed: number, patience: number): Stirred | null => {
  if (step < -backMs) return 'jump';
  if (step <= patience) return null;
  return step > passed + slackMs ? 'jump' : 'gap';
};
