/**
 * Uploads as they are played: how long it takes to open one, and to cut segments out of it, beside the disk alone and
 * beside ffmpeg, which copies the same range out of the same file. `node bench/virtual.ts`
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { RunFacts } from '../packager/live/run-facts.ts';
import { recordingSnapshot } from '../packager/live/recording.ts';
import { nodeDisk } from '../packager/log/node-disk.ts';
import { parseMovie } from '../packager/mp4/parse.ts';
import { endOfPlans, frameRateOf, longestSegment, uploadPolicy, virtualTracks } from '../packager/mp4/virtual-facts.ts';
import type { VirtualTrackLog } from '../packager/mp4/virtual-log.ts';
import { logsOf, openFile, planOf } from '../server/live/originals.ts';
import { clip } from '../test/support/clips.ts';
import { mustFfmpeg } from '../test/support/ffmpeg.ts';

const epoch = { run: 'run1234567', wallClock: 0 };
const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);
const median = (values: readonly number[]): number => sorted(values)[values.length >> 1] ?? Number.NaN;
const p99 = (values: readonly number[]): number => sorted(values)[Math.floor(values.length * 0.99)] ?? Number.NaN;
const ms = (value: number): string => `${value.toFixed(2)} ms`;
const took = async (work: () => unknown): Promise<number> => {
  const from = performance.now();
  await work();
  return performance.now() - from;
};

/** A clip over and over, as a file of its own. */
const film = async (file: string, to: string, loops: number, more: readonly string[] = []): Promise<void> => {
  await mustFfmpeg(['-stream_loop', String(loops - 1), '-i', file, '-c', 'copy', ...more, to], { timeoutMs: 600_000 });
};

const opened = async (file: string) => {
  const { source, close } = await openFile(nodeDisk, file);
  const movie = await parseMovie(source);
  const plan = await planOf(movie);
  const policy = uploadPolicy({ longest: longestSegment(plan.tracks), duration: endOfPlans(plan.tracks), frameRate: frameRateOf(plan.tracks) });
  const tracks = virtualTracks(plan, policy.targetDuration);
  const logs = logsOf(plan, tracks.map(({ id }) => id), source, epoch);
  const { rhythm, ...promised } = policy;
  const facts: RunFacts = { video: 'video12345', run: epoch.run, startedAt: 0, policy: { ...promised, dvrSeconds: 0, closedCaptions: [] }, rhythm, tracks };
  return { snapshot: await recordingSnapshot(facts, logs), logs, weight: plan.weight, samples: movie.tracks.reduce((sum, { samples }) => sum + samples.count, 0), close };
};

