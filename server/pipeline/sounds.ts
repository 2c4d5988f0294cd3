/**
 * Sound that not every player takes: made by whoever is free, and put in the place of what it was made of in the server itself.
 * Whoever listens already goes on with the old one, whose files stay for a while.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere, workFolder } from '../../packager/encode/vod/addressed.ts';
import { encodeSound, soundFolder } from '../../packager/encode/vod/track-sound.ts';
import { openTrackLogReader } from '../../packager/log/open.ts';
import { LogError, type LogSnapshot } from '../../packager/log/types.ts';
import type { ListSoundWork, TrackSoundWork } from '../../packager/pipeline/work.ts';
import { segmentRates } from '../../packager/rates.ts';
import type { TrackRow, VideoWithTracks } from '../catalog/videos.ts';
import { failing, IntakeFault } from '../intake/failures.ts';
import type { Job, NewJob } from '../jobs/queue.ts';
import type { JobHandler } from '../jobs/runner.ts';
import { benchOf, bytesOf, mostAgain, plays, type JoinTools, type WorkTools } from './ground.ts';

export const soundHandler =
  (tools: WorkTools): JobHandler =>
  async ({ payload }, context) => {
    const work = payload as TrackSoundWork;
    const { address } = await encodeSound(await benchOf(tools, work.video, context), work);
    return { address };
  };

export const listSoundHandler =
  (tools: JoinTools): JobHandler =>
  async (job, { holds }) => {
    const work = job.payload as ListSoundWork;
    const { catalog, folder } = tools;
    const found = await catalog.videos.withTracks(work.video);
    if (!found || !plays(found)) return;
    const { last, times } = await lastOf(catalog.jobs, work.of);
    // Killed when it had been queued anew, and nobody waited for it yet.
    if (last && last.state !== 'done') return void (await catalog.jobs.putBehind(job.id, [again(last, last.key)]));
    const home = join(folder, work.video);
    const made = join(home, workFolder, addressIn(last?.result), soundFolder);
    // Killed between the listing and the end of the job.
    if (!found.tracks.some(({ id }) => id === work.track)) {
      if (!(await holds())) throw new Error('Somebody else has the job by now.');
      const why = await put(tools, found, work, made, home);
      if (why !== null) {
        if (!last || times >= mostAgain) throw new IntakeFault(failing('encode-failed'), false, { cause: new Error(why) });
        tools.log.warn({ video: work.video, track: work.track, why }, 'The sound of a video is not what was made, and is made anew.');
        for (const torn of [join(made, '..'), join(home, work.track)]) await rm(torn, { recursive: true, force: true });
        return void (await catalog.jobs.putBehind(job.id, [again(last, `${work.of}#${times + 1}`)]));
      }
    }
    await rm(join(made, '..'), { recursive: true, force: true });
    await tools.listed(work.video, job);
  };

const again = ({ class: jobClass, kind, payload, videoId, task, priority, maxAttempts, weight }: Job, key: string): NewJob => ({
  ...{ key, class: jobClass, kind, payload, priority, maxAttempts, weight },
  ...(videoId !== null && { videoId }),
  ...(task !== null && { task }),
});

/** The job that has made it last, and how often it has been made anew. */
const lastOf = async (jobs: Pick<JoinTools['catalog']['jobs'], 'byKey'>, key: string): Promise<{ readonly last: Job | null; readonly times: number }> => {
  let last = await jobs.byKey(key);
  for (let times = 0; ; times += 1) {
    const next = await jobs.byKey(`${key}#${times + 1}`);
    if (!next) return { last, times };
    last = next;
  }
};

/** Null: nothing is left to be done. Otherwise why it has to be made anew: it is gone, or torn by a power cut. */
const put = async (tools: JoinTools, found: VideoWithTracks, { video, track, replaces }: ListSoundWork, made: string, home: string): Promise<string | null> => {
  const { catalog, disk } = tools;
  const old = found.tracks.find(({ id }) => id === replaces);
  // Somebody has taken the sound away that it was made of.
  if (!old) return null;
  const target = join(home, track);
  // Killed between the moving and the listing: nobody has seen what is there already.
  const isMoved = !(await isThere(made));
  if (isMoved && !(await isThere(target))) return `${made} is gone`;
  const row = await rowOf(tools, isMoved ? target : made, { ...old, id: track, codec: 'aac', original: null }, found.video.policy?.targetDuration ?? 1);
  if (typeof row === 'string') return row;
  if (!isMoved) {
    await rm(target, { recursive: true, force: true });
    await disk.rename(made, target);
    await disk.syncFolder(home);
  }
  const [bytes, freed] = await Promise.all([bytesOf(tools, target), old.original === null ? bytesOf(tools, join(home, replaces)) : 0]);
  if (await catalog.videos.addTracks(video, { tracks: [row], drop: [replaces], bytes: bytes - freed })) tools.outdated(video, true);
  else await rm(target, { recursive: true, force: true });
  return null;
};

/** A sentence: it is torn. Every byte of it is looked at. */
const rowOf = async ({ disk }: WorkTools, folder: string, row: TrackRow, targetDuration: number): Promise<TrackRow | string> => {
  try {
    const log = await openTrackLogReader({ disk, folder });
    try {
      const snapshot = log.snapshot();
      const { first, end, epochs } = snapshot;
      if (end === first) return `${folder} is empty`;
      for (let seq = first; seq < end; seq += 1) await log.readChecked(seq, seq + 1);
      const timescale = epochs[0]?.timescale ?? row.timescale;
      const { peak, average } = segmentRates(segmentsOf(snapshot), targetDuration, timescale) ?? { peak: 0, average: 0 };
      return { ...row, timescale, bandwidth: peak, averageBandwidth: average };
    } finally {
      await log.close();
    }
  } catch (error) {
    if (error instanceof LogError && error.code !== 'io') return `${folder}: ${error.message}`;
    throw error;
  }
};

const segmentsOf = ({ first, end, entry }: LogSnapshot): { readonly duration: number; readonly size: number; readonly gap: boolean }[] => Array.from({ length: end - first }, (_, at) => entry(first + at));

const addressShape = /^[0-9a-f]{64}$/;

/** It may have been made in another process: what does not look like one is none. */
const addressIn = (result: unknown): string => {
  const address = typeof result === 'object' && result !== null && 'address' in result ? result.address : null;
  if (typeof address === 'string' && addressShape.test(address)) return address;
  throw new IntakeFault(failing('encode-failed'), false, { cause: new Error('nobody says where the sound is') });
};
