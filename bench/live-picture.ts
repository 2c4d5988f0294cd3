/**
 * What the live pictures of cards cost: key pictures of a noisy scene, one after the other, each made into a small JPEG behind the walls of this machine.
 *
 *     node bench/live-picture.ts [PICTURES]
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../packager/clock.ts';
import { findPrograms } from '../packager/encode/programs.ts';
import { makeJobPlace, Sandbox } from '../packager/encode/sandbox.ts';
import { takePicture } from '../packager/encode/take-picture.ts';
import { encoded } from '../test/support/encoded.ts';
import { percentile, table } from '../test/support/figures.ts';
import { sourceClip } from '../test/support/source-pictures.ts';

const count = Number(process.argv[2] ?? 20);
/** One every five seconds. */
const perMinute = 12;
const sources: Readonly<Record<string, readonly string[]>> = {
  '720p H.264': ['1280x720', '-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '3M'],
  '1080p H.264': ['1920x1080', '-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '6M'],
  '2160p H.264': ['3840x2160', '-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '20M'],
  '1080p HEVC': ['1920x1080', '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-b:v', '4M', '-tag:v', 'hvc1'],
};

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const place = await makeJobPlace(join(folder, 'pictures'));

/** Seconds of a core: of programs that are over, and our own (proc(5), fields 14 to 17). */
const spent = (): { theirs: number; ours: number } => {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 15).map(Number);
  return { theirs: (childUser + childSystem) / 100, ours: (user + system) / 100 };
};

const rows: string[][] = [];
for (const [name, [size = '', ...codec]] of Object.entries(sources)) {
  const source = await sourceClip(await encoded('mp4', ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30,noise=alls=6:allf=t`, '-frames:v', '3', '-pix_fmt', 'yuv420p', ...codec]));
  const [first] = source.pictures;
  if (!first) throw new Error('a clip without pictures');
  const times: number[] = [];
  const before = spent();
  let bytes = 0;
  for (let turn = 0; turn < count; turn += 1) {
    const began = performance.now();
    const taken = await takePicture({ sandbox, place, signal: new AbortController().signal }, { ...source, colour: null, data: first.data });
    if (taken.kind !== 'taken') throw new Error(`no picture: ${taken.kind}`);
    times.push(performance.now() - began);
    bytes = taken.jpeg.bytes.length;
  }
  const after = spent();
  const [theirs, ours] = [(after.theirs - before.theirs) / count, (after.ours - before.ours) / count];
  const all = (theirs + ours) * perMinute;
  rows.push([name, `${Math.round(first.data.length / 1024)} → ${Math.round(bytes / 1024)} KB`, `${Math.round(percentile(times, 0.5))} ms`, `${theirs.toFixed(3)} s`, `${ours.toFixed(3)} s`, `${all.toFixed(1)} s (${((all / 60) * 100).toFixed(1)} % of a core)`]);
}
await rm(folder, { recursive: true, force: true });
console.log(table([['source', 'key picture → JPEG', 'median', 'core, ffmpeg and walls', 'core, server', 'a channel, each minute'], ...rows]));
