/**
 * From what the gate saw to what players are told. Everything here is frozen for the run.
 *
 *     TARGETDURATION   the source's GOP, several of them where they are short; 2 … 6 s
 *     PART-TARGET      as many pictures as fit the latency setting, each taken as the longest, + 2 ms
 *     PART-HOLD-BACK   3 × the largest PART-TARGET of the presentation (RFC 8216bis 4.4.3.8)
 */
import type { PresentationPolicy } from '../snapshot.ts';
import type { AudioConfig } from '../media/unit.ts';
import { MICROS } from '../media/wire-time.ts';
import type { Observed } from './gate.ts';
import type { LadderSource, Plan } from './ladder-plan.ts';
import type { SecondSoundFacts } from './run-facts.ts';

export type Latency = PresentationPolicy['latency'];

const PART_MICROS: Record<Latency, number> = { ultra: 200_000, low: 333_334, standard: 0 };
/** PART-TARGET is so much longer than the longest part. */
export const SLACK_MICROS = 2_000;
const MIN_TARGET = 2;
const MAX_TARGET = 6;
/** EXTINF is rounded before it is held against TARGETDURATION (4.4.3.1), so a GOP may run a little over. */
const OVERRUN_MICROS = 400_000;
/** Fragments where playlists name no parts: still small writes, and a short loss at a kill. */
const PLAIN_FRAGMENT_MICROS = 1 * MICROS;
const AUDIO_ONLY_SEGMENT = 4;
/** Of a day-long show no player wants more in one playlist; the recording has it all. */
const MOST_LISTED_SECONDS = 12 * 3600;

/** How the segmenter is to cut, micros. */
export type Rhythm = {
  readonly segmentMicros: number;
  readonly segmentLimitMicros: number;
  readonly gopMicros: number | null;
  readonly partLimitMicros: number;
  readonly longestFrameMicros: number;
  /** Pictures a second, as measured; null without pictures. */
  readonly frameRate: number | null;
  /** Frames of sound in the longest part. */
  readonly audioFramesPerPart: number;
};

export type Frozen = {
  readonly policy: PresentationPolicy;
  readonly rhythm: Rhythm;
  /** Seconds; null without parts. */
  readonly videoPartTarget: number | null;
  readonly audioPartTarget: number | null;
  /** Of a second sound; frames in its longest part. */
  readonly second: { readonly partTarget: number | null; readonly framesPerPart: number } | null;
};

export type Wish = {
  /** Languages of captions that players are told of. */
  readonly captions: readonly string[];
  readonly latency: Latency;
  /** How far back whoever watches live can go, seconds; null: to the beginning of the show. */
  readonly dvrSeconds: number | null;
  /** Which rungs there are to be below these pictures; absent: none. */
  readonly ladder?: ((source: LadderSource) => Plan) | undefined;
  /** What is to be made of the sound that comes; absent: nothing, and null: nothing of this. */
  readonly secondSound?: ((sent: AudioConfig) => Pick<SecondSoundFacts, 'channels' | 'bitRate'> | null) | undefined;
};

/** Rungs come out of an encoder: players must hold back for so much longer. */
const LADDER_DELAY_SECONDS = 0.3;

/** What is encoded beside what comes. */
type Made = { readonly hasRungs?: boolean; /** How long a frame of the second sound is. */ readonly secondFrameMicros?: number | null };

export const freeze = (seen: Observed, { latency, dvrSeconds }: Wish, audioFrameMicros: number | null, { hasRungs = false, secondFrameMicros = null }: Made = {}): Frozen => {
  const pictures = seen.video !== null;
  const wish = PART_MICROS[latency];
  // One picture longer than a part (a screen share at 1 fps) leaves nothing to gain from parts.
  const parts = wish > 0 && (!pictures || seen.longestFrameMicros <= wish);

  const frame = pictures ? seen.usualFrameMicros : (audioFrameMicros ?? MICROS / 40);
  const longest = pictures ? seen.longestFrameMicros : frame;
  const framesPerPart = Math.max(1, Math.round(wish / frame));
  // Stamps that come twice make the usual picture look short: no part is twice as long as was wished for.
  const videoTarget = Math.max(longest, Math.min(framesPerPart * longest, 2 * wish)) + SLACK_MICROS;
  const span = parts ? Math.min(framesPerPart * frame, 2 * wish) + 1_000 : PLAIN_FRAGMENT_MICROS;
  const audioFrame = audioFrameMicros ?? MICROS / 40;
  const audioFramesPerPart = Math.max(1, pictures ? Math.ceil(span / audioFrame) : Math.floor(span / audioFrame));
  const audioTarget = audioFramesPerPart * audioFrame + SLACK_MICROS;

  const segment = segmentRhythm(pictures ? seen.gopMicros : AUDIO_ONLY_SEGMENT * MICROS, pictures);
  const videoPartTarget = parts && pictures ? seconds(videoTarget) : null;
  const audioPartTarget = parts && audioFrameMicros !== null ? seconds(audioTarget) : null;
  // It is cut where the other tracks are, wherever that is among its own frames.
  const secondFrames = secondFrameMicros === null ? 0 : Math.max(1, Math.ceil(span / secondFrameMicros));
  const secondTarget = secondFrames * (secondFrameMicros ?? 0) + SLACK_MICROS;
  const second = secondFrameMicros === null ? null : { partTarget: parts ? seconds(secondTarget) : null, framesPerPart: secondFrames };
  return {
    policy: {
      latency: parts ? latency : 'standard',
      targetDuration: segment.targetDuration,
      partHoldBack: parts ? seconds(1e6 * (3 * Math.max(videoPartTarget ?? 0, audioPartTarget ?? 0, second?.partTarget ?? 0) + (hasRungs ? LADDER_DELAY_SECONDS : 0))) : null,
      version: 9, // 9 is what SKIP needs, and AVPlayer refuses SERVER-CONTROL below it (-12646).
      independentSegments: segment.independent,
      dvrSeconds: Math.min(dvrSeconds ?? MOST_LISTED_SECONDS, MOST_LISTED_SECONDS),
      closedCaptions: seen.closedCaptions,
    },
    rhythm: {
      segmentMicros: segment.segmentMicros,
      segmentLimitMicros: segment.targetDuration * MICROS + OVERRUN_MICROS,
      gopMicros: seen.gopMicros,
      partLimitMicros: parts ? videoTarget : PLAIN_FRAGMENT_MICROS,
      longestFrameMicros: longest,
      frameRate: pictures ? seen.frameRate : null,
      audioFramesPerPart,
    },
    videoPartTarget,
    audioPartTarget,
    second,
  };
};

const seconds = (micros: number): number => Math.ceil(micros / 10) / 1e5;

const segmentRhythm = (gopMicros: number | null, pictures: boolean): { segmentMicros: number; targetDuration: number; independent: boolean } => {
  const longest = MAX_TARGET * MICROS + OVERRUN_MICROS;
  if (gopMicros === null || gopMicros > longest) {
    // OBS on "auto" sends a key frame every 8.3 s: cut without one, and say so.
    return { segmentMicros: MAX_TARGET * MICROS, targetDuration: MAX_TARGET, independent: !pictures };
  }
  const gops = Math.max(1, Math.ceil((MIN_TARGET * MICROS) / gopMicros - 0.05));
  const segmentMicros = gops * gopMicros;
  const targetDuration = Math.min(MAX_TARGET, Math.max(MIN_TARGET, Math.ceil(segmentMicros / MICROS - 0.1)));
  return { segmentMicros, targetDuration, independent: true };
};
