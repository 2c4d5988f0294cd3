/** Which moments of a video are shown, how they lie side by side, and which of them are worth being its face. */
import t from 'tap';
import { Random } from '../../test/support/random.ts';
import type { EpochFacts, FragmentEntry } from '../log/types.ts';
import { candidatesOf, chooseFaces, isPlain, lookOf, type Look } from './choose.ts';
import { momentsOf } from './moments.ts';
import { parsePictureName, posterName, sheetName } from './names.ts';
import { bytesOf, sheetOf } from './raw.ts';
import { cellsOfSheet, chosenCells, clock, gridOf, mostCells, stepOf, storyboardVtt } from './storyboard.ts';

type Told = { readonly epoch?: number; readonly duration?: number; readonly dts?: number; readonly key?: boolean; readonly gap?: boolean; readonly segmentStart?: boolean };

/** Ticks of 1000 a second, unless an epoch says otherwise. */
const logOf = (told: readonly Told[], timescales: readonly number[] = [1000, 1000]) => {
  let dts = 0;
  const entries = told.map(({ epoch = 0, duration = 2000, key = true, gap = false, segmentStart = true, dts: said }, seq): FragmentEntry => {
    const entry = { seq, epoch, dts: said ?? dts, firstPts: said ?? dts, duration, key, gap, segmentStart, size: gap ? 0 : 100, volatile: false };
    dts = entry.dts + duration;
    return entry;
  });
  const epochs = timescales.map((timescale, epoch) => ({ epoch, timescale }) as EpochFacts);
  const entry = (seq: number): FragmentEntry => {
    const found = entries[seq];
    if (!found) throw new Error(`no fragment ${seq}`);
    return found;
  };
  return { first: 0, end: entries.length, epochs, entry };
};
const all = { inMs: null, outMs: null };
const at = (keys: readonly { readonly at: number }[]): number[] => keys.map((key) => key.at / 1e6);

t.test('moments are those of key pictures, on a clock that begins with what is shown and knows no holes between epochs', async (t) => {
  const parts = momentsOf(logOf([{ duration: 500 }, { duration: 500, segmentStart: false, key: false }, {}, { gap: true }, {}]), all);
  t.same([at(parts.keys), parts.length], [[0, 1, 5], 7e6], 'a gap lasts as long as it does');
  const epochs = momentsOf(logOf([{}, {}, { epoch: 1, dts: 900_000, duration: 90_000 }, { epoch: 1, duration: 90_000 }], [1000, 90_000]), all);
  t.same([at(epochs.keys), epochs.length], [[0, 2, 4, 5], 6e6]);
  const cut = momentsOf(logOf([{}, {}, {}, {}, {}]), { inMs: 3_000, outMs: 6_001 });
  t.same([at(cut.keys), cut.keys.map(({ seq }) => seq), cut.length], [[0, 2, 4], [1, 2, 3], 6e6], 'segments are shown whole');
  t.same(momentsOf(logOf([]), all), { keys: [], length: 0 });
  t.same(momentsOf(logOf([{ gap: true }]), all).keys, []);
});

const keysEvery = (step: number, length: number) => Array.from({ length: Math.ceil(length / step) }, (_, seq) => ({ seq, epoch: 0, at: seq * step * 1e6 }));
const grid = { columns: 10, rows: 10 };

t.test('a storyboard has a picture every 2 to 10 s, by how long the film is, and never more than 600', async (t) => {
  t.equal(stepOf(60e6, null, grid), 2e6);
  t.equal(stepOf(1_000e6, null, grid), 5e6);
  t.equal(stepOf(5_000e6, null, grid), 10e6);
  t.equal(stepOf(36_000e6, null, grid), 60e6, 'ten hours');
  t.equal(stepOf(60e6, 5, grid), 5e6, 'as it is asked for');
  t.equal(stepOf(36_000e6, 1, grid), 60e6, 'and not more');
  t.equal(stepOf(1_000e6, 1, { columns: 1, rows: 2 }), 5e6, 'sheets have numbers up to 99');
  for (const [gop, length] of [[2, 60], [1.9, 300], [0.5, 5_000], [6, 36_000], [0.04, 36_000]] as const) {
    const step = stepOf(length * 1e6, null, grid);
    const cells = chosenCells({ keys: keysEvery(gop, length), length: length * 1e6 }, step);
    t.ok(cells.length > 0 && cells.length <= mostCells, `${cells.length} of ${length} s`);
    t.equal(cells[0]?.at, 0);
    const steps = cells.slice(1).map((cell, index) => cell.at - (cells[index]?.at ?? 0));
    t.ok(steps.every((one) => one >= 0.74 * step && one <= Math.max(step, gop * 1e6) + gop * 1e6), `${gop} s`);
  }
  t.same(chosenCells({ keys: [], length: 0 }, 2e6), []);
  t.same(at(chosenCells({ keys: keysEvery(2, 2), length: 0 }, 2e6)), [0], 'a film of no length has one');
});

