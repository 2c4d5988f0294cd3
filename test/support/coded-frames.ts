/** Coded pictures as ffmpeg writes them into IVF, one after the other, and configurations out of MP4. */
import { readFile } from 'node:fs/promises';
import { encoded } from './encoded.ts';

export const ivfFrames = async (args: readonly string[]): Promise<Buffer[]> => {
  const file = await readFile(await encoded('ivf', args));
  const frames: Buffer[] = [];
  for (let at = file.readUInt16LE(6); at + 12 <= file.length; ) {
    const end = at + 12 + file.readUInt32LE(at);
    frames.push(file.subarray(at + 12, end));
    at = end;
  }
  return frames;
};

/** The body of the first box with this name: small files of our own need no parser. */
export const boxOf = async (type: string, args: readonly string[]): Promise<Buffer> => {
  const file = await readFile(await encoded('mp4', args));
  const at = file.indexOf(type);
  return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
};
