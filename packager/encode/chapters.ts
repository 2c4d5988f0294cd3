/**
 * Chapters that lie in a file: those of Matroska, the list of an MP4 (`chpl`) and its tracks of chapters, all told by ffprobe
 * behind walls. Read strictly: it repeats what a stranger wrote.
 */
import { calm, hostileInput } from './hostile.ts';
import { name } from './inspection.ts';
import { EncodeError, type Workbench } from './runs.ts';

export type FoundChapter = {
  readonly startMs: number;
  readonly endMs: number;
  /** Null: it has none. */
  readonly title: string | null;
};

const limits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 20, fileBytes: 0 };
const wallMs = 60_000;
/** Of thousands with long titles; more is nobody's list of chapters. */
const mostBytes = 4 * 2 ** 20;
const mostChapters = 10_000;
const longestTitle = 200;
const longestSeconds = 7 * 86_400;

/** None, where they cannot be told. Rejects with an EncodeError that may go better another time. */
export const chaptersIn = async ({ sandbox, place, container, signal }: Workbench): Promise<FoundChapter[]> => {
  const args = [...calm, '-of', 'json', '-show_entries', 'chapter=start_time,end_time:chapter_tags=title', ...hostileInput(container)];
  const ran = await sandbox.run({ program: 'ffprobe', args, place, limits, wallMs, signal, outputBytes: mostBytes });
  if (ran.ended === 'unwanted') throw new EncodeError('unwanted', 'It is not wanted any more.', true);
  if (ran.ended === 'time') throw new EncodeError('took-too-long', 'Its chapters were not told in time.', true);
  return ran.ended === 'itself' && ran.code === 0 ? readChapters(ran.output.toString()) : [];
};

type Fields = { readonly [name: string]: unknown };
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {});

export const readChapters = (json: string): FoundChapter[] => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return [];
  }
  const { chapters } = fields(parsed);
  if (!Array.isArray(chapters)) return [];
  return chapters.slice(0, mostChapters).flatMap((one): FoundChapter[] => {
    const chapter = fields(one);
    const [startMs, endMs] = [milliseconds(chapter['start_time']), milliseconds(chapter['end_time'])];
    return startMs === null ? [] : [{ startMs, endMs: endMs ?? startMs, title: name(fields(chapter['tags'])['title'], longestTitle) }];
  });
};

/** `12.345000` */
const milliseconds = (value: unknown): number | null => {
  const seconds = typeof value === 'string' && /^\d{1,12}(\.\d{1,12})?$/.test(value) ? Number(value) : NaN;
  return seconds <= longestSeconds ? Math.round(seconds * 1000) : null;
};
