/**
 * The job that looks for what is written in an original: chapters, which go to the video unless it has some, and subtitles, which become
 * captions by the job that intake queues for what it converts. Whatever goes wrong, the video stays what it is.
 */
import { captionsIn } from '../../packager/encode/captions.ts';
import { chaptersIn } from '../../packager/encode/chapters.ts';
import { inspect } from '../../packager/encode/runs.ts';
import { codeOf } from '../../packager/log/faults.ts';
import type { Container } from '../../packager/media/sniff.ts';
import type { TextsWork } from '../../packager/pipeline/work.ts';
import { withPatience } from '../intake/failures.ts';
import { queueCaptions, type ShopTools } from '../intake/ground.ts';
import { mustSandbox } from '../intake/inspect.ts';
import { containerOf, originalPath } from '../intake/originals.ts';
import { placeWith } from '../intake/place.ts';
import type { JobHandler } from '../jobs/runner.ts';
import { saneChapters } from './chapters.ts';

export type TextsTools = Pick<ShopTools, 'catalog' | 'disk' | 'folder' | 'sandbox'>;

export const textsHandler = (tools: TextsTools): JobHandler =>
  withPatience(async (job, { signal, folder }) => {
    const { catalog, disk } = tools;
    const { video } = job.payload as TextsWork;
    const row = await catalog.videos.get(video);
    const path = originalPath(tools.folder, video);
    const container = row && (await whichIs(disk, path));
    if (!row || !container) return;
    const sandbox = await mustSandbox(tools);
    const bench = { sandbox, place: await placeWith(tools, folder, path), container, signal };
    if (row.chapters === null) {
      const chapters = saneChapters(await chaptersIn(bench), row.durationMs);
      if (chapters.length > 0) await catalog.videos.findChapters(video, chapters);
    }
    const { inspection } = await inspect(bench);
    await queueCaptions(catalog, { video, container, texts: captionsIn(inspection, container) });
    await catalog.videos.changePictures(video, (before) => (before.texts ? null : { ...before, texts: true }));
  });

/** Null: nothing that is known, or it is not kept. */
const whichIs = async (disk: TextsTools['disk'], path: string): Promise<Container | null> => {
  try {
    return await containerOf(disk, path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
};
