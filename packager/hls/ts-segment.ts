/**
 * A segment in MPEG-TS out of the logs: which fragments it needs (a pure function of the snapshot), and what is
 * made of them.
 *
 *     snapshot ──tsSegmentPlan──▶ fragments of picture and of sound ──read──▶ samples ──muxSegment──▶ bytes
 */
import { readFragments, readInit } from '../cmaf/reader.ts';
import type { TrackLogReader } from '../log/types.ts';
import { rescale } from '../media/wire-time.ts';
import { muxSegment } from '../mpegts/mux.ts';
import { plainSound } from '../plain-sound.ts';
import { tsTimescale } from '../mpegts/units.ts';
import type { PresentationSnapshot, SegmentRef, TrackSnapshot } from '../snapshot.ts';
import { endOf, epochOfTrack, findTrack, nextMsn, segmentByMsn } from './window.ts';

export type TsTrackPlan = {
  readonly track: string;
  readonly timescale: number;
  readonly init: Buffer;
  /** Fragments [from, to) of the track's log. */
  readonly from: number;
  readonly to: number;
};

export type TsSegmentPlan = {
  readonly kind: 'media';
  readonly msn: number;
  readonly epoch: number;
  /** The end of the segment, 90 kHz. */
  readonly end: number;
  /** Bytes that will be read. */
  readonly size: number;
  readonly video: TsTrackPlan | null;
  readonly audio: TsTrackPlan | null;
};

export type TsSegmentVerdict =
  | TsSegmentPlan
  /** Not closed yet, in picture or in sound. */
  | { readonly kind: 'not-yet' }
  /** Never was, or is no longer known. */
  | { readonly kind: 'unknown' }
  /** Nothing was encoded for it. */
  | { readonly kind: 'gap' };

/** What is multiplexed with a track; null where it is itself the sound. */
export const tsSoundOf = (snapshot: PresentationSnapshot, track: TrackSnapshot): TrackSnapshot | null =>
  track.kind === 'video' ? (plainSound(snapshot.tracks) ?? null) : null;

/** The same number means the same time in all tracks, so the sound of a segment is that of the same number. */
export const tsSegmentPlan = (snapshot: PresentationSnapshot, trackId: string, msn: number): TsSegmentVerdict => {
  const track = findTrack(snapshot, trackId);
  if (!track) return { kind: 'unknown' };
  const segment = segmentByMsn(track, msn);
  if (!segment) return { kind: snapshot.state === 'live' && msn === nextMsn(track) ? 'not-yet' : 'unknown' };
  const lead = trackPlan(track, segment);
  if (!lead) return { kind: 'gap' };
  const sound = tsSoundOf(snapshot, track);
  if (sound && snapshot.state === 'live' && msn >= nextMsn(sound)) return { kind: 'not-yet' };
  const beside = sound && segmentByMsn(sound, msn);
  const audio = track.kind === 'audio' ? lead : sound && beside ? trackPlan(sound, beside) : null;
  return {
    kind: 'media',
    msn,
    epoch: segment.epoch,
    end: rescale(endOf(segment), track.timescale, tsTimescale),
    size: segment.size + (beside?.size ?? 0),
    video: track.kind === 'video' ? lead : null,
    audio,
  };
};

const trackPlan = (track: TrackSnapshot, segment: SegmentRef): TsTrackPlan | null => {
  const first = segment.parts[0];
  const last = segment.parts.at(-1);
  const config = epochOfTrack(track, segment.epoch);
  if (!first || !last || !config || segment.gap || segment.size === 0) return null;
  return { track: track.id, timescale: track.timescale, init: config.init, from: first.seq, to: last.seq + 1 };
};

type Timed = { readonly dts: number; readonly pts: number; readonly key: boolean; readonly data: Buffer };

const samplesOf = (plan: TsTrackPlan, fragments: readonly Buffer[], inherited: ReturnType<typeof readInit>['defaults']): Timed[] =>
  fragments.flatMap((bytes) =>
    readFragments(bytes, inherited).flatMap(({ baseDecodeTime, samples }) => {
      let ticks = baseDecodeTime;
      return samples.map(({ duration, size, cts, key, offset }) => {
        const dts = rescale(ticks, plan.timescale, tsTimescale);
        const pts = rescale(ticks + cts, plan.timescale, tsTimescale);
        ticks += duration;
        return { dts, pts, key, data: bytes.subarray(offset, offset + size) };
      });
    }),
  );

export type TsSegmentMedia = {
  /** The bytes of the fragments that the plan names, in order. */
  readonly video: readonly Buffer[];
  readonly audio: readonly Buffer[];
  /**
   * What composition offsets of the epoch were reduced by (`EpochFacts` of the picture's log), 90 kHz. Here it is
   * taken off the decode times again: in MPEG-TS a picture is never decoded after it is shown.
   */
  readonly reorderDelay: number;
};

/** Throws TsError, CmafError or CodecError where the media cannot be carried; nothing else. */
export const tsSegment = (plan: TsSegmentPlan, media: TsSegmentMedia): Buffer => {
  const { reorderDelay } = media;
  const video = plan.video && readInit(plan.video.init);
  const audio = plan.audio && readInit(plan.audio.init);
  const pictures = plan.video && video ? samplesOf(plan.video, media.video, video.defaults) : [];
  return muxSegment({
    video: video && { avcC: video.config, samples: pictures.map((one) => ({ ...one, dts: one.dts - reorderDelay })) },
    audio: plan.audio && audio && { config: audio.config, samples: samplesOf(plan.audio, media.audio, audio.defaults) },
    end: plan.end - reorderDelay,
    number: plan.msn,
    version: plan.epoch,
  });
};

/** Reads what the plan names, checked, and makes the segment. LogErrors pass through. */
export const readTsSegment = async (plan: TsSegmentPlan, readerOf: (track: string) => TrackLogReader): Promise<Buffer> => {
  const read = (one: TsTrackPlan | null): Promise<Buffer[]> => (one ? readerOf(one.track).readChecked(one.from, one.to) : Promise.resolve([]));
  const [video, audio] = await Promise.all([read(plan.video), read(plan.audio)]);
  const epochs = plan.video ? readerOf(plan.video.track).snapshot().epochs : [];
  const facts = epochs.findLast(({ epoch }) => epoch <= plan.epoch);
  const reorderDelay = facts ? rescale(facts.reorderDelay, facts.timescale, tsTimescale) : 0;
  return tsSegment(plan, { video, audio, reorderDelay });
};
