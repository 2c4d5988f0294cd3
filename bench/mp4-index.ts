/**
 * The index of a film of two hours (24 pictures a second with B-frames, sound of 48 kHz), out of its moov: how long it
 * takes, for how long it holds up the event loop, and what it weighs, beside mp4box reading the same bytes in the same
 * process. And a film of twelve hours at 30 a second. `node bench/mp4-index.ts`
 */
import { createFile, MP4BoxBuffer } from 'mp4box';
import { ascii, box, encode, fullBox, u32, u64, type Box } from '../packager/cmaf/box.ts';
import { audioEntry, mvhd, rows, tablesOf, trak } from '../packager/mp4/crafted-file.ts';
import { judgeMovie } from '../packager/mp4/judge.ts';
import type { RangeSource } from '../packager/mp4/movie.ts';
import { parseMovie } from '../packager/mp4/parse.ts';
import { planMovie } from '../packager/mp4/virtual.ts';

const rounds = 9;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const ms = (values: readonly number[]): string => `${median(values).toFixed(1)} ms (${values.map((one) => one.toFixed(0)).join(' ')})`;

type Film = { readonly hours: number; readonly rate: number };

/** Chunks of half a second, as muxers interleave: sizes as pictures and frames of sound have them. */
const film = ({ hours, rate }: Film): { readonly source: RangeSource; readonly head: Buffer; readonly samples: number } => {
  const seconds = hours * 3600;
  const pictures = seconds * rate;
  const frames = Math.floor((seconds * 48_000) / 1024);
  const perChunk = rate / 2;
  const chunks = seconds * 2;
  const framesPerChunk = Math.ceil(frames / chunks);
  const size = (i: number): number => (i % (2 * rate) === 0 ? 60_000 + (i % 9973) : 4000 + ((i * 7919) % 12_000));
  // I P b P b …, and the last of a group in its own place.
  const offset = (place: number): number => (place === 0 || place === 2 * rate - 1 ? 1000 : place % 2 === 1 ? 2000 : 0);
  const frame = (i: number): number => 250 + ((i * 7919) % 200);
  const bytesOf = (from: number, to: number, one: (i: number) => number): number => {
    let sum = 0;
    for (let i = from; i < to; i += 1) sum += one(i);
    return sum;
  };
  const places: { picture: number[]; sound: number[] } = { picture: [], sound: [] };
  let at = 100 << 20;
  for (let i = 0; i < chunks; i += 1) {
    places.picture.push(at);
    at += bytesOf(i * perChunk, (i + 1) * perChunk, size);
    places.sound.push(at);
    at += bytesOf(i * framesPerChunk, Math.min((i + 1) * framesPerChunk, frames), frame);
  }
  const co64 = (list: readonly number[]): Box => fullBox('co64', 0, 0, [u32(list.length), ...list.map(u64)]);
  const list = (count: number, one: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => one(i));
  const picture = trak({
    timescale: rate * 1000,
    tables: tablesOf(list(pictures, size), {
      stts: rows('stts', [[pictures, 1000]]),
      ctts: rows('ctts', list(pictures, (i) => offset(i % (2 * rate))).map((one) => [1, one])),
      stsc: rows('stsc', [[1, perChunk, 1]]),
      stco: co64(places.picture),
      stss: rows('stss', list(pictures / (2 * rate), (i) => i * 2 * rate + 1).map((one) => [one])),
    }),
  });
  const sound = trak({
    id: 2,
    handler: 'soun',
    timescale: 48_000,
    entries: [audioEntry()],
    tables: tablesOf(list(frames, frame), { stts: rows('stts', [[frames, 1024]]), stsc: rows('stsc', [[1, framesPerChunk, 1]]), stco: co64(places.sound) }),
  });
  const head = encode(box('ftyp', [ascii('isom'), u32(0)]), box('moov', [mvhd(), picture, sound]), u32(1), ascii('mdat'), u64(at));
  const source: RangeSource = { size: head.length - 16 + at, read: async (from, length) => (from + length <= head.length ? head.subarray(from, from + length) : Buffer.alloc(length)) };
  return { source, head, samples: pictures + frames };
};

/** What this thread has had of a processor: the clock counts others' turns too. */
const worked = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** The longest turn of the event loop while something is at work. */
const longestTurn = async (work: () => Promise<unknown>): Promise<number> => {
  let longest = 0;
  let last = worked();
  let going = true;
  const tick = (): void => {
    const now = worked();
    longest = Math.max(longest, now - last);
    last = now;
    if (going) setImmediate(tick);
  };
  setImmediate(tick);
  await new Promise((resolve) => setImmediate(resolve));
  last = worked();
  await work();
  await new Promise((resolve) => setImmediate(resolve));
  going = false;
  return longest;
};

const timed = async (work: () => unknown): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

const byMp4box = (head: Buffer): number => {
  const file = createFile(false);
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(head).buffer, 0));
  file.flush();
  return file.getTrackSamplesInfo(1).length + file.getTrackSamplesInfo(2).length;
};

const measure = async (wanted: Film): Promise<void> => {
  const { source, head, samples } = film(wanted);
  console.log(`a film of ${wanted.hours} hours: ${samples} samples, a moov of ${(head.length / 2 ** 20).toFixed(1)} MiB`);
  const [ours, theirs, plans, turns]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await timed(() => parseMovie(source)));
    theirs.push(await timed(() => check(byMp4box(head), samples)));
    turns.push(await longestTurn(() => parseMovie(source)));
  }
  const movie = await parseMovie(source);
  check(movie.tracks.reduce((sum, track) => sum + track.samples.count, 0), samples);
  for (let round = 0; round < rounds; round += 1) plans.push(await timed(() => planMovie(movie)));
  const verdict = await timed(() => judgeMovie(movie, source));
  const [track] = movie.tracks;
  const segments = Array.from({ length: 2000 }, (_, i) => Math.floor((i * (samples / 4)) / 2000));
  const rowing = await timed(() => segments.forEach((from) => track?.samples.rows(from % (track.samples.count - 96), (from % (track.samples.count - 96)) + 96)));
  console.log(`  index               ${ms(ours)}, ${(movie.weight / samples).toFixed(1)} bytes a sample`);
  console.log(`  longest turn        ${ms(turns)}`);
  console.log(`  mp4box              ${ms(theirs)}`);
  console.log(`  ratio               ${(median(ours) / median(theirs)).toFixed(3)}`);
  console.log(`  verdict             ${verdict.toFixed(0)} ms; plan of all segments ${ms(plans)}`);
  console.log(`  96 rows             ${((rowing * 1000) / segments.length).toFixed(1)} µs`);
};

function check(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${found} samples, where there are ${wanted}`);
}

await measure({ hours: 2, rate: 24 });
await measure({ hours: 12, rate: 30 });
