/**
 * Cuts placed units into fragments, and fragments into segments.
 *
 *     video   |K····|·····|·····|K····|···     cuts the grid: a part before its limit, a segment at a key frame
 *     audio   |:::::|:::::|::::|:::::|         follows it with whole frames, so both count the same segments
 *
 * Without pictures, sound cuts the grid by itself. A picture's duration is known when the next one comes: that
 * one frame is all the delay there is.
 */
import type { Sample } from '../cmaf/fragment.ts';
import { VIDEO_TIMESCALE, type PlacedUnit } from '../media/timeline.ts';
import type { TrackKind } from '../media/unit.ts';
import { MICROS, rescale } from '../media/wire-time.ts';
import { SLACK_MICROS, type Rhythm } from './policy.ts';

export type CutFragment = {
  readonly type: 'fragment';
  readonly kind: TrackKind;
  readonly dts: number;
  readonly firstPts: number;
  readonly duration: number;
  readonly key: boolean;
  readonly segmentStart: boolean;
  /** The segment is complete with this fragment. */
  readonly segmentEnd: boolean;
  readonly samples: readonly Sample[];
};

/** The segment is complete, and its last fragment has been handed out already. */
export type CutSegmentEnd = { readonly type: 'segment-end'; readonly kind: TrackKind };
/** The segment has no sound (any more), and ends with that: a declared hole keeps the numbers and the times of both tracks together. */
export type CutHole = { readonly type: 'hole'; readonly kind: TrackKind; readonly segmentStart: boolean; readonly dts: number; readonly duration: number };
export type Cut = CutFragment | CutSegmentEnd | CutHole;

export type SegmenterOptions = {
  readonly rhythm: Rhythm;
  readonly startMicros: number;
  readonly hasVideo: boolean;
  readonly audioTimescale: number | null;
  /** What players were told of the parts of sound, seconds; null or absent: nothing. */
  readonly audioPartTarget?: number | null;
  readonly emit: (cut: Cut) => void;
};

type GridLine = { readonly micros: number; readonly segmentEnd: boolean };

/** Sound that runs on after the last picture of an epoch: more than this would make its last segment too long. */
const SPILL_MICROS = 50_000;
/** RFC 8216bis 4.4.3.7: a part that is not its segment's last is at least 85 % of PART-TARGET, which is a little longer than its frames. */
const LEAST_PART = 0.87;

export class Segmenter {
  readonly #o: SegmenterOptions;
  readonly #limit: number;
  readonly #longest: number;
  /** Ticks that a part of sound lasts at the most: frames of Opus, or at another sample rate, are not what they were at the beginning. */
  readonly #audioPart: number | null;
  #pending: PlacedUnit | null = null;
  readonly #video: OpenTrack;
  readonly #audio: OpenTrack | null;
  #segmentStartMicros: number;
  #videoEndTicks: number;
  /** End of the picture that is shown last. Cut off behind a P picture, that is later than the end of decoding. */
  #shownUntilTicks = 0;
  #usualDuration = VIDEO_TIMESCALE / 30;
  readonly #grid: GridLine[] = [];
  #nonIndependent = false;

  constructor(options: SegmenterOptions) {
    this.#o = options;
    this.#limit = rescale(options.rhythm.partLimitMicros, MICROS, VIDEO_TIMESCALE);
    this.#longest = rescale(options.rhythm.longestFrameMicros, MICROS, VIDEO_TIMESCALE);
    this.#video = new OpenTrack('video', VIDEO_TIMESCALE);
    this.#audio = options.audioTimescale === null ? null : new OpenTrack('audio', options.audioTimescale);
    const target = options.audioPartTarget ?? null;
    this.#audioPart = target === null ? null : rescale(target * MICROS - SLACK_MICROS / 2, MICROS, options.audioTimescale ?? MICROS);
    this.#segmentStartMicros = options.startMicros;
    this.#videoEndTicks = rescale(options.startMicros, MICROS, VIDEO_TIMESCALE);
  }

  /** A segment had to be cut without a key frame. */
  get cutWithoutKey(): boolean {
    return this.#nonIndependent;
  }

