/** What those who make tracks of a video, and those who list them, have in common. */
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import { makeJobPlace, type Sandbox } from '../../packager/encode/sandbox.ts';
import { buildOf } from '../../packager/encode/vod/address.ts';
import type { ChunkBench } from '../../packager/encode/vod/addressed.ts';
import type { Disk } from '../../packager/log/types.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { VideoWithTracks } from '../catalog/videos.ts';
import { failing, IntakeFault } from '../intake/failures.ts';
import { mustSandbox } from '../intake/inspect.ts';
import { spareBytes } from '../intake/place.ts';
import type { Job } from '../jobs/queue.ts';
import { JobFault, type JobContext } from '../jobs/runner.ts';
import type { ServerLog } from '../log.ts';

export type WorkTools = {
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly disk: Disk;
  /** `<data>/videos` */
  readonly folder: string;
  /** A sentence without its end: why nothing is converted here. */
  readonly sandbox: Promise<Sandbox | string>;
};

export type JoinTools = WorkTools & {
  readonly catalog: Pick<Catalog, 'videos' | 'jobs'>;
  /** Of the disk, 0 to 1: a disk that is fuller takes nothing more of what is live (`disk.stop`). */
  readonly fullFrom: number;
  /** What is played of it is to be opened anew; `dropped`: tracks have come off its list. */
  readonly outdated: (video: string, dropped?: boolean) => void;
  /** A track of it is there, by this job. */
  readonly listed: (video: string, job: Job) => Promise<void>;
};

/** So often what was made is made anew that turns out to be torn, or gone. */
export const mostAgain = 3;

/** Nobody wants anything of a video that is gone, and nothing may make its folder anew. */
export const homeOf = async ({ folder }: WorkTools, video: string): Promise<string> => {
  const home = join(folder, video);
  await access(home).catch((error: unknown) => {
    throw new JobFault('Its video is gone.', false, { cause: error });
  });
  return home;
};

/** What a job that makes a track is given. */
export const benchOf = async (tools: WorkTools, video: string, { folder, signal, progress }: JobContext): Promise<ChunkBench> => {
  const home = await homeOf(tools, video);
  const sandbox = await mustSandbox(tools);
  const { clock, disk } = tools;
  return { sandbox, place: await makeJobPlace(folder), disk, clock, folder: home, build: buildOf(sandbox.programs), signal, progress };
};

export const plays = ({ video: { state } }: VideoWithTracks): boolean => state === 'playable' || state === 'ready';

/** What is taken for a while, and given back at its end, is never what ends a recording. Rejects with `no-room`. */
export const mustHaveRoom = async ({ disk, fullFrom }: JoinTools, home: string, bytes: number): Promise<void> => {
  const { free, total } = await disk.space(home);
  if (free - bytes - spareBytes < total * (1 - fullFrom)) throw new IntakeFault(failing('no-room'), true);
};

export const bytesOf = async ({ disk }: WorkTools, folder: string): Promise<number> => {
  const names = await disk.list(folder);
  const sizes = await Promise.all(names.filter((name) => name.endsWith('.cmaf')).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
};
