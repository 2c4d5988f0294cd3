/** One key picture made into a small JPEG by a program behind walls, which is given that picture and nothing else. */
import { liveTimescale } from './live-command.ts';
import { readJpeg, type Jpeg } from './jpeg.ts';
import { longestSide, pictureCommand, type PictureSource } from './picture-command.ts';
import type { JobPlace, Sandbox } from './sandbox.ts';
import { nutFrameHead, nutHead } from '../nut/writer.ts';

export type LonePicture = PictureSource & {
  readonly width: number;
  /** As the MP4 box holds it. */
  readonly config: Buffer;
  /** As a sample of an MP4 has it. */
  readonly data: Buffer;
};

export type Taken =
  | { readonly kind: 'taken'; readonly jpeg: Jpeg }
  /** `words`: for the log of the server. */
  | { readonly kind: 'failed'; readonly words: string }
  | { readonly kind: 'unwanted' };

export type PictureBench = { readonly sandbox: Pick<Sandbox, 'feed'>; readonly place: JobPlace; readonly signal: AbortSignal };

/** What a machine with too much to do takes for a tenth of a second of work, and more. */
const wallMs = 10_000;
/** 8192 × 8192 pixels with all that a decoder keeps of them; the work is that of the slowest of those. */
const limits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 4, fileBytes: 0 };
const mostBytes = 256 * 1024;

export const takePicture = async ({ sandbox, place, signal }: PictureBench, { data, ...source }: LonePicture): Promise<Taken> => {
  const input = Buffer.concat([nutHead({ ...source, timescale: liveTimescale, reorder: 0 }, 0), nutFrameHead(0, true, data.length), data]);
  const ran = await sandbox.feed({ program: 'ffmpeg', args: pictureCommand(source), place, limits, wallMs, signal, input, outputBytes: mostBytes });
  const jpeg = ran.ended === 'itself' && ran.code === 0 ? readJpeg(ran.output) : null;
  if (jpeg && Math.max(jpeg.width, jpeg.height) <= longestSide) return { kind: 'taken', jpeg };
  if (ran.ended === 'unwanted') return { kind: 'unwanted' };
  const how = ran.ended === 'itself' ? `${ran.killedBy ?? ran.code}` : ran.ended;
  return { kind: 'failed', words: `${how}: ${ran.complaints.trim().split('\n').slice(-2).join(' | ').slice(-400)}` };
};