t.test('a storyboard is of the whole film whatever its grid is, and its pictures are as far apart as somebody asks, on average', async (t) => {
  const film = (gop: number, length: number) => ({ keys: keysEvery(gop, length).filter(({ at }) => at < length * 1e6), length: length * 1e6 });
  for (const [columns, rows] of [[1, 1], [2, 2], [1, 5], [2, 3], [5, 5], [20, 20]] as const) {
    for (const [gop, length] of [[2, 7_200], [1.9, 7_201], [10, 3_599.7], [0.7, 36_000]] as const) {
      const moments = film(gop, length);
      const step = stepOf(moments.length, 1, { columns, rows });
      const cells = chosenCells(moments, step);
      const what = `${columns}x${rows}, a key picture every ${gop} s of ${length} s: ${cells.length}`;
      t.ok(cells.length <= Math.min(mostCells, 100 * columns * rows), what);
      t.ok(moments.length - (cells.at(-1)?.at ?? 0) <= step + gop * 1e6, `${what}, the last at ${(cells.at(-1)?.at ?? 0) / 1e6} s`);
    }
  }
  for (const [gop, every] of [[2, 10], [6, 10], [4, 9], [2.5, 3]] as const) {
    const moments = film(gop, 1_800);
    const cells = chosenCells(moments, stepOf(moments.length, every, grid));
    t.ok(Math.abs(cells.length - 1_800 / every) <= 1, `${cells.length} of one every ${every} s, a key picture every ${gop} s`);
    t.ok(cells.every(({ at }, n) => Math.abs(at - n * every * 1e6) <= gop * 0.5e6), 'each as near as there is one');
  }
  t.same(at(chosenCells(film(12, 60), 5e6)), [0, 12, 24, 36, 48], 'where they lie farther apart: all of them, once');
  const bare = film(2, 60).keys.filter(({ at }) => at >= 7e6 && (at < 20e6 || at > 41e6));
  t.same(at(chosenCells({ keys: bare, length: 60e6 }, 10e6)), [8, 10, 18, 42, 50], 'where there are none: those before and behind');
});

