/** The source of a chunk, opened by somebody who knows nothing but where it lies. */
import { join } from 'node:path';
import { openTrackLogReader } from '../../log/open.ts';
import type { Disk, TrackLogReader } from '../../log/types.ts';
import { virtualEpoch } from '../../mp4/virtual-facts.ts';
import { VirtualTrackLog } from '../../mp4/virtual-log.ts';
import type { SourceTrack } from '../../pipeline/work.ts';
import { openMovie, planCalmly } from '../shelve.ts';

export type OpenSource = { readonly log: TrackLogReader; close(): Promise<void> };

/** `folder`: of the video. Rejects with a LogError or an Mp4Error. */
export const openSource = async (disk: Disk, folder: string, source: SourceTrack): Promise<OpenSource> => {
  if (source.kind === 'log') {
    const log = await openTrackLogReader({ disk, folder: join(folder, source.folder) });
    return { log, close: () => log.close() };
  }
  const { movie, source: bytes, close } = await openMovie(disk, join(folder, source.path));
  try {
    const [plan] = (await planCalmly(movie, { tracks: [source.track] })).tracks;
    if (!plan) throw new Error(`There is no track ${source.track}.`);
    // Nobody is served out of it: names and dates of its epoch are those of the log that the rungs come to.
    return { log: new VirtualTrackLog(plan, bytes, virtualEpoch(plan, { run: '', wallClock: 0 })), close };
  } catch (error) {
    await close();
    throw error;
  }
};
