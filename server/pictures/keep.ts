/** The job behind those that make pictures: what was made is named in the catalog, in place of what there was before, whose files go. */
import { join } from 'node:path';
import type { KeepPicturesWork } from '../../packager/pipeline/work.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { JobHandler } from '../jobs/runner.ts';
import type { MadePictures } from './handlers.ts';
import { noPictures, withSet, type KeptPictures } from './kept.ts';
import { dropReplaced } from './shelf.ts';

export type KeepTools = {
  readonly catalog: { readonly jobs: Pick<Catalog['jobs'], 'byKey'>; readonly videos: Pick<Catalog['videos'], 'changePictures'> };
  /** `<data>/videos` */
  readonly videos: string;
};

export const keepPicturesHandler =
  ({ catalog, videos }: KeepTools): JobHandler =>
  async ({ payload }) => {
    const { video, of } = payload as KeepPicturesWork;
    const made = madeOf((await catalog.jobs.byKey(of))?.result);
    if (!made) return;
    let before = noPictures;
    const row = await catalog.videos.changePictures(video, (there) => withMade((before = there), made));
    if (row?.pictures) await dropReplaced(join(videos, video), made.kind, before, row.pictures);
  };

/** Null: they are the same. What was chosen among the same posters stays. */
const withMade = (before: KeptPictures, result: MadePictures): KeptPictures | null => {
  const after = place(before, result);
  return JSON.stringify(after) === JSON.stringify(before) ? null : after;
};

const place = (before: KeptPictures, { kind, made }: MadePictures): KeptPictures => {
  if (!made) return before;
  if (kind === 'storyboard') return { ...before, storyboards: withSet(before.storyboards, made) };
  if (kind === 'preview') return { ...before, previews: withSet(before.previews, made) };
  const same = before.posters.find(({ version, inMs, outMs }) => version === made.version && inMs === made.inMs && outMs === made.outMs);
  return same ? before : { ...before, posters: withSet(before.posters, made) };
};

const kinds: ReadonlySet<unknown> = new Set<MadePictures['kind']>(['storyboard', 'posters', 'preview']);
const versionShape = /^[0-9a-f]{16}$/;
const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 10_000;

/** It may have been made in another process: what does not look like it is none. */
const madeOf = (result: unknown): MadePictures | null => {
  if (typeof result !== 'object' || result === null) return null;
  const { kind, made } = result as { readonly [name: string]: unknown };
  if (!kinds.has(kind) || typeof made !== 'object' || made === null) return null;
  const { version, height, count = 1, chosen = 0, sheets = 0, inMs, outMs } = made as { readonly [name: string]: unknown };
  const isShown = [inMs, outMs].every((ms) => ms === null || typeof ms === 'number');
  return typeof version === 'string' && versionShape.test(version) && [height, count, chosen, sheets].every(isCount) && Number(chosen) < Number(count) && isShown ? (result as MadePictures) : null;
};