t.test('its WebVTT names every cell where it lies, from its moment until the next one, and nothing of the address that it has itself', async (t) => {
  const cells = keysEvery(2, 14).map((key, index) => ({ ...key, at: key.at + (index === 0 ? 0 : 1_000) }));
  const vtt = storyboardVtt(cells, 13.5e6, { columns: 2, rows: 2 }, { width: 160, height: 90 }, 'ab12');
  t.equal(vtt.split('\n\n').length, 1 + 7);
  t.ok(vtt.startsWith('WEBVTT\n\n00:00:00.000 --> 00:00:02.001\nstoryboard-0.jpg?v=ab12#xywh=0,0,160,90\n\n00:00:02.001 --> 00:00:04.001\nstoryboard-0.jpg?v=ab12#xywh=160,0,160,90\n'));
  t.match(vtt, /00:00:06\.001 --> 00:00:08\.001\nstoryboard-0\.jpg\?v=ab12#xywh=160,90,160,90\n/);
  t.match(vtt, /00:00:08\.001 --> 00:00:10\.001\nstoryboard-1\.jpg\?v=ab12#xywh=0,0,160,90\n/);
  t.match(vtt, /00:00:12\.001 --> 00:00:13\.500\nstoryboard-1\.jpg\?v=ab12#xywh=0,90,160,90\n$/, 'the last one until the end');
  t.equal(clock(3_723_004), '01:02:03.004');
  t.match(storyboardVtt([{ at: 0 }], 0, grid, { width: 2, height: 2 }, 'a'), /00:00:00\.000 --> 00:00:00\.001/, 'a film of no length is a moment');
  t.same([gridOf(3, grid), gridOf(10, grid), gridOf(11, grid), gridOf(100, grid)], [{ columns: 3, rows: 1 }, { columns: 10, rows: 1 }, { columns: 10, rows: 2 }, grid]);
  t.same(cellsOfSheet(201, grid), [{ from: 0, to: 100 }, { from: 100, to: 200 }, { from: 200, to: 201 }]);
});

t.test('cells lie in a sheet where they are said to, in every plane', async (t) => {
  const cell = { width: 4, height: 2 };
  const of = (value: number): Buffer => Buffer.alloc(bytesOf(cell), value);
  const sheet = sheetOf([of(10), null, of(30)], cell, { columns: 2, rows: 2 });
  t.same([sheet.width, sheet.height, sheet.data.length], [8, 4, 48]);
  const luma = Array.from({ length: 4 }, (_, row) => [...sheet.data.subarray(row * 8, row * 8 + 8)]);
  t.same(luma, [[10, 10, 10, 10, 0, 0, 0, 0], [10, 10, 10, 10, 0, 0, 0, 0], [30, 30, 30, 30, 0, 0, 0, 0], [30, 30, 30, 30, 0, 0, 0, 0]]);
  for (const plane of [32, 40]) t.same([...sheet.data.subarray(plane, plane + 8)], [10, 10, 128, 128, 30, 30, 128, 128]);
});

const size = { width: 32, height: 18 };
const painted = (value: (x: number, y: number) => number): Look =>
  lookOf({ ...size, data: Buffer.from(Array.from({ length: bytesOf(size) }, (_, index) => (index < 576 ? value(index % 32, Math.floor(index / 32)) : 128))) });
const random = new Random(7);
const scene = (from: number): Look => painted((x) => 60 + from + x * 2 + random.below(40));
const black = painted(() => 16);
const white = painted(() => 240);
const grey = painted(() => 120);
const title = painted((x, y) => (y === 9 && x > 8 && x < 24 ? 235 : 16));
const blurred = painted((x) => 90 + x);

t.test('black, white, one grey and a title on black are plain; what is sharp and of all lights is not', async (t) => {
  t.same([black, white, grey, title].map(isPlain), [true, true, true, true]);
  t.same([scene(0), scene(30)].map(isPlain), [false, false]);
});

t.test('faces are one of each part of the film, in order, and plain ones only where there is nothing else', async (t) => {
  const film = [black, title, scene(0), white, scene(20), black, blurred, scene(40), grey, scene(60), black, black];
  const { chosen, best } = chooseFaces(film, 6);
  t.equal(chosen.length, 6);
  t.same(chosen, [...chosen].sort((a, b) => a - b));
  for (const wanted of [2, 4, 7, 9]) t.ok(chosen.includes(wanted), `${wanted} of ${String(chosen)}`);
  t.ok([2, 4, 7, 9].includes(chosen[best] ?? -1), 'the best is not plain');
  t.same(chooseFaces(film, 6), { chosen, best }, 'the same for the same film');
  t.same(chooseFaces([black], 6), { chosen: [0], best: 0 }, 'what is black all over has a face too');
  t.same(chooseFaces([], 6), { chosen: [], best: 0 });
  const twins = [...Array.from({ length: 6 }, () => grey), scene(0)];
  t.ok(chooseFaces(twins, 2).chosen.includes(6));
});

t.test('candidates are spread over the film, and its beginning and end are left out where there is more', async (t) => {
  const keys = keysEvery(1, 100);
  const some = at(candidatesOf(keys, 100e6, 10));
  t.equal(some.length, 10);
  t.ok(some.every((second) => second >= 5 && second <= 95) && (some[0] ?? 99) < 15 && (some.at(-1) ?? 0) > 85, String(some));
  t.same(at(candidatesOf(keys.slice(0, 3), 3e6, 10)), [0, 1, 2]);
  t.same(candidatesOf([], 0, 10), []);
});

t.test('names are what they are, and nothing else is a name', async (t) => {
  t.same(['poster.jpg', posterName(5), sheetName(12), 'storyboard.vtt', 'preview.webp', 'chapters.vtt'].map(parsePictureName), [
    { kind: 'poster', index: null }, { kind: 'poster', index: 5 }, { kind: 'sheet', index: 12 }, { kind: 'storyboard' }, { kind: 'preview' }, { kind: 'chapters' },
  ]);
  for (const name of ['poster-.jpg', 'poster-00.jpg', 'poster-100.jpg', 'storyboard-01.jpg', 'storyboard-1.vtt', 'preview.jpg', 'constructor', '__proto__', 'poster-1.jpg/', '']) t.equal(parsePictureName(name), null, name);
});
