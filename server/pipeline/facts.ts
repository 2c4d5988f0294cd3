/** What a plan has to know of a video, read out of its rows and its open tracks. */
import { codedPicture } from '../../packager/cmaf/coded-picture.ts';
import { readInit } from '../../packager/cmaf/reader.ts';
import { toneFilters } from '../../packager/encode/live-shape.ts';
import { chunksOf, intervalsOf } from '../../packager/encode/vod/intervals.ts';
import { soundMake, storedSound } from '../../packager/encode/vod/sound-fit.ts';
import { playsEverywhere, type RungWish } from '../../packager/live/ladder-plan.ts';
import type { LogSnapshot } from '../../packager/log/types.ts';
import { parseAvcConfig, parseSps } from '../../packager/media/h264.ts';
import type { PipelineFacts, PlannedPicture, PlannedSound } from '../../packager/pipeline/plan.ts';
import { rungSource, type RungThere } from '../../packager/pipeline/rungs.ts';
import type { PictureTreatment, SourceTrack } from '../../packager/pipeline/work.ts';
import type { Ladders } from '../ladders/read.ts';
import type { TrackRow, VideoRow } from '../catalog/videos.ts';
import { picturesThere } from '../pictures/kept.ts';
import { leadOf, originalName } from '../live/originals.ts';
import type { OpenVideo } from './types.ts';

/** A rung with so many more holes than the best picture has is made anew. */
const mostHoles = 0.1;

/** What a ladder that is called `auto` means for files. */
export const usualLadder = 'standard';

/** Empty: what is there is enough. One whose file is gone makes nothing. */
export const rungsOfLadder = (ladders: Ladders, name: string): readonly RungWish[] => (name === 'source' ? [] : (ladders.get(name === 'auto' ? usualLadder : name)?.rungs ?? []));

/** `filters`: that ffmpeg has here. */
export const factsOfVideo = ({ found: { video, tracks }, readers }: OpenVideo, ladder: readonly RungWish[], filters: ReadonlySet<string>): Omit<PipelineFacts, 'rungs'> => {
  const { run, durationMs, originalBytes } = video;
  const pictures = tracks.flatMap((row) => {
    const log = readers.get(row.id)?.snapshot();
    const seen = row.kind === 'video' && log ? picturesOf(log, filters) : null;
    return log && seen ? [{ row, log, ...seen }] : [];
  });
  // Live rungs are pictures of what was sent, and never larger.
  const best = pictures.reduce<(typeof pictures)[number] | null>((most, one) => (most === null || one.width * one.height > most.width * most.height ? one : most), null);
  return {
    video: video.id,
    version: `${run ?? ''}/${originalBytes}/${durationMs ?? 0}`,
    turn: video.rungsTurn,
    picture: best && plannedPicture(video, best),
    sounds: soundsOf(video, tracks, readers),
    ladder,
    there: pictures.filter((one) => one !== best).map(({ row, log, width, height }): RungThere => ({ track: row.id, source: sourceOf(row), width, height, isWhole: holesOf(log) - (best ? holesOf(best.log) : 0) <= mostHoles })),
    mayHaveTexts: video.source !== 'live' && originalBytes > 0 && !video.pictures?.texts,
    pictured: picturesThere(video),
    inMs: video.cutInMs,
    outMs: video.cutOutMs,
    duration: (durationMs ?? 0) / 1000,
  };
};

const sourceOf = ({ id, original }: Pick<TrackRow, 'id' | 'original'>): SourceTrack => (original === null ? { kind: 'log', folder: id } : { kind: 'original', path: originalName, track: original });

type Seen = { readonly width: number; readonly height: number; readonly standard: boolean; readonly treatment: PictureTreatment };

/** As they are shown in the last epoch that has any. Null: there are none. */
const picturesOf = ({ epochs }: LogSnapshot, filters: ReadonlySet<string>): Seen | null => {
  const inits = epochs.flatMap((epoch) => (epoch.init.length > 0 ? [readInit(epoch.init)] : [])).toReversed();
  const [init] = inits;
  if (init?.kind !== 'video') return null;
  const picture = codedPicture(init);
  const treatment = treatmentOf(inits.some(hasFields), picture.colour?.transfer ?? 0, filters);
  return { ...rungSource(picture), standard: playsEverywhere(init.codec, init.codecString), treatment };
};

/** What this ffmpeg cannot do is not done: bright pictures stay as bright as they are said to be, and fields stay in one picture. */
const treatmentOf = (fields: boolean, transfer: number, filters: ReadonlySet<string>): PictureTreatment => ({
  deinterlace: fields && filters.has('bwdif'),
  toneMap: toneFilters.every((name) => filters.has(name)) ? (brightness.get(transfer) ?? null) : null,
});

/** frame_mbs_only_flag of H.264: pictures of it that are whole go through as they are. */
const hasFields = (init: ReturnType<typeof readInit>): boolean => init.kind === 'video' && init.codec === 'h264' && parseAvcConfig(init.config).sps.some((set) => parseSps(set).interlaced);

/** ISO 23091-2, table 3. */
const brightness: ReadonlyMap<number, PictureTreatment['toneMap']> = new Map([
  [16, 'smpte2084'],
  [18, 'arib-std-b67'],
]);

const plannedPicture = ({ policy }: VideoRow, { row, log, width, height, standard, treatment }: Seen & { readonly row: TrackRow; readonly log: LogSnapshot }): PlannedPicture => ({
  ...{ track: row.id, source: sourceOf(row), width, height, standard, treatment },
  frameRate: policy?.rhythm.frameRate ?? null,
  chunks: chunksOf(intervalsOf(log), row.timescale),
});

/** Of shows, a sound that not all can play has another beside it. */
const soundsOf = ({ source, policy, run, startedAt, createdAt }: VideoRow, tracks: readonly TrackRow[], readers: OpenVideo['readers']): PlannedSound[] => {
  const lead = leadOf(tracks);
  return tracks.flatMap((row) => {
    const log = row.kind === 'audio' && policy?.secondSounds === undefined ? readers.get(row.id)?.snapshot() : undefined;
    const stored = log && storedSound(log);
    const place = { lead: lead && lead !== row ? sourceOf(lead) : null, run: run ?? '', wallClock: startedAt ?? createdAt };
    return stored ? [{ track: row.id, source: sourceOf(row), place, make: source === 'live' ? null : soundMake(stored) }] : [];
  });
};

const holesOf = (log: LogSnapshot): number => {
  let [all, holes] = [0, 0];
  for (let seq = log.first; seq < log.end; seq += 1) {
    const { gap, duration } = log.entry(seq);
    all += duration;
    if (gap) holes += duration;
  }
  return all === 0 ? 1 : holes / all;
};
