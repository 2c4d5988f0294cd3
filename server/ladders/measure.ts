/**
 * What encoding costs on this machine: measured once by a short encode, and kept with the data. Measured anew when the
 * processor or the encoder is another one.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { makeJobPlace, type Sandbox } from '../../packager/encode/sandbox.ts';
import type { CoreCost } from '../../packager/live/ladder-plan.ts';

const size = { width: 854, height: 480 };
const pictures = 90;
const megapixels = (size.width * size.height * pictures) / 1e6;
/** Moving, with edges and colours, and something that is nowhere alike: pictures that cost about what a game does. */
const scene = `testsrc2=size=${size.width}x${size.height}:rate=30,noise=alls=6:allf=t`;
const limits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 60, fileBytes: 0 };
const wallMs = 60_000;
/** Where it cannot be measured: rather too much than too little. */
const careful = 0.03;

/** What the presets of x264 cost, of what `veryfast` does: about, on any machine. */
const presets: Readonly<Record<string, number>> = { ultrafast: 0.5, superfast: 0.7, veryfast: 1, faster: 1.6, fast: 2, medium: 2.4, slow: 4, slower: 8, veryslow: 14 };
/** One decode, and what scaling takes of it. */
const decodeShare = 0.25;

type Kept = { readonly machine: string; readonly veryfast: number };

export const measuredCost = async (sandbox: Sandbox, data: string): Promise<CoreCost> => {
  const path = join(data, 'machine.json');
  const machine = `${cpus()[0]?.model ?? 'unknown'} / ffmpeg ${sandbox.programs.version}`;
  const kept = await readKept(path);
  if (kept?.machine === machine) return costOf(kept.veryfast);
  const veryfast = await measure(sandbox, data);
  if (veryfast === null) return costOf(careful);
  await writeFile(`${path}.new`, `${JSON.stringify({ machine, veryfast }, null, 2)}\n`);
  await rename(`${path}.new`, path);
  return costOf(veryfast);
};

const costOf = (veryfast: number): CoreCost => ({
  perMegapixel: Object.fromEntries(Object.entries(presets).map(([preset, times]) => [preset, veryfast * times])),
  decodePerMegapixel: veryfast * decodeShare,
});

const readKept = async (path: string): Promise<Kept | null> => {
  try {
    const kept: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isKept(kept) ? kept : null;
  } catch {
    return null; // Not measured yet, or somebody has put something else there.
  }
};

const isKept = (value: unknown): value is Kept =>
  typeof value === 'object' && value !== null && 'machine' in value && typeof value.machine === 'string' && 'veryfast' in value && typeof value.veryfast === 'number' && value.veryfast > 0 && value.veryfast < 10;

/** Seconds of a core for a million pixels; null: it could not be done. */
const measure = async (sandbox: Sandbox, data: string): Promise<number | null> => {
  const place = await makeJobPlace(join(data, 'jobs', `measure-${process.pid}`));
  const { code, complaints } = await sandbox.run({
    ...{ program: 'ffmpeg', place, limits, wallMs },
    args: [
      ...['-hide_banner', '-nostdin', '-nostats', '-benchmark', '-f', 'lavfi', '-i', scene, '-frames:v', String(pictures)],
      ...['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-threads', '1', '-b:v', '1100k', '-pix_fmt', 'yuv420p', '-f', 'null', '-'],
    ],
  });
  const [, user, system] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(complaints) ?? [];
  const seconds = Number(user) + Number(system);
  return code === 0 && seconds > 0 ? seconds / megapixels : null;
};
