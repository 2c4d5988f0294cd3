/** Compares a data folder with the videos that the catalog knows, and looks into every log. Reports; deletes nothing. */
import { extentNumbers } from './extent-files.ts';
import { codeOf } from './faults.ts';
import { openTrackLogReader } from './open.ts';
import { recover } from './recover.ts';
import type { Disk, TrackLogReader } from './types.ts';

export type DamagedTrack = {
  readonly video: string;
  readonly track: string;
  /** Bytes behind the last intact fragment; the next opening for writing cuts them off. */
  readonly tornBytes: number;
  /** Sequence numbers whose bytes are not what was written. */
  readonly fragments: readonly number[];
  /** The log could not be opened at all. */
  readonly error?: string;
};

export type FsckReport = {
  /** Folders that belong to no known video. */
  readonly orphans: readonly string[];
  /** Known videos without a folder. */
  readonly missing: readonly string[];
  readonly damaged: readonly DamagedTrack[];
  /** Logs that were looked at. */
  readonly tracks: number;
};

export type FsckOptions = {
  readonly disk: Disk;
  /** `data/videos` */
  readonly folder: string;
  readonly known: Iterable<string>;
  /** Read every byte and check its CRC; otherwise only what opening a log checks. */
  readonly deep?: boolean;
};

export async function fsck({ disk, folder, known, deep = false }: FsckOptions): Promise<FsckReport> {
  const videos = new Set(known);
  const found = await namesIn(disk, folder);
  const damaged: DamagedTrack[] = [];
  let tracks = 0;
  for (const video of found.filter((name) => videos.has(name))) {
    for (const track of await namesIn(disk, `${folder}/${video}`)) {
      const path = `${folder}/${video}/${track}`;
      if (extentNumbers(await namesIn(disk, path)).length === 0) continue;
      tracks++;
      const { tornBytes, fragments, error } = await checkTrack(disk, path, deep);
      if (error === undefined && tornBytes === 0 && fragments.length === 0) continue;
      damaged.push({ video, track, tornBytes, fragments, ...(error === undefined ? {} : { error }) });
    }
  }
  return {
    orphans: found.filter((name) => !videos.has(name)).sort(),
    missing: [...videos].filter((video) => !found.includes(video)).sort(),
    damaged,
    tracks,
  };
}

/** A file (an original beside the tracks) and a folder that is not there have nothing in them. */
async function namesIn(disk: Disk, folder: string): Promise<string[]> {
  try {
    return (await disk.list(folder)).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

type TrackState = { tornBytes: number; fragments: number[]; error?: string };

async function checkTrack(disk: Disk, folder: string, deep: boolean): Promise<TrackState> {
  try {
    const { tornBytes, table } = await recover(disk, folder, () => undefined);
    const fragments: number[] = [];
    for (let seq = table.first; seq < table.end; seq++) if (table.state(seq) === 'quarantined') fragments.push(seq);
    if (!deep) return { tornBytes, fragments };
    const reader = await openTrackLogReader({ disk, folder });
    try {
      const all = new Set([...fragments, ...(await unreadable(reader))]);
      return { tornBytes, fragments: [...all].sort((a, b) => a - b) };
    } finally {
      await reader.close();
    }
  } catch (error) {
    return { tornBytes: 0, fragments: [], error: error instanceof Error ? error.message : String(error) };
  }
}

async function unreadable(reader: TrackLogReader): Promise<number[]> {
  const { first, end, entry } = reader.snapshot();
  const bad: number[] = [];
  for (let seq = first; seq < end; seq++) {
    // A declared hole is no damage.
    if (entry(seq).gap && entry(seq).size === 0) continue;
    await reader.readChecked(seq, seq + 1).catch(() => bad.push(seq));
  }
  return bad;
}
