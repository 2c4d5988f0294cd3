/**
 * The track log against the disk below it: how fast fragments are appended, as a share of what `dd conv=fdatasync`
 * does with the same bytes, and how long it takes to open a log of 100,000 fragments. `node bench/log.ts`
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../packager/clock.ts';
import { nodeDisk } from '../packager/log/node-disk.ts';
import { createTrackLog, openTrackLog, openTrackLogReader } from '../packager/log/open.ts';
import { sampleEpoch } from '../packager/log/sample.ts';

const fragmentBytes = 200_000;
const fragments = 1500;
const runs = 5;
const longLog = 100_000;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const rate = (seconds: number): string => `${((fragmentBytes * fragments) / 1e6 / seconds).toFixed(0)} MB/s`;

async function seconds(work: () => Promise<unknown> | void): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const facts = (seq: number) => ({
  ...{ key: seq % 6 === 0, segmentStart: seq % 6 === 0, gap: false },
  ...{ dts: seq * 30_000, firstPts: seq * 30_000, duration: 30_000 },
});

async function appendAll(folder: string, data: readonly Buffer[]): Promise<void> {
  // A stall would be answered from memory; here the disk is what is measured.
  const log = await createTrackLog({ disk: nodeDisk, clock: systemClock, folder, stallMs: 60_000 });
  await log.beginEpoch(sampleEpoch(0));
  // Two at a time, as from two tracks: the CRC of one is computed while the other is written.
  let before: Promise<unknown> = Promise.resolve();
  for (let seq = 0; seq < fragments; seq++) {
    const appended = log.append(facts(seq), data);
    await before;
    before = appended;
  }
  await before;
  await log.sync();
  await log.close();
}

async function appendAgainstDd(root: string): Promise<void> {
  const data = [Buffer.alloc(2000, 0x5a), Buffer.alloc(fragmentBytes - 2000, 0xa5)];
  const ours: number[] = [];
  const theirs: number[] = [];
  const dd = ['if=/dev/zero', `of=${root}/dd`, `bs=${fragmentBytes}`, `count=${fragments}`, 'conv=fdatasync', 'status=none'];
  for (let run = 0; run < runs; run++) {
    theirs.push(await seconds(() => void execFileSync('dd', dd)));
    await rm(`${root}/dd`);
    const folder = join(root, `append${run}`);
    ours.push(await seconds(() => appendAll(folder, data)));
    await rm(folder, { recursive: true });
  }
  const ratios = ours.map((own, run) => (theirs[run] ?? Number.NaN) / own);
  console.log(`append ${fragments} × ${fragmentBytes / 1000} kB, flushed at the end (median of ${runs}, alternating)`);
  console.log(`  dd conv=fdatasync   ${rate(median(theirs))}`);
  console.log(`  track log           ${rate(median(ours))}`);
  console.log(`  ratio               ${median(ratios).toFixed(2)}   (goal: at least 0.5)`);
  console.log(`  each run            ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`);
}

async function openLong(root: string): Promise<void> {
  const options = { disk: nodeDisk, clock: systemClock, folder: join(root, 'long'), stallMs: 60_000 };
  const log = await createTrackLog(options);
  await log.beginEpoch(sampleEpoch(0));
  const data = [Buffer.alloc(4000, 1)];
  for (let seq = 0; seq < longLog; seq++) await log.append(facts(seq), data);
  await log.close();
  const reading: number[] = [];
  const writing: number[] = [];
  for (let run = 0; run < runs; run++) {
    reading.push(1000 * (await seconds(async () => check((await openTrackLogReader(options)).snapshot().end))));
    let close = async () => {};
    const took = await seconds(async () => {
      const writer = await openTrackLog(options);
      check(writer.reader.snapshot().end);
      close = () => writer.close();
    });
    writing.push(1000 * took);
    await close();
  }
  await rm(join(options.folder, 'index'));
  const rebuilt = 1000 * (await seconds(async () => check((await openTrackLogReader(options)).snapshot().end)));
  console.log(`open a log of ${longLog} fragments (first, then median of ${runs}; goal: at most 50 ms)`);
  console.log(`  to read             ${ms(reading[0] ?? Number.NaN)}, ${ms(median(reading))}`);
  console.log(`  to go on writing    ${ms(writing[0] ?? Number.NaN)}, ${ms(median(writing))}`);
  console.log(`  without its index   ${ms(rebuilt)}`);
}

function check(end: number): void {
  if (end !== longLog) throw new Error(`the log ends at ${end}`);
}

const root = await mkdtemp(join(process.env['MILLRACE_BENCH_FOLDER'] ?? tmpdir(), 'millrace-bench-'));
try {
  await appendAgainstDd(root);
  await openLong(root);
} finally {
  await rm(root, { recursive: true, force: true });
}
