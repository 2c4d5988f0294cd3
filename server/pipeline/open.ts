/** The tracks of a video, opened to be planned with and to be cut along: what `RunStore.open` does for whoever plays them. */
import { join } from 'node:path';
import { openTrackLogReader } from '../../packager/log/open.ts';
import type { Disk, TrackLogReader } from '../../packager/log/types.ts';
import type { TrackRow, VideoRow, VideoWithTracks } from '../catalog/videos.ts';
import { arrivingNames, cutOut, gridOf, openOriginal, originalName, type Original } from '../live/originals.ts';
import type { OpenVideo } from './types.ts';

export type VideoPlace = {
  readonly disk: Disk;
  /** `<data>/videos` */
  readonly folder: string;
};

/** Of a video that is whole: as long as it arrives, its tracks end somewhere. */
export const isWhole = async ({ disk, folder }: VideoPlace, video: string): Promise<boolean> => !(await disk.list(join(folder, video))).some((name) => arrivingNames.includes(name));

/** Rejects with a LogError or an Mp4Error. Whoever opens it closes it. */
export const openVideo = async ({ disk, folder }: VideoPlace, found: VideoWithTracks): Promise<OpenVideo & { close(): Promise<void> }> => {
  const { video } = found;
  const tracks = found.tracks.filter(({ kind }) => kind !== 'text');
  const readers = new Map<string, TrackLogReader>();
  let original: Original | null = null;
  const close = async (): Promise<void> => {
    for (const reader of readers.values()) await reader.close();
    await original?.close();
  };
  try {
    for (const { id, original: cut } of tracks) if (cut === null) readers.set(id, await openTrackLogReader({ disk, folder: join(folder, video.id, id) }));
    if (cutOut(tracks).length > 0) {
      original = await openOriginal(disk, join(folder, video.id, originalName), tracks, gridOf(tracks, readers), epochOf(video));
      for (const [id, log] of original.logs) readers.set(id, log);
    }
    return { found, readers, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** One picture of it, though it may have come off the list by now. */
export const openPicture = async ({ disk, folder }: VideoPlace, video: VideoRow, { id, timescale, original }: Pick<TrackRow, 'id' | 'timescale' | 'original'>): Promise<TrackLogReader & { close(): Promise<void> }> => {
  if (original === null) return openTrackLogReader({ disk, folder: join(folder, video.id, id) });
  const { logs, close } = await openOriginal(disk, join(folder, video.id, originalName), [{ id, kind: 'video', timescale, original }], null, epochOf(video));
  const log = logs.get(id);
  if (!log) throw new Error(`There is no track ${original}.`);
  return { snapshot: () => log.snapshot(), read: (from, to) => log.read(from, to), readChecked: (from, to) => log.readChecked(from, to), readHeads: (from, to, bytes) => log.readHeads(from, to, bytes), close };
};

const epochOf = ({ run, startedAt, createdAt }: VideoRow) => ({ run: run ?? '', wallClock: startedAt ?? createdAt });
