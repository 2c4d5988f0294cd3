/** An intake with a catalog and a data folder of its own, for tests: files go in, videos come out. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../packager/clock.ts';
import { readFragments } from '../../packager/cmaf/reader.ts';
import { createCoreBudget, type CoreBudget } from '../../packager/encode/budget.ts';
import { findPrograms } from '../../packager/encode/programs.ts';
import { Sandbox } from '../../packager/encode/sandbox.ts';
import type { Disk } from '../../packager/log/types.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { openTrackLogReader } from '../../packager/log/open.ts';
import { quiet, someAccount, someUpload, testCatalog } from '../catalog/testing.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { TrackRow, VideoRow, VideoWithTracks } from '../catalog/videos.ts';
import { Crew, type CrewOptions } from '../jobs/crew.ts';
import { roomsOf } from '../jobs/room.ts';
import type { Behind } from '../pipeline/types.ts';
import { VideoIntake, type IntakeOptions } from './intake.ts';
import type { Progress } from './types.ts';

type Test = { teardown(run: () => unknown): void };

export const silent = { ...quiet, debug: () => undefined, fatal: () => undefined };

/** Whatever is given is taken, and forgotten. */
export const noCaptions: IntakeOptions['captions'] = { list: async () => [], put: async () => 'put' };

/** What plays is all that there will be. */
export const nothingBehind: Behind = { playable: () => undefined, makesTracks: () => false, hasMore: async () => false, progress: () => null };

/** Nothing can be shown as it is. */
export const noArrivals: IntakeOptions['arrivals'] = { arrived: () => undefined, whole: async () => 'not-standard', dropped: () => undefined };

export type TestIntake = {
  readonly intake: VideoIntake;
  /** Another one over the same data: the server has been started again. */
  again(): VideoIntake;
  readonly catalog: Catalog;
  /** The data folder. */
  readonly data: string;
  readonly jobs: string;
  readonly sandbox: Sandbox;
  /** Every step that was told of a video. */
  readonly told: Map<string, Progress[]>;
  /** A video whose original is this file, or these bytes. */
  upload(original: string | Buffer): Promise<string>;
  /** Resolves when nothing more will become of it. */
  settled(video: string): Promise<VideoRow>;
  /** Both. */
  taken(original: string | Buffer): Promise<VideoWithTracks>;
  /** When each of its pictures or frames is due, seconds, in their order; and when each of its fragments begins. */
  moments(video: string, track: TrackRow): Promise<{ readonly samples: readonly number[]; readonly cuts: readonly number[] }>;
  /** A track as a player fetches it: its init segment and all of its fragments, in a file. */
  played(video: string, track: TrackRow): Promise<string>;
};

