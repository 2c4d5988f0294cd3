/** From what the gate saw and what the channel wants to what players are told: the policy, and a list of tracks with their rates. */
import { segmentPeak } from '../encode/live-rate.ts';
import { isBright } from '../encode/live-shape.ts';
import { opusRate } from '../media/opus.ts';
import { pictureFacts, shownSize } from '../media/picture-facts.ts';
import { VIDEO_TIMESCALE } from '../media/timeline.ts';
import type { TrackKind } from '../media/unit.ts';
import { MICROS } from '../media/wire-time.ts';
import { TEXT_TIMESCALE, wvtt } from '../text/cue.ts';
import { languageName } from '../text/language-name.ts';
import { audioShape } from './epoch-tracks.ts';
import type { Observed } from './gate.ts';
import { playsEverywhere, type Plan } from './ladder-plan.ts';
import { freeze, type Wish } from './policy.ts';
import type { RunFacts, RungFacts, RunTrack } from './run.ts';
import type { SecondSoundFacts } from './run-facts.ts';

/** All that a run is, but for the names that its owner gives it. */
export type ShowShape = Omit<RunFacts, 'video' | 'run'>;

/** Told of when the show begins, although nobody may ever say anything: players read the list of tracks once. */
const textTrack = (id: string, language: string): RunTrack => ({
  ...{ id, kind: 'text', codec: wvtt, timescale: TEXT_TIMESCALE, partTarget: null, group: 'captions' },
  ...{ bandwidth: 2_000, averageBandwidth: 1_000, language, name: languageName(language) },
});

/** 1024 samples of 48 kHz. */
const SECOND_FRAME_MICROS = (1024 * MICROS) / opusRate;
/** Encoders of AAC keep to their rate, but for a start that is loud. */
const SECOND_PEAK = 1.25;

/** In a group of its own: whoever plays one codec is not switched to the other. */
const secondTrack = (id: string, secondSound: SecondSoundFacts, partTarget: number | null): RunTrack => ({
  ...{ id, kind: 'audio', codec: 'aac', timescale: opusRate, partTarget, group: 'audio-aac', secondSound },
  ...{ bandwidth: Math.ceil(secondSound.bitRate * SECOND_PEAK), averageBandwidth: secondSound.bitRate },
});

/**
 * Players order rungs by what they take of the line, and read that once: a source that begins with a still picture takes
 * next to nothing until then, and they would never choose it above a rung, or never a rung instead of it.
 */
const ABOVE_RUNGS = 1.25;

const ratesOfRung = ({ bitRate }: RungFacts): Pick<RunTrack, 'bandwidth' | 'averageBandwidth'> => ({ bandwidth: segmentPeak(bitRate), averageBandwidth: bitRate });

/** The highest first. */
const rungsOf = ({ video, frameRate }: Observed, { ladder }: Wish): Plan => {
  const facts = video && pictureFacts(video);
  if (!ladder || !video || !facts?.size) return [];
  // What is encoded has square pixels: as wide as it is shown.
  return ladder({ ...shownSize(facts.size, facts.sar), bright: isBright(facts.colour), frameRate, codec: video.codec, standard: playsEverywhere(video.codec, facts.codecString) });
};

export const showShape = (observed: Observed, wish: Wish, declared: Partial<Record<TrackKind, number>>): ShowShape => {
  const audio = observed.audio ? audioShape(observed.audio, null) : null;
  const frameMicros = audio && Math.round(((observed.audioFrameSamples ?? audio.frameLength) * MICROS) / audio.sampleRate);
  const rungs = rungsOf(observed, wish);
  const planned = (observed.audio && wish.secondSound?.(observed.audio)) ?? null;
  const secondFrameMicros = planned && SECOND_FRAME_MICROS;
  const { policy, rhythm, videoPartTarget, audioPartTarget, second } = freeze(observed, wish, frameMicros, { hasRungs: rungs.length > 0, secondFrameMicros });
  const rate = (kind: TrackKind, measured: number): Pick<RunTrack, 'bandwidth' | 'averageBandwidth'> => {
    const most = Math.max(measured, declared[kind] ?? 0, 8_000);
    return { bandwidth: Math.ceil(most * 1.25), averageBandwidth: most };
  };
  const tracks: RunTrack[] = [];
  if (observed.video) {
    const own = rate('video', observed.videoBitrate);
    const below = rungs.map(ratesOfRung);
    const above = (kind: keyof typeof own): number => Math.max(own[kind], ...below.map((one) => Math.ceil(one[kind] * ABOVE_RUNGS)));
    const rates = { bandwidth: above('bandwidth'), averageBandwidth: above('averageBandwidth') };
    tracks.push({ id: 'v0', kind: 'video', codec: observed.video.codec, timescale: VIDEO_TIMESCALE, partTarget: videoPartTarget, group: 'video', ...rates });
    // Players switch within a group, and not from one codec to another.
    const group = observed.video.codec === 'h264' ? 'video' : 'video-h264';
    for (const [index, rung] of rungs.entries()) {
      tracks.push({ id: `v${index + 1}`, kind: 'video', codec: 'h264', timescale: VIDEO_TIMESCALE, partTarget: videoPartTarget, group, ...ratesOfRung(rung), rung });
    }
  }
  if (audio && observed.audio) {
    const rates = rate('audio', observed.audioBitrate);
    tracks.push({ id: 'a0', kind: 'audio', codec: observed.audio.codec, timescale: audio.timescale, partTarget: audioPartTarget, group: 'audio', ...rates });
    if (planned && second) tracks.push(secondTrack('a1', { of: 'a0', ...planned, framesPerPart: second.framesPerPart }, second.partTarget));
  }
  for (const [index, language] of wish.captions.entries()) tracks.push(textTrack(`t${index}`, language));
  return { startedAt: Math.round(observed.startedAt), policy, rhythm, tracks };
};
