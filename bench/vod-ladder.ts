/**
 * What it costs to make a ladder in chunks, so that it survives whatever happens and its lowest rung is there first:
 *
 *   ratio    seconds of cores (user and system, of all processes) of the standard ladder of a file, in chunks, to those of
 *            one ffmpeg that makes the same ladder with the same settings in one go; the bar is 1.30
 *   lowest   how long the lowest rung of a file takes with two chunks at a time, as a share of how long the file lasts; 0.15
 *
 *     node bench/vod-ladder.ts [SECONDS] [SECONDS OF THE LOWEST]
 *
 * The film is made of noise as nature has it, of mandelbrot and of life (bench/support/natural.ts): 1080p, 30 pictures a
 * second; 36 s of it, as often as it takes.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../packager/clock.ts';
import { findPrograms } from '../packager/encode/programs.ts';
import { makeJobPlace, Sandbox } from '../packager/encode/sandbox.ts';
import { buildOf } from '../packager/encode/vod/address.ts';
import { encodeChunk } from '../packager/encode/vod/chunk.ts';
import { chunkCommand } from '../packager/encode/vod/command.ts';
import { chunksOf, intervalsOf } from '../packager/encode/vod/intervals.ts';
import { joinRung, type ChunkPlace } from '../packager/encode/vod/join.ts';
import { openSource } from '../packager/encode/vod/source.ts';
import { nodeDisk } from '../packager/log/node-disk.ts';
import type { RungWork } from '../packager/pipeline/work.ts';
import { table } from '../test/support/figures.ts';
import { mustFfmpeg } from '../test/support/ffmpeg.ts';
import { naturalClip } from './support/natural.ts';

const clipSeconds = 36;
const seconds = Number(process.argv[2] ?? 144);
const lowestSeconds = Number(process.argv[3] ?? 600);
const kbps = 6000;

const rung = (height: number, width: number, maxRate: number, crf: number, level: number): RungWork => ({ name: `${height}p`, width, height, maxRate, crf, preset: 'veryfast', level });
const others = [rung(720, 1280, 2_500_000, 23, 31), rung(480, 854, 1_100_000, 23, 30), rung(360, 640, 700_000, 23, 30)];
const lowest = rung(240, 426, 350_000, 24, 21);
const treatment = { deinterlace: false, toneMap: null };

/** Of this process and of all that it started and that is over (proc(5), fields 14 to 17). */
const coreSeconds = (): number => {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100; // prettier-ignore
};
const measured = async (work: () => Promise<void>): Promise<{ cores: number; wall: number }> => {
  const [before, began] = [coreSeconds(), performance.now()];
  await work();
  return { cores: coreSeconds() - before, wall: (performance.now() - began) / 1000 };
};

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
const programs = await findPrograms();
const sandbox = await Sandbox.open({ programs, clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const source = { kind: 'original', path: 'original.mp4', track: 1 } as const;

/** So many seconds of the film, as a video of its own. */
const film = async (name: string, long: number): Promise<string> => {
  const video = join(folder, name);
  await mkdir(video);
  const clip = await naturalClip({ width: 1920, height: 1080, rate: 30, seconds: clipSeconds, kbps });
  await writeFile(join(video, 'list'), Array.from({ length: Math.ceil(long / clipSeconds) }, () => `file '${clip}'\n`).join(''));
  await mustFfmpeg(['-f', 'concat', '-safe', '0', '-i', join(video, 'list'), '-c', 'copy', '-t', String(long), join(video, source.path)]);
  return video;
};

/** All chunks of these rungs, so many at a time, and what they come to. */
const inChunks = async (video: string, sets: readonly (readonly RungWork[])[], atOnce: number): Promise<void> => {
  const open = await openSource(nodeDisk, video, source);
  const snapshot = open.log.snapshot();
  const chunks = chunksOf(intervalsOf(snapshot), snapshot.epochs[0]?.timescale ?? 1);
  const signal = new AbortController().signal;
  for (const rungs of sets) {
    const places: ChunkPlace[] = [];
    const left = [...chunks];
    const slot = async (number: number): Promise<void> => {
      const place = await makeJobPlace(join(video, `job${number}`));
      for (let chunk = left.shift(); chunk; chunk = left.shift()) {
        const { epoch, from, to } = chunk;
        const work = { video: 'v', source, version: '1', epoch, from, to, rungs, treatment, watermark: null };
        const made = await encodeChunk({ sandbox, place, disk: nodeDisk, clock: systemClock, folder: video, build: buildOf(programs), signal, progress: () => undefined }, work);
        places.push({ epoch, from, to, folder: made.folder });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, (_, number) => slot(number)));
    for (const { name } of rungs) {
      const joined = await joinRung({ disk: nodeDisk, clock: systemClock, signal, source: snapshot, chunks: places, rung: name, folder: join(video, `track-${name}`), targetDuration: 2, progress: () => undefined });
      if (joined.kind === 'torn') throw new Error(joined.why);
    }
  }
  await open.close();
};

/** The same settings, in one program that reads the file itself. */
const inOneGo = async (video: string): Promise<void> => {
  const picture = { codec: 'h264', width: 1920, height: 1080, rotation: 0, sar: null, colour: null } as const;
  const words = chunkCommand({ source: picture, rungs: [...others, lowest], treatment, mark: null, frameRate: 30, runUp: null });
  const input = ['-threads', '1', '-i', join(video, source.path)];
  const output = words.slice(words.indexOf('-filter_complex_threads')).map((word) => {
    if (word.startsWith('expr:')) return 'source';
    if (word.startsWith('pipe:')) return join(video, `${word.slice(5)}.mp4`);
    return word === 'nut' ? 'mp4' : word;
  });
  // What is NUT's alone.
  const plain = output.filter((word, at) => word !== '-write_index' && output[at - 1] !== '-write_index');
  const child = spawn(programs.ffmpeg, ['-v', 'error', '-nostdin', '-y', ...input, ...plain], { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error('ffmpeg failed');
};

try {
  const video = await film('ratio', seconds);
  const one = await measured(() => inOneGo(video));
  const low = await measured(() => inChunks(video, [[lowest]], 1));
  const rest = await measured(() => inChunks(video, [others], 1));
  const rows = [
    ['', 'core seconds', 'ratio'],
    ['one ffmpeg, four rungs', one.cores.toFixed(1), '1'],
    ['chunks of the lowest rung', low.cores.toFixed(1), (low.cores / one.cores).toFixed(2)],
    ['chunks of the others', rest.cores.toFixed(1), (rest.cores / one.cores).toFixed(2)],
    ['all chunks', (low.cores + rest.cores).toFixed(1), `${((low.cores + rest.cores) / one.cores).toFixed(2)} (at most 1.30)`],
  ];
  console.log(`${seconds} s of 1080p at ${kbps} kbit/s\n${table(rows)}`);
  if (lowestSeconds > 0) {
    const long = await film('lowest', lowestSeconds);
    const { wall, cores } = await measured(() => inChunks(long, [[lowest]], 2));
    console.log(`lowest rung of ${lowestSeconds} s, two chunks at a time: ${wall.toFixed(1)} s, ${(wall / lowestSeconds).toFixed(3)} of it (at most 0.15); ${cores.toFixed(1)} core seconds`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
