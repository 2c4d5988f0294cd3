/** Raw pictures as files that browsers show. What was decoded before is ours: still nothing writes a file outside of walls. */
import type { RawPicture } from '../../pictures/raw.ts';
import type { Size } from '../../pictures/storyboard.ts';
import { readJpeg } from '../jpeg.ts';
import { EncodeError } from '../runs.ts';
import { animationEncoder, jpegCommand, webpCommand } from './command.ts';
import type { StillBench } from './take.ts';

const limits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 60, fileBytes: 0 };
const wallMs = 5 * 60_000;
const mostJpegBytes = 8 * 2 ** 20;
const mostWebpBytes = 8 * 2 ** 20;

const run = async ({ sandbox, place, signal }: StillBench, args: readonly string[], input: Buffer, outputBytes: number): Promise<Buffer> => {
  const ran = await sandbox.feed({ program: 'ffmpeg', args, place, limits, wallMs, signal, input, outputBytes });
  if (ran.ended === 'unwanted') throw new EncodeError('unwanted', 'It is not wanted any more.', true);
  if (ran.ended === 'itself' && ran.code === 0) return ran.output;
  const words = ran.complaints.trim().split('\n').slice(-2).join(' | ').slice(-400);
  throw new EncodeError('encode-failed', 'A picture could not be written.', true, { cause: new Error(`${ran.ended} ${ran.killedBy ?? ran.code}: ${words}`) });
};

export const writeJpeg = async (bench: StillBench, picture: RawPicture, quality: number): Promise<Buffer> => {
  const output = await run(bench, jpegCommand(picture, quality), picture.data, mostJpegBytes);
  const jpeg = readJpeg(output);
  if (!jpeg || jpeg.width !== picture.width || jpeg.height !== picture.height) throw new EncodeError('encode-failed', 'A picture was not written as it should be.', true);
  return output;
};

/** Null: the ffmpeg of this machine cannot. */
export const writeAnimation = async (bench: StillBench, pictures: readonly Buffer[], size: Size, rate: number): Promise<Buffer | null> => {
  if (!bench.sandbox.programs.encoders.has(animationEncoder)) return null;
  const output = await run(bench, webpCommand(size, rate), Buffer.concat(pictures), mostWebpBytes);
  if (output.length < 12 || output.toString('latin1', 0, 4) !== 'RIFF' || output.toString('latin1', 8, 12) !== 'WEBP') throw new EncodeError('encode-failed', 'A preview was not written as it should be.', true);
  return output;
};
