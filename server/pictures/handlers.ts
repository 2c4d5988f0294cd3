/**
 * The jobs that make pictures of a video. They know no catalog and may run anywhere: what they make lies in the folder of the
 * video under the name of its version, and what their video is to be told of it is their result (`keep.ts`).
 */
import { join } from 'node:path';
import { makePosters, makePreview, makeStoryboard, type MakeStills } from '../../packager/encode/stills/make.ts';
import { EncodeError } from '../../packager/encode/runs.ts';
import { makeJobPlace, type Sandbox } from '../../packager/encode/sandbox.ts';
import { openSource } from '../../packager/encode/vod/source.ts';
import type { Disk } from '../../packager/log/types.ts';
import { posterName, previewName, sheetName, storyboardName } from '../../packager/pictures/names.ts';
import { storyboardVtt } from '../../packager/pictures/storyboard.ts';
import type { PicturesWork, SourceTrack } from '../../packager/pipeline/work.ts';
import { withPatience } from '../intake/failures.ts';
import type { Job } from '../jobs/queue.ts';
import type { JobContext, JobHandler } from '../jobs/runner.ts';
import type { KeptPosters, KeptPreview, KeptStoryboard } from './kept.ts';
import { shelveSet, versionOf, type PictureFile } from './shelf.ts';

export type PictureTools = {
  readonly disk: Disk;
  /** `<data>/videos` */
  readonly videos: string;
  /** A sentence: why nothing is decoded here. */
  readonly sandbox: Sandbox | string | Promise<Sandbox | string>;
};

/** Null: there is nothing to be seen in it. */
export type MadePictures =
  | { readonly kind: 'storyboard'; readonly made: KeptStoryboard | null }
  | { readonly kind: 'posters'; readonly made: KeptPosters | null }
  | { readonly kind: 'preview'; readonly made: KeptPreview | null };

type Stage = MakeStills & { readonly home: string; readonly folder: string; readonly tools: PictureTools };
type Work<Kind extends PicturesWork['kind']> = Extract<PicturesWork, { kind: Kind }>;

const storyboard = async (stage: Stage, work: Work<'storyboard'>): Promise<MadePictures> => {
  const made = await makeStoryboard(stage, work);
  if (!made) return { kind: 'storyboard', made: null };
  const { sheets, cells, length, grid, cell } = made;
  const version = versionOf([...sheets, JSON.stringify([cells.map(({ at }) => at), length, grid, cell])]);
  const vtt = storyboardVtt(cells, length, grid, cell, version);
  await keep(stage, 'storyboard', version, [{ name: storyboardName, bytes: Buffer.from(vtt) }, ...sheets.map((bytes, index) => ({ name: sheetName(index), bytes }))]);
  return { kind: 'storyboard', made: { version, height: cell.height, sheets: sheets.length, ...spanOf(work) } };
};

const posters = async (stage: Stage, work: Work<'posters'>): Promise<MadePictures> => {
  const made = await withSource(stage, work.best, (sharper) => makePosters(stage, sharper, work));
  if (!made) return { kind: 'posters', made: null };
  const version = versionOf(made.posters);
  await keep(stage, 'posters', version, made.posters.map((bytes, index) => ({ name: posterName(index), bytes })));
  return { kind: 'posters', made: { version, height: made.height, count: made.posters.length, chosen: made.best, ...spanOf(work) } };
};

const preview = async (stage: Stage, work: Work<'preview'>): Promise<MadePictures> => {
  const made = await makePreview(stage, work);
  if (!made) return { kind: 'preview', made: null };
  const version = versionOf([made.preview]);
  await keep(stage, 'preview', version, [{ name: previewName, bytes: made.preview }]);
  return { kind: 'preview', made: { version, height: made.height, ...spanOf(work) } };
};

const spanOf = ({ inMs, outMs }: PicturesWork): Pick<PicturesWork, 'inMs' | 'outMs'> => ({ inMs, outMs });

const keep = ({ tools, home, folder }: Stage, set: MadePictures['kind'], version: string, files: readonly PictureFile[]): Promise<void> =>
  shelveSet(tools.disk, home, folder, { set, version, files });

const withSource = async <Made>({ tools, home }: Pick<Stage, 'tools' | 'home'>, source: SourceTrack | null, make: (reader: MakeStills['reader'] | null) => Promise<Made>): Promise<Made> => {
  if (!source) return make(null);
  const { log, close } = await openSource(tools.disk, home, source);
  try {
    return await make(log);
  } finally {
    await close();
  }
};

const made = async (tools: PictureTools, { payload }: Job, { folder, signal, progress }: JobContext): Promise<MadePictures> => {
  const work = payload as PicturesWork;
  const sandbox = await tools.sandbox;
  if (typeof sandbox === 'string') throw new EncodeError('encode-failed', `This server makes no pictures: ${sandbox}.`);
  const home = join(tools.videos, work.video);
  const place = await makeJobPlace(folder);
  return withSource({ tools, home }, work.source, async (reader) => {
    if (!reader) throw new EncodeError('encode-failed', 'There is nothing to make pictures of.');
    const stage: Stage = { sandbox, place, signal, reader, span: work, progress, home, folder, tools };
    switch (work.kind) {
      case 'storyboard':
        return storyboard(stage, work);
      case 'posters':
        return posters(stage, work);
      case 'preview':
        return preview(stage, work);
    }
  });
};

/** Of whoever does jobs, in this process or in another. */
export const pictureHandlers = (tools: PictureTools): { readonly [kind in PicturesWork['kind']]: JobHandler } => {
  const handler = withPatience((job, context) => made(tools, job, context));
  return { storyboard: handler, posters: handler, preview: handler };
};
