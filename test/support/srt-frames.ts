/** Which frames of a clip came through: every picture of a clip is told by its bytes, so their order is a fact. */
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { demux } from '../../packager/media/mpegts/test-stream.ts';
import type { AccessUnit } from '../../packager/media/unit.ts';
import { clip } from './clips.ts';
import { mustFfmpeg } from './ffmpeg.ts';

const nameOf = (unit: AccessUnit): string => createHash('sha1').update(unit.data).digest('hex');

export type Frames = {
  readonly file: string;
  /** Pictures of the clip that are missing between the first and the last that came, and those that came again or are unknown. */
  judge(units: readonly AccessUnit[]): { readonly count: number; readonly missing: number; readonly wrong: number };
};

export const framesOf = async (): Promise<Frames> => {
  const source = await clip({ bframes: 2, width: 320, height: 180, kbps: 1500, busy: true });
  const { stdout } = await mustFfmpeg(['-i', source.file, '-c', 'copy', '-f', 'mpegts', 'pipe:1']);
  const places = new Map(demux(stdout).of('video').map((unit, index) => [nameOf(unit), index]));
  if (places.size !== source.frames) throw new Error(`${places.size} of ${source.frames} pictures can be told apart`);
  return {
    file: source.file,
    judge: (units) => {
      const pictures = units.filter(({ kind }) => kind === 'video');
      let missing = 0;
      let wrong = 0;
      let expected: number | null = null;
      for (const picture of pictures) {
        const place = places.get(nameOf(picture));
        if (place === undefined) {
          wrong += 1;
          continue;
        }
        const ahead: number = expected === null ? 0 : (place - expected + source.frames) % source.frames;
        if (ahead > source.frames / 2) wrong += 1;
        else missing += ahead;
        expected = (place + 1) % source.frames;
      }
      return { count: pictures.length, missing, wrong };
    },
  };
};

export type SrtSender = { readonly done: Promise<{ code: number | null; stderr: string }>; kill(signal: NodeJS.Signals): void };

/** ffmpeg sends a file in real time, over and over; `startAt`: seconds on the clock of MPEG-TS. */
export const sendSrt = (file: string, url: string, seconds?: number, startAt?: number): SrtSender => {
  const length = seconds === undefined ? [] : ['-t', String(seconds)];
  // The multiplexer adds 1.4 s by itself.
  const offset = startAt === undefined ? [] : ['-output_ts_offset', String(startAt - 1.4)];
  const args = ['-hide_banner', '-v', 'warning', '-nostdin', '-re', '-stream_loop', '-1', '-i', file, ...length, ...offset, '-c', 'copy', '-f', 'mpegts', url];
  const child = spawn(process.env.FFMPEG_PATH || 'ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-16_384)));
  const done = new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stderr }));
  });
  return { done, kill: (signal) => child.kill(signal) };
};
