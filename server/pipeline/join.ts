/**
 * The work that ends in the catalog, and is therefore done in the server itself: what was made in pieces is put together,
 * moved to its place beside the other tracks, and listed in one step. A kill in between leaves what nobody sees; the next
 * attempt goes on from there.
 *
 *     work/<address>/<rung>/ … ─ join ─▶ jobs/<job>/track ─ rename ─▶ <video>/<track> ─▶ a row ─▶ players that come now
 */
import { rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { addressOf, buildOf } from '../../packager/encode/vod/address.ts';
import { isThere, workFolder } from '../../packager/encode/vod/addressed.ts';
import { joinRung, type ChunkPlace } from '../../packager/encode/vod/join.ts';
import type { JoinWork } from '../../packager/pipeline/work.ts';
import type { TrackRow, VideoWithTracks } from '../catalog/videos.ts';
import { failing, IntakeFault, withPatience } from '../intake/failures.ts';
import { mustSandbox } from '../intake/inspect.ts';
import type { Job, NewJob } from '../jobs/queue.ts';
import type { JobContext, JobHandler } from '../jobs/runner.ts';
import { bytesOf, mostAgain, mustHaveRoom, plays, type JoinTools } from './ground.ts';
import { openPicture } from './open.ts';
import { listSoundHandler } from './sounds.ts';

export const joinHandlers = (tools: JoinTools): { readonly [kind in 'join' | 'list-sound']: JobHandler } => ({ join: withPatience(joinHandler(tools)), 'list-sound': withPatience(listSoundHandler(tools)) });

const joinHandler =
  (tools: JoinTools): JobHandler =>
  async (job, context) => {
    const work = job.payload as JoinWork;
    const found = await tools.catalog.videos.withTracks(work.video);
    if (!found || !plays(found)) return;
    const home = join(tools.folder, work.video);
    const { programs } = await mustSandbox(tools);
    const chunks = work.chunks.map((chunk): ChunkPlace => ({ ...chunk, folder: join(home, workFolder, addressOf({ ...work.work, ...chunk }, buildOf(programs))) }));
    // Killed between the listing and the end of the job.
    if (!found.tracks.some(({ id }) => id === work.track) && !(await put(tools, context, { job, found, work, home, chunks }))) return;
    await removeChunks(home, work, chunks);
    await tools.listed(work.video, job);
  };

type Putting = { readonly job: Job; readonly found: VideoWithTracks; readonly work: JoinWork; readonly home: string; readonly chunks: readonly ChunkPlace[] };

/** False: nobody wants it, or it has to be made anew. */
const put = async (tools: JoinTools, { folder, signal, holds, progress }: JobContext, { job, found, work, home, chunks }: Putting): Promise<boolean> => {
  const { catalog, clock, disk } = tools;
  const { video, rung, track, replaces, isSpare } = work;
  const { source } = work.work;
  const beside = found.tracks.find(({ id }) => id === work.beside);
  const made = join(folder, 'track');
  await mustHaveRoom(tools, home, await bytesOfRung(tools, chunks, rung.name));
  const began = clock.wall();
  const log = await openPicture(tools, found.video, { id: source.kind === 'log' ? source.folder : work.beside, original: source.kind === 'log' ? null : source.track, timescale: beside?.timescale ?? 1 });
  try {
    const joined = await joinRung({ disk, clock, signal, source: log.snapshot(), chunks, rung: rung.name, folder: made, targetDuration: found.video.policy?.targetDuration ?? 1, progress });
    if (joined.kind === 'torn') {
      await makeAnew(tools, job, work, { ...joined, began });
      return false;
    }
    if (!(await holds())) throw new Error('Somebody else has the job by now.');
    // Killed between the moving and the listing: nobody has seen it.
    await rm(join(home, track), { recursive: true, force: true });
    await disk.rename(made, join(home, track));
    await disk.syncFolder(home);
    const drop = found.tracks.filter(({ id }) => replaces.includes(id));
    const freed = await Promise.all(drop.map(({ id, original }) => (original === null ? bytesOf(tools, join(home, id)) : 0)));
    const listed = await catalog.videos.addTracks(video, {
      ...(isSpare && { spareBytes: joined.bytes }),
      tracks: [{ ...joined.track, id: track, language: null, name: null, original: null } satisfies TrackRow],
      drop: drop.map(({ id }) => id),
      bytes: joined.bytes - freed.reduce((sum, bytes) => sum + bytes, 0),
    });
    if (!listed) await rm(join(home, track), { recursive: true, force: true });
    else tools.outdated(video, drop.length > 0);
    return listed;
  } finally {
    await log.close();
  }
};

/** All of it lies there twice until its pieces are removed. What is not there is made anew first. */
const bytesOfRung = async (tools: JoinTools, chunks: readonly ChunkPlace[], rung: string): Promise<number> => {
  let bytes = 0;
  for (const { folder } of chunks) if (await isThere(join(folder, rung))) bytes += await bytesOf(tools, join(folder, rung));
  return bytes;
};

type TornChunks = {
  readonly chunks: readonly ChunkPlace[];
  readonly why: string;
  /** When somebody began to look at them: it takes minutes. */
  readonly began: number;
};

/**
 * What lies there is not what was made: torn by a power cut, removed by somebody, or of another ffmpeg. The same job waits for
 * what is made anew, and whatever waits for it waits on. A chunk has all rungs of its task, so their joins wait for one job.
 */
const makeAnew = async ({ catalog, log }: JoinTools, { id, task, maxAttempts }: Job, work: JoinWork, { chunks, why, began }: TornChunks): Promise<void> => {
  log.warn({ video: work.video, rung: work.rung.name, chunks: chunks.length, why }, 'Chunks of a rung are not what was made, and are made anew.');
  const encodes: NewJob[] = [];
  for (const { epoch, from, to, folder } of chunks) {
    const again = await nextKey(catalog.jobs, `${work.video}/anew/${basename(folder)}`, began);
    if (!again) throw new IntakeFault(failing('encode-failed'), false, { cause: new Error(why) });
    if (!again.isThere) await rm(folder, { recursive: true, force: true });
    encodes.push({ key: again.key, class: 'encode', kind: 'encode', payload: { ...work.work, epoch, from, to }, videoId: work.video, ...(task !== null && { task }), priority: work.priority, maxAttempts, weight: 30 * work.work.rungs.length });
  }
  await catalog.jobs.putBehind(id, encodes);
};

/** Null: it was made anew too often. */
const nextKey = async (jobs: Pick<JoinTools['catalog']['jobs'], 'byKey'>, chunk: string, began: number): Promise<{ readonly key: string; readonly isThere: boolean } | null> => {
  for (let again = 1; again <= mostAgain; again += 1) {
    const key = `${chunk}#${again}`;
    const before = await jobs.byKey(key);
    // Killed after it was queued, or queued for another rung. What has been put there since has yet to be looked at.
    if (!before || before.state === 'queued' || before.state === 'leased' || (before.state === 'done' && before.updatedAt >= began)) return { key, isThere: before !== null };
  }
  return null;
};

/** What other rungs were made in the same go stays for them. */
const removeChunks = async (home: string, { rung }: JoinWork, chunks: readonly ChunkPlace[]): Promise<void> => {
  for (const { folder } of chunks) {
    await rm(join(folder, rung.name), { recursive: true, force: true });
    await removeEmpty(folder);
  }
  await removeEmpty(join(home, workFolder));
};

const removeEmpty = (folder: string): Promise<void> => rmdir(folder).catch(() => undefined); // Not empty, or not there.
