/** What the output of a chunk is called: by everything that decides which bytes it has. */
import { createHash } from 'node:crypto';
import type { EncodeWork } from '../../pipeline/work.ts';
import type { Programs } from '../programs.ts';

/** Counts up when other bytes come of the same work. */
const format = 1;
/** Of an encoder; its bytes hang on it. A slot of work is one core, and every rung of a chunk is encoded in its turn. */
export const encoderThreads = 1;

/** Which build of ffmpeg there is here. */
export const buildOf = ({ version }: Pick<Programs, 'version'>): string => version;

/** 64 hexadecimal digits. The same work has the same one, wherever it is done, and on machines of one kind the same bytes (encoders and scalers choose their arithmetic by the processor); `build`: of ffmpeg (`buildOf`). */
export const addressOf = (work: EncodeWork, build: string): string => createHash('sha256').update(JSON.stringify(said(work, build))).digest('hex');

/** Field by field: the order in which somebody wrote them must not matter. */
const said = ({ video, source, version, epoch, from, to, rungs, treatment, watermark }: EncodeWork, build: string): unknown[] => [
  ...[format, encoderThreads, build, video, version, epoch, from, to],
  source.kind === 'original' ? [source.kind, source.path, source.track] : [source.kind, source.folder],
  rungs.map(({ name, width, height, crf, maxRate, preset, level }) => [name, width, height, crf, maxRate, preset, level]),
  [treatment.deinterlace, treatment.toneMap],
  watermark && [watermark.digest, watermark.place, watermark.opacity],
];
