/** For tests: films that ffmpeg makes, what pictures are made of them with, and the pixels of what comes out. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encoded, run } from '../../../test/support/encoded.ts';
import { systemClock } from '../../clock.ts';
import { MemoryLog } from '../../log/memory-log.ts';
import { nodeDisk } from '../../log/node-disk.ts';
import type { TrackLogReader } from '../../log/types.ts';
import { findPrograms } from '../programs.ts';
import { readJpeg } from '../jpeg.ts';
import { makeJobPlace, Sandbox } from '../sandbox.ts';
import { openSource } from '../vod/source.ts';
import type { MakeStills } from './make.ts';

type Test = { teardown(run: () => unknown): void };

const folder = await mkdtemp(join(tmpdir(), 'millrace-stills-'));
/** To be called when all is over. */
export const clear = (): Promise<void> => rm(folder, { recursive: true, force: true });
const opened = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!opened) throw new Error('ffmpeg does not run here');
export const sandbox = opened;
const place = await makeJobPlace(join(folder, 'place'));

export const usual = { every: null, columns: 10, rows: 10, width: 160 } as const;
export const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
export const film = (source: string, args: readonly string[] = [], filter = 'null'): Promise<string> => encoded('mp4', ['-f', 'lavfi', '-i', source, '-vf', filter, ...x264, ...args]);
/** Red for ten seconds, then green, then blue, and so on. */
export const colours = { red: [254, 0, 0], green: [0, 128, 0], blue: [0, 0, 254], white: [255, 255, 255] } as const;
export const changing = async (): Promise<string> => {
  const inputs = Object.keys(colours).flatMap((colour) => ['-f', 'lavfi', '-i', `color=${colour}:size=640x360:rate=10:duration=10`]);
  return encoded('mp4', [...inputs, '-filter_complex', 'concat=n=4', ...x264, '-g', '10', '-bf', '2', '-x264-params', 'scenecut=0:open-gop=0']);
};

export const open = async (t: Test, file: string): Promise<TrackLogReader> => {
  const { log, close } = await openSource(nodeDisk, '/', { kind: 'original', path: file, track: 1 });
  t.teardown(close);
  return log;
};
export const stageOf = (reader: TrackLogReader, more: Partial<MakeStills> = {}): MakeStills => ({ sandbox, place, signal: new AbortController().signal, reader, span: { inMs: null, outMs: null }, progress: () => undefined, ...more });

let files = 0;
type Pixels = (x: number, y: number) => number[];
/** Decoded once: what is at a place, and around it. */
export const pixelsOf = async (picture: Buffer): Promise<Pixels> => {
  const path = join(folder, `${(files += 1)}.jpg`);
  await writeFile(path, picture);
  const rgb = await run(['-i', path, '-frames:v', '1', '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1']);
  return at(rgb, sizeOf(picture)?.[0] ?? 1);
};
export const at =
  (rgb: Buffer, width: number): Pixels =>
  (x, y) => [...rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
export const isNear = (some: readonly number[], others: readonly number[]): boolean => some.length === 3 && some.every((value, at) => Math.abs(value - (others[at] ?? 0)) <= 14);
export const sizeOf = (picture: Buffer | undefined) => {
  const jpeg = picture && readJpeg(picture);
  return jpeg ? [jpeg.width, jpeg.height] : null;
};

/** A log of its own, epoch by epoch; what `damage` says of a fragment is done to it. */
export const logOf = async (readers: readonly TrackLogReader[], damage: (bytes: Buffer, seq: number) => Buffer = (bytes) => bytes): Promise<MemoryLog> => {
  const log = new MemoryLog();
  for (const [epoch, reader] of readers.entries()) {
    const { end, entry, epochs } = reader.snapshot();
    const [facts] = epochs;
    if (!facts) throw new Error('no epoch');
    await log.beginEpoch({ ...facts, epoch, wallClock: 0 });
    for (let seq = 0; seq < end; seq += 1) {
      const [bytes = Buffer.alloc(0)] = await reader.read(seq, seq + 1);
      await log.append(entry(seq), [damage(bytes, seq)]);
    }
  }
  return log;
};