  /** Media time up to which pictures have been taken, micros. */
  get videoMicros(): number {
    return rescale(this.#pending?.dts ?? this.#videoEndTicks, VIDEO_TIMESCALE, MICROS);
  }

  /** Until when the last picture is shown, once the epoch is over: ticks of 90 kHz. */
  get shownUntil(): number {
    return Math.max(this.#videoEndTicks, this.#shownUntilTicks);
  }

  write(unit: PlacedUnit): void {
    if (unit.kind === 'video') this.#writeVideo(unit);
    else this.#writeAudio(unit);
  }

  /** No sound comes, and none can be made: segments that were over by then do without, or players would wait for it for ever. */
  soundless(untilMicros: number): void {
    const audio = this.#audio;
    if (!audio) return;
    for (let line = this.#grid[0]; line && line.micros <= untilMicros; line = this.#grid[0]) {
      this.#grid.shift();
      this.#cutAudio(audio, audio.framesBefore(rescale(line.micros, MICROS, audio.timescale)), line);
    }
  }

  /**
   * The epoch ends here: the last picture gets the usual duration, `silence` brings sound up to it, and all
   * segments close. Returns the media time reached, micros: where the next epoch starts.
   */
  flush(silence: (untilMicros: number) => PlacedUnit[]): number {
    const audio = this.#audio;
    if (!this.#o.hasVideo) {
      if (audio && (audio.count > 0 || audio.segmentOpen)) this.#cutAudio(audio, audio.count, { micros: audio.endMicros, segmentEnd: true });
      return Math.max(this.#o.startMicros, audio?.endMicros ?? 0);
    }
    if (!this.#pending) return this.#o.startMicros; // No picture, no epoch.
    this.#takePending(Math.min(this.#usualDuration, this.#longest));
    this.#cutVideo(true);
    const videoEnd = rescale(this.shownUntil, VIDEO_TIMESCALE, MICROS);
    if (!audio) return videoEnd;
    for (const unit of silence(videoEnd)) this.#addAudio(audio, unit);
    // Sound must end in the same segment as the picture, wherever it has got to.
    audio.keepBefore(rescale(videoEnd + SPILL_MICROS, MICROS, audio.timescale));
    const lines = this.#grid.splice(0);
    for (const [index, line] of lines.entries()) {
      const last = index === lines.length - 1;
      this.#cutAudio(audio, last ? audio.count : audio.framesBefore(rescale(line.micros, MICROS, audio.timescale)), line);
    }
    return Math.max(videoEnd, audio.endMicros);
  }

  #writeVideo(unit: PlacedUnit): void {
    if (!this.#pending) {
      this.#pending = unit;
      return;
    }
    const duration = unit.dts - this.#pending.dts;
    // A picture that stands for so long that its segment would be too long begins the next one, key frame or not.
    const overlong = rescale(unit.dts, VIDEO_TIMESCALE, MICROS) - this.#segmentStartMicros > this.#o.rhythm.segmentLimitMicros;
    if (overlong && (this.#video.count > 0 || this.#video.segmentOpen)) {
      this.#nonIndependent ||= !this.#pending.key;
      this.#closeVideoPart(true);
    }
    // One very long picture would break PART-TARGET for those before it: it gets a part of its own.
    if (this.#video.count > 0 && this.#video.duration + duration > this.#limit) this.#closeVideoPart(false);
    this.#usualDuration = duration;
    this.#takePending(duration);
    const segmentEnd = this.#endsSegment(unit);
    if (segmentEnd || this.#video.duration + this.#longest > this.#limit) this.#closeVideoPart(segmentEnd);
    this.#pending = unit;
  }

  #takePending(duration: number): void {
    if (!this.#pending) return;
    const unit = this.#pending;
    this.#video.add({ duration, size: unit.data.length, key: unit.key, compositionOffset: unit.pts - unit.dts, data: unit.data }, unit.dts, unit.pts);
    this.#videoEndTicks = unit.dts + duration;
    this.#shownUntilTicks = Math.max(this.#shownUntilTicks, unit.pts + duration);
    this.#pending = null;
  }

  /** Whether the segment ends before this picture. */
  #endsSegment(next: PlacedUnit): boolean {
    const { rhythm } = this.#o;
    const elapsed = rescale(next.dts, VIDEO_TIMESCALE, MICROS) - this.#segmentStartMicros;
    if (next.key) return elapsed >= 0.9 * rhythm.segmentMicros || elapsed + (rhythm.gopMicros ?? 0) > rhythm.segmentLimitMicros;
    const overrun = elapsed + rhythm.longestFrameMicros > rhythm.segmentLimitMicros;
    if (overrun) this.#nonIndependent = true;
    return overrun;
  }

  #closeVideoPart(segmentEnd: boolean): void {
    this.#cutVideo(segmentEnd);
    if (this.#audio) this.#followGrid(this.#audio);
  }

  #cutVideo(segmentEnd: boolean): void {
    const cut = this.#video.cut(this.#video.count, segmentEnd);
    if (cut) this.#o.emit(cut);
    const micros = rescale(this.#videoEndTicks, VIDEO_TIMESCALE, MICROS);
    if (!cut && segmentEnd) this.#finish(this.#video, micros);
    if (segmentEnd) this.#segmentStartMicros = micros;
    if (this.#audio) this.#grid.push({ micros, segmentEnd });
  }

  #writeAudio(unit: PlacedUnit): void {
    const audio = this.#audio;
    if (!audio) return;
    this.#addAudio(audio, unit);
    if (this.#o.hasVideo) {
      this.#followGrid(audio);
    } else if (this.#isFull(audio)) {
      const elapsed = audio.endMicros - this.#segmentStartMicros;
      const segmentEnd = elapsed + rescale(audio.duration, audio.timescale, MICROS) / 2 >= this.#o.rhythm.segmentMicros;
      const cut = audio.cut(audio.count, segmentEnd);
      if (cut) this.#o.emit(cut);
      if (segmentEnd) this.#segmentStartMicros = audio.endMicros;
    }
  }

  #isFull(audio: OpenTrack): boolean {
    return this.#audioPart === null ? audio.count >= this.#o.rhythm.audioFramesPerPart : audio.duration + audio.usualDuration > this.#audioPart;
  }

  /** Whether so many frames are not too short for a part. */
  #isPart(audio: OpenTrack, frames: number): boolean {
    const { audioFramesPerPart } = this.#o.rhythm;
    return this.#audioPart === null ? frames >= LEAST_PART * audioFramesPerPart : audio.durationOf(frames) >= LEAST_PART * this.#audioPart;
  }

  #mostFrames(audio: OpenTrack): number {
    return this.#audioPart === null ? this.#o.rhythm.audioFramesPerPart : audio.framesWithin(this.#audioPart);
  }

  #addAudio(audio: OpenTrack, unit: PlacedUnit): void {
    // Where a hole has been declared nothing can be any more: sound that comes too late for it is lost, and the frame that reaches beyond it begins there.
    const late = Math.max(0, audio.reached - unit.dts);
    const duration = (unit.duration ?? 0) - late;
    if (late > 0 && duration <= 0) return;
    const sample = { duration, size: unit.data.length, key: true, compositionOffset: 0, data: unit.data };
    audio.add(sample, unit.dts + late, unit.pts + late);
  }

  /** Cuts sound at each grid line that it has reached, at the frame border nearest to it. */
  #followGrid(audio: OpenTrack): void {
    for (let line = this.#grid[0]; line; line = this.#grid[0]) {
      const at = rescale(line.micros, MICROS, audio.timescale);
      if (audio.end + audio.usualDuration / 2 < at) return;
      // A segment ends with a part, which has been hinted at: there must be a frame for it.
      if (line.segmentEnd && audio.count === 0) return;
      this.#grid.shift();
      const frames = audio.framesBefore(at);
      if (line.segmentEnd || this.#isPart(audio, frames)) this.#cutAudio(audio, frames, line);
    }
  }

  #cutAudio(audio: OpenTrack, frames: number, { micros, segmentEnd }: GridLine): void {
    let left = Math.min(audio.count, Math.max(frames, segmentEnd && audio.segmentOpen ? 1 : 0));
    // Frames beyond what a part may hold wait for the next one, unless the segment ends here.
    for (let most = this.#mostFrames(audio); segmentEnd && left > most; most = this.#mostFrames(audio)) {
      const cut = audio.cut(most, false);
      if (cut) this.#o.emit(cut);
      left -= most;
    }
    const cut = audio.cut(Math.min(left, this.#mostFrames(audio)), segmentEnd);
    if (cut) this.#o.emit(cut);
    else if (segmentEnd) this.#finish(audio, micros);
  }

  /** Ends a segment for which no sample is left. */
  #finish(track: OpenTrack, micros: number): void {
    const segmentStart = !track.segmentOpen;
    const dts = Math.max(track.reached, rescale(this.#o.startMicros, MICROS, track.timescale));
    const duration = Math.max(1, rescale(micros, MICROS, track.timescale) - dts);
    track.segmentOpen = false;
    if (track.kind === 'audio' && (segmentStart || rescale(duration, track.timescale, MICROS) > SPILL_MICROS)) {
      this.#o.emit({ type: 'hole', kind: 'audio', segmentStart, dts, duration });
      track.moveTo(dts + duration);
    } else if (!segmentStart) this.#o.emit({ type: 'segment-end', kind: track.kind });
  }
}

/** Samples of one track that have not been cut yet. */
class OpenTrack {
  readonly kind: TrackKind;
  readonly timescale: number;
  segmentOpen = false;
  usualDuration = 0;
  #samples: { sample: Sample; dts: number; pts: number }[] = [];
  #duration = 0;
  #end = -1;
  #reached = -1;

  constructor(kind: TrackKind, timescale: number) {
    this.kind = kind;
    this.timescale = timescale;
  }
  get count(): number {
    return this.#samples.length;
  }
  get duration(): number {
    return this.#duration;
  }
  /** Ticks up to which samples have been added; -1 before the first. */
  get end(): number {
    return this.#end;
  }
  get endMicros(): number {
    return rescale(Math.max(0, this.#end), this.timescale, MICROS);
  }
  /** Ticks up to which samples have been handed out; -1 before the first. */
  get reached(): number {
    return this.#reached;
  }
  moveTo(end: number): void {
    this.#reached = end;
    this.#end = Math.max(this.#end, end);
  }
  /** Lets go of samples that lie (by more than half) behind this time. */
  keepBefore(at: number): void {
    for (const { sample } of this.#samples.splice(this.framesBefore(at))) {
      this.#duration -= sample.duration;
      this.#end -= sample.duration;
    }
  }
  add(sample: Sample, dts: number, pts: number): void {
    this.#samples.push({ sample, dts, pts });
    this.#duration += sample.duration;
    this.usualDuration = sample.duration;
    this.#end = dts + sample.duration;
  }
  /** How many of the samples lie (by more than half) before this time. */
  framesBefore(at: number): number {
    let frames = 0;
    for (const { sample, dts } of this.#samples) {
      if (dts + sample.duration / 2 > at) break;
      frames += 1;
    }
    return frames;
  }
  durationOf(frames: number): number {
    return this.#samples.slice(0, frames).reduce((sum, { sample }) => sum + sample.duration, 0);
  }
  /** How many of the samples last no longer than this together; one at the least. */
  framesWithin(duration: number): number {
    let frames = 0;
    for (let left = duration; frames < this.#samples.length; frames += 1) {
      left -= this.#samples[frames]?.sample.duration ?? 0;
      if (left < 0) break;
    }
    return Math.max(1, frames);
  }
  cut(frames: number, segmentEnd: boolean): CutFragment | null {
    const taken = this.#samples.splice(0, frames);
    const first = taken[0];
    if (!first) return null;
    const duration = taken.reduce((sum, { sample }) => sum + sample.duration, 0);
    this.#duration -= duration;
    this.#reached = first.dts + duration;
    const segmentStart = !this.segmentOpen;
    this.segmentOpen = !segmentEnd;
    return {
      type: 'fragment',
      kind: this.kind,
      dts: first.dts,
      firstPts: first.pts,
      duration,
      key: first.sample.key,
      segmentStart,
      segmentEnd,
      samples: taken.map(({ sample }) => sample),
    };
  }
}
