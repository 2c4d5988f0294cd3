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
import { OpenTrack } from './open-track.ts';
import type { Rhythm } from './policy.ts';
import { LEAST_PART, SoundCutter } from './sound-cutter.ts';

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

export class Segmenter {
  readonly #o: SegmenterOptions;
  readonly #limit: number;
  readonly #longest: number;
  #pending: PlacedUnit | null = null;
  readonly #video: OpenTrack;
  readonly #audio: SoundCutter | null;
  #segmentStartMicros: number;
  #videoEndTicks: number;
  /** End of the picture that is shown last. Cut off behind a P picture, that is later than the end of decoding. */
  #shownUntilTicks = 0;
  #usualDuration = VIDEO_TIMESCALE / 30;
  #nonIndependent = false;

  constructor(options: SegmenterOptions) {
    this.#o = options;
    this.#limit = rescale(options.rhythm.partLimitMicros, MICROS, VIDEO_TIMESCALE);
    this.#longest = rescale(options.rhythm.longestFrameMicros, MICROS, VIDEO_TIMESCALE);
    this.#video = new OpenTrack('video', VIDEO_TIMESCALE);
    const { startMicros, audioTimescale: timescale, audioPartTarget: partTarget = null, rhythm, emit } = options;
    this.#audio = timescale === null ? null : new SoundCutter({ startMicros, timescale, partTarget, framesPerPart: rhythm.audioFramesPerPart, emit });
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

  /** How long the picture that came last may be shown in the part that it is in, micros; null: that part is as good as full. */
  get partRoomMicros(): number | null {
    const open = this.#video.duration;
    return open >= LEAST_PART * this.#limit ? null : rescale(this.#limit - open, VIDEO_TIMESCALE, MICROS);
  }

  write(unit: PlacedUnit): void {
    if (unit.kind === 'video') this.#writeVideo(unit);
    else this.#writeAudio(unit);
  }

  /** No sound comes, and none can be made: segments that were over by then do without, or players would wait for it for ever. */
  soundless(untilMicros: number): void {
    this.#audio?.soundless(untilMicros);
  }

  /**
   * The epoch ends here: the last picture gets the usual duration, `silence` brings sound up to it, and all
   * segments close. Returns the media time reached, micros: where the next epoch starts.
   */
  flush(silence: (untilMicros: number) => PlacedUnit[]): number {
    const audio = this.#audio;
    if (!this.#o.hasVideo) {
      audio?.endAlone();
      return Math.max(this.#o.startMicros, audio?.endMicros ?? 0);
    }
    if (!this.#pending) return this.#o.startMicros; // No picture, no epoch.
    this.#takePending(Math.min(this.#usualDuration, this.#longest));
    this.#cutVideo(true);
    const videoEnd = rescale(Math.max(this.#videoEndTicks, this.#shownUntilTicks), VIDEO_TIMESCALE, MICROS);
    if (!audio) return videoEnd;
    for (const unit of silence(videoEnd)) audio.add(unit);
    audio.end(videoEnd);
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
    this.#audio?.follow();
  }

  #cutVideo(segmentEnd: boolean): void {
    const cut = this.#video.cut(this.#video.count, segmentEnd);
    if (cut) this.#o.emit(cut);
    const micros = rescale(this.#videoEndTicks, VIDEO_TIMESCALE, MICROS);
    if (!cut && segmentEnd) this.#video.finish(micros, this.#o.startMicros, this.#o.emit);
    if (segmentEnd) this.#segmentStartMicros = micros;
    this.#audio?.line({ micros, segmentEnd });
  }

  #writeAudio(unit: PlacedUnit): void {
    const audio = this.#audio;
    if (!audio) return;
    audio.add(unit);
    if (this.#o.hasVideo) audio.follow();
    else if (audio.lead(this.#segmentStartMicros, this.#o.rhythm.segmentMicros) === 'segment') this.#segmentStartMicros = audio.endMicros;
  }
}
