/**
 * A track of sound made anew by somebody who knows nothing but its work, as `chunk.ts` makes chunks.
 *
 *     source's log ─▶ sound ─▶ <video>/work/<address>/sound/
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openTrackLogReader } from '../../log/open.ts';
import type { Disk } from '../../log/types.ts';
import { gridOfLog, type Grid } from '../../mp4/grid.ts';
import { virtualEpoch } from '../../mp4/virtual-facts.ts';
import { VirtualTrackLog } from '../../mp4/virtual-log.ts';
import type { SourceTrack, TrackSoundWork } from '../../pipeline/work.ts';
import { openMovie, planCalmly } from '../shelve.ts';
import { makeAddressed, type ChunkBench, type ChunkMade } from './addressed.ts';
import { makeSound } from './sound.ts';
import { openSource, type OpenSource } from './source.ts';

/** Counts up when other bytes come of the same work. */
const format = 1;
/** Of its log, under the address. */
export const soundFolder = 'sound';

const addressOf = ({ video, source, place, version, make }: TrackSoundWork, build: string): string =>
  createHash('sha256')
    .update(JSON.stringify(['sound', format, build, video, version, place.run, place.wallClock, ...[source, place.lead].map(told), make.channels, make.sampleRate, make.bitRate]))
    .digest('hex');

const told = (source: SourceTrack | null): unknown[] => (source === null ? [] : source.kind === 'log' ? [source.folder] : [source.path, source.track]);

/** Rejects with an EncodeError. */
export const encodeSound = (bench: ChunkBench, work: TrackSoundWork): Promise<ChunkMade> =>
  makeAddressed(bench, addressOf(work, bench.build), async (made) => {
    const { log, close } = await openSound(bench.disk, bench.folder, work);
    try {
      await makeSound({ ...bench, source: log, make: work.make, folder: join(made, soundFolder) });
    } finally {
      await close();
    }
  });

/** Cut and dated as whoever plays the video sees it. Rejects with a LogError or an Mp4Error. */
export const openSound = async (disk: Disk, folder: string, { source, place }: Pick<TrackSoundWork, 'source' | 'place'>): Promise<OpenSource> => {
  if (source.kind === 'log') return openSource(disk, folder, source);
  const { lead, run, wallClock } = place;
  const grid = lead?.kind === 'log' ? await gridOf(disk, join(folder, lead.folder)) : null;
  const { movie, source: bytes, close } = await openMovie(disk, join(folder, source.path));
  try {
    const tracks = [...(lead?.kind === 'original' ? [lead.track] : []), source.track];
    const plan = (await planCalmly(movie, { tracks, grid })).tracks.at(-1);
    if (!plan) throw new Error(`There is no track ${source.track}.`);
    return { log: new VirtualTrackLog(plan, bytes, virtualEpoch(plan, { run, wallClock })), close };
  } catch (error) {
    await close();
    throw error;
  }
};

const gridOf = async (disk: Disk, folder: string): Promise<Grid> => {
  const log = await openTrackLogReader({ disk, folder });
  try {
    const { epochs } = log.snapshot();
    return gridOfLog(log.snapshot(), epochs[0]?.timescale ?? 1);
  } finally {
    await log.close();
  }
};