/** One whose crew comes and goes with it. */
class CrewedIntake extends VideoIntake {
  readonly #crew: Crew;
  constructor(options: IntakeOptions) {
    super(options);
    this.#crew = options.crew;
  }
  override start(): void {
    super.start();
    this.#crew.start();
  }
  override async stop(): Promise<void> {
    await Promise.all([this.#crew.stop(), super.stop()]);
  }
}

type TestOptions = Partial<Omit<IntakeOptions, 'disk' | 'crew'>> & Pick<CrewOptions, 'leaseMs' | 'idleMs'> & {
  readonly budget?: CoreBudget;
  /** A folder that has been used before. */
  readonly data?: string;
  readonly disk?: Partial<Disk>;
};

export const testIntake = async (t: Test, { data: given, disk, budget = createCoreBudget(4), leaseMs, idleMs, ...options }: TestOptions = {}): Promise<TestIntake> => {
  const { catalog, folder: data } = await testCatalog(t, { clock: systemClock, ...(given !== undefined && { folder: given }) });
  const ownerId = await someAccount(catalog);
  const folder = join(data, 'videos');
  const jobs = join(data, 'jobs');
  await Promise.all([mkdir(folder, { recursive: true }), mkdir(jobs, { recursive: true })]);
  const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder: data, gentle: false });
  if (!sandbox) throw new Error('ffmpeg does not run here');
  const intakes: VideoIntake[] = [];
  const told = new Map<string, Progress[]>();
  const waiting = new Set<() => void>();
  const times = { ...(leaseMs !== undefined && { leaseMs }), ...(idleMs !== undefined && { idleMs }) };
  const crew = (): Crew => new Crew({ queue: catalog.jobs, clock: systemClock, log: silent, folder: jobs, budget, rooms: roomsOf(budget, { here: 4 }), ...times });
  const make = (): VideoIntake => new CrewedIntake({
    ...{ crew: crew(), catalog, clock: systemClock, log: silent, disk: { ...nodeDisk, ...disk }, folder, sandbox: Promise.resolve(sandbox), outdated: () => undefined, captions: noCaptions, arrivals: noArrivals, behind: nothingBehind },
    changed: (video) => {
      const progress = intakes.at(-1)?.progress(video);
      if (progress) told.set(video, [...(told.get(video) ?? []), progress]);
      for (const look of waiting) look();
    },
    ...options,
  });
  const again = (): VideoIntake => {
    const made = make();
    intakes.push(made);
    t.teardown(() => made.stop());
    return made;
  };
  const intake = again();
  intake.start();

  const upload = async (original: string | Buffer): Promise<string> => {
    const bytes = typeof original === 'string' ? (await readFile(original)).length : original.length;
    const id = await someUpload(catalog, { ownerId, size: bytes });
    await mkdir(join(folder, id));
    const path = join(folder, id, 'original');
    await (typeof original === 'string' ? copyFile(original, path) : writeFile(path, original));
    return id;
  };
  const settled = async (video: string): Promise<VideoRow> => {
    for (;;) {
      const next = new Promise<void>((resolve) => waiting.add(resolve));
      const row = await catalog.videos.get(video);
      if (!row) throw new Error('the video is gone');
      if (row.state === 'ready' || row.state === 'failed' || (row.state === 'playable' && row.errorCode !== null)) return row;
      await next;
    }
  };
  return {
    ...{ intake, again, catalog, data, jobs, sandbox, told, upload, settled },
    async taken(original) {
      const video = await upload(original);
      await intake.whole(video);
      await settled(video);
      const found = await catalog.videos.withTracks(video);
      if (!found) throw new Error('the video is gone');
      return found;
    },
    async moments(video, { id, timescale }) {
      const reader = await openTrackLogReader({ disk: nodeDisk, folder: join(folder, video, id) });
      const { end, entry } = reader.snapshot();
      const samples: number[] = [];
      for (const { baseDecodeTime, samples: all } of readFragments(Buffer.concat(await reader.read(0, end)))) {
        let time = baseDecodeTime;
        for (const { duration, cts } of all) {
          samples.push((time + cts) / timescale);
          time += duration;
        }
      }
      await reader.close();
      return { samples: samples.sort((a, b) => a - b), cuts: Array.from({ length: end }, (_, seq) => entry(seq).dts / timescale) };
    },
    async played(video, { id }) {
      const reader = await openTrackLogReader({ disk: nodeDisk, folder: join(folder, video, id) });
      const { first, end, epochs } = reader.snapshot();
      const path = join(data, `${video}-${id}.mp4`);
      await writeFile(path, Buffer.concat([epochs[0]?.init ?? Buffer.alloc(0), ...(await reader.readChecked(first, end))]));
      await reader.close();
      return path;
    },
  };
};

/** What is left of work that is over: nothing, a moment after the last of it was told. */
export const leftOvers = async ({ jobs }: TestIntake): Promise<string[]> => {
  for (let look = 0; look < 100; look += 1) {
    if ((await readdir(jobs)).length === 0) return [];
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return readdir(jobs);
};