const opening = async (root: string): Promise<void> => {
  const small = await clip({ width: 160, height: 90, fps: 24, gop: 48, bframes: 2, kbps: 40, seconds: 8 });
  for (const [name, more] of [['moov last', []], ['moov first', ['-movflags', '+faststart']], ['fragments', ['-movflags', 'frag_keyframe+empty_moov+default_base_moof']]] as const) {
    const file = join(root, 'film.mp4');
    await film(small.file, file, 900, more);
    const ours: number[] = [];
    const theirs: number[] = [];
    let held = 0;
    let samples = 0;
    let segments = 0;
    let longest = 0;
    for (let round = 0; round < 7; round += 1) {
      // Whoever is live has the thread in between.
      let last = performance.now();
      let watching = true;
      const watch = async (): Promise<void> => {
        while (watching) {
          await setImmediate();
          const now = performance.now();
          longest = Math.max(longest, now - last);
          last = now;
        }
      };
      const watched = watch();
      const from = performance.now();
      const one = await opened(file);
      ours.push(performance.now() - from);
      watching = false;
      await watched;
      held = one.weight;
      samples = one.samples;
      segments = one.snapshot?.tracks[0]?.segments.length ?? 0;
      await one.close();
      theirs.push(await took(() => execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-t', '0.04', '-c', 'copy', '-f', 'null', '-'])));
    }
    console.log(
      `2 h, ${name}: ${samples} samples, ${segments} segments; opened in ${ms(ours[0] ?? NaN)} the first time, ${ms(median(ours))} then (median), ` +
        `${(median(ours) / median(theirs)).toFixed(2)} of the ${ms(median(theirs))} that ffmpeg takes to its first packet; the thread held for ${ms(longest)} at the longest; ${(held / 1e6).toFixed(1)} MB held`,
    );
    await rm(file);
  }
};

/** The file leaves the page cache: from where it is read next. */
const cold = (file: string): void => void execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);

const segmentsOf = async (root: string): Promise<void> => {
  const busy = await clip({ width: 1280, height: 720, bframes: 2, kbps: 8000, seconds: 8, busy: true });
  const file = join(root, 'large.mp4');
  await film(busy.file, file, Math.ceil(1e9 / (await stat(busy.file)).size));
  const { size } = await stat(file);
  const { logs, close } = await opened(file);
  for (const [id, log] of logs) {
    const { end } = log.snapshot();
    const wanted = Array.from({ length: 60 }, (_, n) => (n * 7919) % end);
    for (const temperature of ['warm', 'cold'] as const) {
      const made = await read(log, wanted, file, temperature === 'cold');
      const disk = await plain(log, wanted, file, temperature === 'cold');
      console.log(
        `${(size / 1e9).toFixed(2)} GB, ${id}, ${temperature}: a segment of ${(log.snapshot().entry(0).size / 1e3).toFixed(0)} kB in ${ms(median(made))} (p99 ${ms(p99(made))}); ` +
          `the bytes between its first and last alone ${ms(median(disk))}: ${(median(made) / median(disk)).toFixed(2)} of it`,
      );
    }
  }
  const log = logs.get('v0');
  if (log) await throughput(log, file);
  await close();
  await rm(file);
};

const read = async (log: VirtualTrackLog, seqs: readonly number[], file: string, isCold: boolean): Promise<number[]> => {
  const times: number[] = [];
  for (const seq of seqs) {
    if (isCold) cold(file);
    times.push(await took(() => log.readChecked(seq, seq + 1)));
  }
  return times;
};

/** One read of the same range of the file. */
const plain = async ({ plan }: VirtualTrackLog, seqs: readonly number[], file: string, isCold: boolean): Promise<number[]> => {
  const handle = await nodeDisk.open(file, 'read');
  const times: number[] = [];
  for (const seq of seqs) {
    if (isCold) cold(file);
    const from = plan.lows[seq] ?? 0;
    times.push(await took(() => handle.read(from, (plan.highs[seq] ?? 0) - from)));
  }
  await handle.close();
  return times;
};

/** All of the picture, segment by segment, as somebody would who downloads it; beside ffmpeg, which copies it into nothing. */
const throughput = async (log: VirtualTrackLog, file: string): Promise<void> => {
  const { end } = log.snapshot();
  const ours: number[] = [];
  const theirs: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 3; round += 1) {
    bytes = 0;
    ours.push(
      await took(async () => {
        for (let seq = 0; seq < end; seq += 1) bytes += (await log.readChecked(seq, seq + 1))[0]?.length ?? 0;
      }),
    );
    theirs.push(await took(() => execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-map', '0:v', '-c', 'copy', '-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-y', '/dev/null'])));
  }
  const speed = (time: number): string => `${(bytes / 1e3 / time).toFixed(0)} MB/s`;
  console.log(`all of its picture, warm: ${speed(median(ours))}; ffmpeg -c copy into fragments: ${speed(median(theirs))}; ${(median(theirs) / median(ours)).toFixed(1)} times as fast`);
};

const root = await mkdtemp(join(tmpdir(), 'millrace-virtual-'));
try {
  await opening(root);
  await segmentsOf(root);
} finally {
  await rm(root, { recursive: true, force: true });
}
