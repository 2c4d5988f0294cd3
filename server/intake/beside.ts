/** What is shown beside the tracks that a step makes, and on whose grid they are therefore cut. */
import { join } from 'node:path';
import type { Step } from '../../packager/encode/plan.ts';
import { openMovie, planCalmly, shelfOf, type Shelf } from '../../packager/encode/shelve.ts';
import { openTrackLogReader } from '../../packager/log/open.ts';
import { gridOfLog, type Grid } from '../../packager/mp4/grid.ts';
import { virtualTracks } from '../../packager/mp4/virtual-facts.ts';
import type { TrackRow, VideoWithTracks } from '../catalog/videos.ts';
import { failing, IntakeFault } from './failures.ts';
import type { MakePayload, ShopTools } from './ground.ts';
import { originalPath, usableTracks } from './originals.ts';

export type Beside = {
  /** Null: what is made now makes its own. */
  readonly grid: Grid | null;
  readonly rows: readonly TrackRow[];
  readonly shelf: Shelf | null;
  /** Of what is there and not counted yet. */
  readonly bytes: number;
  /** Under which its files are named; null: nothing has a name yet. */
  readonly run: string | null;
};

const nothing: Beside = { grid: null, rows: [], shelf: null, bytes: 0, run: null };

export const beside = async (tools: ShopTools, found: VideoWithTracks, { kept }: MakePayload, step: Step): Promise<Beside> => {
  if (step.original.picture) return besideOriginal(tools, found.video.id, step);
  if (kept) {
    const rows = kept.tracks.map((track): TrackRow => ({ ...track, language: track.language ?? null, name: track.name ?? null, original: null }));
    return { grid: await gridOfTrack(tools, found.video.id, rows), rows, shelf: kept, bytes: kept.bytes, run: null };
  }
  return step.kind === 'mezzanine' ? besideLowest(tools, found) : nothing;
};

const besideOriginal = async (tools: ShopTools, video: string, step: Step): Promise<Beside> => {
  const { movie, source, close } = await openMovie(tools.disk, originalPath(tools.folder, video));
  try {
    const { picture, sounds } = await usableTracks(movie, source);
    if (!picture) throw new IntakeFault(failing('encode-failed'));
    const plan = await planCalmly(movie, { tracks: [picture.id, ...(step.original.sound ? sounds : [])] });
    const shelf = shelfOf(plan);
    const rows = virtualTracks(plan, shelf.policy.targetDuration).map((track): TrackRow => ({ ...track, language: track.language ?? null, name: track.name ?? null }));
    return { grid: plan.grid, rows, shelf, bytes: 0, run: null };
  } finally {
    await close();
  }
};

const besideLowest = async (tools: ShopTools, { video, tracks }: VideoWithTracks): Promise<Beside> => {
  const rows = tracks.filter(({ kind }) => kind !== 'text');
  if (video.policy === null) throw new IntakeFault(failing('encode-failed'));
  const { dvrSeconds = 0, closedCaptions = [], ...policy } = video.policy;
  const told = rows.map(({ language, name, original: _original, ...track }) => ({ ...track, ...(language !== null && { language }), ...(name !== null && { name }) }));
  return {
    grid: await gridOfTrack(tools, video.id, rows),
    rows,
    shelf: { tracks: told, policy: { ...policy, dvrSeconds, closedCaptions }, durationMs: video.durationMs ?? 0 },
    bytes: 0,
    run: video.run,
  };
};

const gridOfTrack = async ({ disk, folder }: ShopTools, video: string, rows: readonly TrackRow[]): Promise<Grid> => {
  const lead = rows.find(({ kind }) => kind === 'video');
  if (!lead) throw new IntakeFault(failing('encode-failed'));
  const reader = await openTrackLogReader({ disk, folder: join(folder, video, lead.id) });
  try {
    return gridOfLog(reader.snapshot(), lead.timescale);
  } finally {
    await reader.close();
  }
};
