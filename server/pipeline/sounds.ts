/**
 * Sound that not every player takes: made by whoever is free, and put in the place of what it was made of in the server itself.
 * Whoever listens already goes on with the old one, whose files stay for a while.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere, workFolder } from '../../packager/encode/vod/addressed.ts';
import { encodeSound, soundFolder } from '../../packager/encode/vod/track-sound.ts';
import { openTrackLogReader } from '../../packager/log/open.ts';
import type { LogSnapshot } from '../../packager/log/types.ts';
import type { ListSoundWork, TrackSoundWork } from '../../packager/pipeline/work.ts';
import { segmentRates } from '../../packager/rates.ts';
import type { TrackRow, VideoWithTracks } from '../catalog/videos.ts';
import { failing, IntakeFault } from '../intake/failures.ts';
import type { JobHandler } from '../jobs/runner.ts';
import { benchOf, bytesOf, plays, type JoinTools, type WorkTools } from './ground.ts';

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
    const home = join(folder, work.video);
    const made = join(home, workFolder, addressIn((await catalog.jobs.byKey(work.of))?.result), soundFolder);
    // Killed between the listing and the end of the job.
    if (!found.tracks.some(({ id }) => id === work.track)) {
      if (!(await holds())) throw new Error('Somebody else has the job by now.');
      await put(tools, found, work, made, home);
    }
    await rm(join(made, '..'), { recursive: true, force: true });
    await tools.listed(work.video, job);
  };

const put = async (tools: JoinTools, found: VideoWithTracks, { video, track, replaces }: ListSoundWork, made: string, home: string): Promise<void> => {
  const { catalog, disk } = tools;
  const old = found.tracks.find(({ id }) => id === replaces);
  // Somebody has taken the sound away that it was made of.
  if (!old) return;
  const target = join(home, track);
  if (await isThere(made)) {
    // Killed between the moving and the listing: nobody has seen it.
    await rm(target, { recursive: true, force: true });
    await disk.rename(made, target);
    await disk.syncFolder(home);
  } else if (!(await isThere(target))) throw new IntakeFault(failing('encode-failed'), true, { cause: new Error(`${made} is gone`) });
  const row = await rowOf(tools, target, { ...old, id: track, codec: 'aac', original: null }, found.video.policy?.targetDuration ?? 1);
  const [bytes, freed] = await Promise.all([bytesOf(tools, target), old.original === null ? bytesOf(tools, join(home, replaces)) : 0]);
  if (await catalog.videos.addTracks(video, { tracks: [row], drop: [replaces], bytes: bytes - freed })) tools.outdated(video, true);
  else await rm(target, { recursive: true, force: true });
};

const rowOf = async ({ disk }: WorkTools, folder: string, row: TrackRow, targetDuration: number): Promise<TrackRow> => {
  const log = await openTrackLogReader({ disk, folder });
  try {
    const snapshot = log.snapshot();
    const timescale = snapshot.epochs[0]?.timescale ?? row.timescale;
    const { peak, average } = segmentRates(segmentsOf(snapshot), targetDuration, timescale) ?? { peak: 0, average: 0 };
    return { ...row, timescale, bandwidth: peak, averageBandwidth: average };
  } finally {
    await log.close();
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
