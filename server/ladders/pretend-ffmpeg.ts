/** For tests: an ffmpeg that says what it cost and does nothing. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxRun } from '../../packager/encode/sandbox.ts';
import type { MeasureOptions } from './measure.ts';

export type PretendFfmpeg = { readonly sandbox: MeasureOptions['sandbox']; /** Of each run, its arguments. */ readonly runs: (readonly string[])[] };

/** `secondsOf` says what a run costs, by its arguments; 0: it fails. */
export const pretendFfmpeg = (secondsOf: (args: readonly string[]) => number, version = '5.1'): PretendFfmpeg => {
  const runs: (readonly string[])[] = [];
  const run = async ({ args, place }: SandboxRun) => {
    runs.push(args);
    if (args.includes('sample.mp4')) await writeFile(join(place.work, 'sample.mp4'), 'a film');
    else if ((await readFile(join(place.work, 'input'), 'utf8')) !== 'a film') throw new Error('there is nothing to read');
    const seconds = secondsOf(args);
    const complaints = `frame=1\nbench: utime=${(seconds * 0.75).toFixed(3)}s stime=${(seconds * 0.25).toFixed(3)}s rtime=9.0s\n`;
    return { code: seconds > 0 ? 0 : 1, killedBy: null, ended: 'itself' as const, output: Buffer.alloc(0), complaints };
  };
  return { runs, sandbox: { run, programs: { ffmpeg: '', ffprobe: '', version, encoders: new Set(), filters: new Set() } } };
};
