import t, { type Test } from 'tap';
import { Random } from '../../test/support/random.ts';
import { MICROS } from '../media/wire-time.ts';
import { RungCutter, type RungCutterOptions } from './rung-cutter.ts';
import { Segmenter, type Cut } from './segmenter.ts';

type Picture = { readonly dts: number; readonly pts: number; readonly key: boolean };

/** Groups of pictures with B pyramids, each frame as long as `frame` says, in the order of decoding; media time as the timeline gives it. */
const source = (random: Random, count: number, reorder: 0 | 1 | 2, frame: () => number): Picture[] => {
  const times = [0];
  while (times.length < count) times.push((times.at(-1) ?? 0) + frame());
  const shown: { at: number; key: boolean }[] = [];
  for (let at = 0; at < count; ) {
    const gop = Math.min(count - at, 8 + random.below(80));
    for (let index = 0; index < gop; ) {
      const group = reorder === 0 || index === 0 ? 1 : Math.min(gop - index, reorder === 1 ? 2 : 4);
      const order = group === 4 ? [3, 1, 0, 2] : group === 2 ? [1, 0] : Array.from({ length: group }, (_, one) => one);
      for (const one of order) shown.push({ at: at + index + one, key: index === 0 });
      index += group;
    }
    at += gop;
  }
  return shown.map(({ at, key }, index) => ({ dts: times[index] ?? 0, pts: times[at] ?? 0, key }));
};

const rhythm = { segmentMicros: 2 * MICROS, segmentLimitMicros: 6.4 * MICROS, gopMicros: 2 * MICROS, partLimitMicros: 335_000, longestFrameMicros: 33_334, frameRate: 30, audioFramesPerPart: 16 };

/** What is cut of the source, and of a rung whose pictures come out of its encoder so many pictures late. */
const bothOf = (pictures: readonly Picture[], reorder: number, { late, keeps, crash = Number.POSITIVE_INFINITY, lost = [Infinity, -Infinity] }: { late: number; keeps?: RungCutterOptions['keeps']; crash?: number; lost?: readonly number[] }) => {
  const own: Cut[] = [];
  const rung: Cut[] = [];
  const cutter = new RungCutter({ startDts: 0, reorder, ...(keeps && { keeps }), emit: (cut) => rung.push(cut) });
  let ending: Cut[] | null = null;
  const segmenter = new Segmenter({
    ...{ rhythm, startMicros: 0, hasVideo: true, audioTimescale: null },
    emit: (cut) => {
      own.push(cut);
      if (ending) ending.push(cut);
      else cutter.line(cut);
    },
  });
  const encoder: Picture[] = [];
  const [from = Infinity, to = -Infinity] = lost;
  let before: number | null = null;
  const out = (picture: Picture): void => {
    if (keeps && !keeps(picture, before)) return;
    before = picture.pts;
    if (picture.pts < from || picture.pts > to) cutter.picture({ pts: picture.pts, key: picture.key, data: Buffer.from(String(picture.pts)) });
  };
  const give = (picture: Picture): void => {
    encoder.push(picture);
    encoder.sort((a, b) => a.pts - b.pts);
    cutter.given(picture);
  };
  const taken: Picture[] = [];
  for (const [index, picture] of pictures.entries()) {
    segmenter.write({ kind: 'video', ...picture, duration: null, data: Buffer.alloc(1) });
    taken.push(picture);
    cutter.source(picture);
    give(picture);
    if (index === crash) {
      encoder.length = 0;
      cutter.restarted();
      const key = taken.findLastIndex(({ key: isKey, pts }) => isKey && pts <= cutter.wantsFrom);
      for (const again of taken.slice(Math.max(0, key))) give(again);
    }
    while (encoder.length > late) for (const one of encoder.splice(0, 1)) out(one);
    if (cutter.segmentsBehind > 1) cutter.giveUp();
  }
  ending = [];
  segmenter.flush(() => []);
  cutter.lastLines(ending);
  for (const one of encoder) out(one);
  cutter.flush(true);
  return { own, rung };
};

const endOf = (cut: Cut): number => (cut.type === 'segment-end' ? 0 : cut.dts + cut.duration);
/** [start, end] of each segment. */
const segmentsOf = (cuts: readonly Cut[]): number[][] => {
  const segments: number[][] = [];
  let open: number[] | null = null;
  for (const cut of cuts) {
    if (cut.type !== 'segment-end') {
      if (cut.segmentStart) segments.push((open = [cut.dts, 0]));
      if (!open) throw new Error('a cut in no segment');
      open[1] = endOf(cut);
    }
    if (cut.type === 'segment-end' || cut.type === 'hole' || cut.segmentEnd) open = null;
  }
  return segments;
};
const ptsOf = (cuts: readonly Cut[]): number[] =>
  cuts.flatMap((cut) => {
    if (cut.type !== 'fragment') return [];
    let dts = cut.dts;
    return cut.samples.map(({ duration, compositionOffset, data }) => {
      const pts = dts + compositionOffset;
      if (String(pts) !== data.toString()) throw new Error(`the picture of ${data.toString()} is shown at ${pts}`);
      dts += duration;
      return pts;
    });
  });
const sameGrid = (t: Test, own: readonly Cut[], rung: readonly Cut[], name: string): void => {
  const [a, b] = [segmentsOf(own), segmentsOf(rung)];
  t.equal(b.length, a.length, `${name}: as many segments`);
  t.same(b, a, `${name}: at the same times`);
  for (let index = 1; index < b.length; index += 1) if (b[index - 1]?.[1] !== b[index]?.[0]) t.fail(`${name}: segment ${index} does not start where the one before it ended`);
};

t.test('a rung has the segments of the source, and every picture at its moment', async (t) => {
  const random = new Random(11);
  for (let round = 0; round < 120; round += 1) {
    const reorder = ([0, 1, 2] as const)[random.below(3)] ?? 0;
    const frame = random.below(2) === 0 ? () => 3000 : () => 1500 + random.below(3000);
    const pictures = source(random, 200 + random.below(300), reorder, frame);
    const { own, rung } = bothOf(pictures, reorder * 4500, { late: 3 + random.below(20) });
    const name = `round ${round}`;
    sameGrid(t, own, rung, name);
    t.same(ptsOf(rung), pictures.map(({ pts }) => pts).sort((a, b) => a - b), `${name}: every picture`);
    t.equal(rung.some(({ type }) => type === 'hole'), false, `${name}: no hole`);
  }
});

t.test('parts are those of the source', async (t) => {
  const pictures = source(new Random(3), 400, 2, () => 3000);
  const { own, rung } = bothOf(pictures, 6000, { late: 5 });
  const parts = (cuts: readonly Cut[]): unknown[] => cuts.flatMap((cut) => (cut.type === 'fragment' ? [[cut.dts, cut.duration, cut.segmentStart, cut.key]] : []));
  t.same(parts(rung), parts(own));
});

/** As RTMP tells it: times of decoding in whole milliseconds, and how much later a picture is shown, rounded by itself. */
const inMilliseconds = (pictures: readonly Picture[], reorder: number): Picture[] => {
  const wire = pictures.map(({ dts, pts, key }) => ({ dts: Math.round(dts / 90), pts: Math.floor((pts + reorder) / 90), key }));
  const [first] = wire;
  const delay = first ? first.pts - first.dts : 0;
  return wire.map(({ dts, pts, key }) => ({ dts: dts * 90, pts: (pts - delay) * 90, key }));
};

t.test('times that are rounded apart tear no picture from its part', async (t) => {
  const random = new Random(29);
  for (let round = 0; round < 60; round += 1) {
    const reorder = ([0, 1, 2] as const)[random.below(3)] ?? 0;
    const frame = [3003, 3000, 1501.5, 3754][random.below(4)] ?? 3000;
    const pictures = inMilliseconds(source(random, 400, reorder, () => frame), reorder * frame);
    const { own, rung } = bothOf(pictures, reorder * 4500, { late: 3 + random.below(10) });
    const parts = (cuts: readonly Cut[]): unknown[] => cuts.map((cut) => (cut.type === 'fragment' ? [cut.dts, cut.segmentStart, cut.segmentEnd, cut.samples.length] : cut.type));
    t.same(parts(rung), parts(own), `round ${round}: parts`);
    const keys = (cuts: readonly Cut[]): unknown[] => cuts.flatMap((cut) => (cut.type === 'fragment' && cut.segmentStart ? [[cut.key, cut.firstPts]] : []));
    const begins = (cuts: readonly Cut[]): unknown[] => keys(cuts).filter((one) => (one as [boolean])[0]);
    t.same(begins(rung), begins(own), `round ${round}: key pictures begin the same segments`);
    t.same(ptsOf(rung), pictures.map(({ pts }) => pts).sort((a, b) => a - b), `round ${round}: every picture`);
  }
});

t.test('what leads up to a key picture, and is decoded behind it, belongs to the segment before', async (t) => {
  // Open groups: two pictures that are shown ahead of the key picture with which they are decoded.
  const order = Array.from({ length: 300 }, (_, at) => (at % 60 === 0 && at > 0 ? at + 2 : at % 60 < 3 && at >= 60 ? at - 1 : at));
  const pictures = order.map((shown, at) => ({ dts: at * 3000, pts: shown * 3000, key: at % 60 === 0 }));
  const { own, rung } = bothOf(pictures, 6000, { late: 4 });
  t.same(segmentsOf(rung).map(([start]) => start), segmentsOf(own).map(([start]) => start));
  const starts = rung.flatMap((cut) => (cut.type === 'fragment' && cut.segmentStart ? [[cut.key, cut.firstPts]] : []));
  t.same(starts, [0, 1, 2, 3, 4].map((group) => [true, group === 0 ? 0 : (group * 60 + 2) * 3000]));
  t.same(ptsOf(rung), pictures.map(({ pts }) => pts).sort((a, b) => a - b));
});

t.test('half of the pictures, and all key pictures', async (t) => {
  const random = new Random(5);
  const pictures = source(random, 600, 2, () => 1500);
  const keeps = ({ pts, key }: Picture, before: number | null): boolean => before === null || key || pts - before >= 2900;
  let before: number | null = null;
  const shown = [...pictures].sort((a, b) => a.pts - b.pts).filter((picture) => {
    const kept = keeps(picture, before);
    if (kept) before = picture.pts;
    return kept;
  });
  const { own, rung } = bothOf(pictures, 3000, { late: 4, keeps });
  sameGrid(t, own, rung, 'capped');
  t.same(ptsOf(rung), shown.map(({ pts }) => pts));
});

t.test('an encoder that died is given its pictures again: nothing is lost', async (t) => {
  const random = new Random(8);
  for (let round = 0; round < 60; round += 1) {
    const pictures = source(random, 400, 2, () => 3000);
    const { own, rung } = bothOf(pictures, 6000, { late: 3 + random.below(10), crash: 20 + random.below(370) });
    sameGrid(t, own, rung, `round ${round}`);
    t.same(ptsOf(rung), pictures.map(({ pts }) => pts).sort((a, b) => a - b), `round ${round}: every picture`);
  }
});

t.test('what does not come becomes a hole of whole segments, and the rung comes back with a key picture', async (t) => {
  const random = new Random(9);
  for (let round = 0; round < 60; round += 1) {
    const pictures = source(random, 500, 2, () => 3000);
    const from = random.below(500) * 3000;
    const lost = [from, from + random.below(200) * 3000];
    const { own, rung } = bothOf(pictures, 6000, { late: 3, lost });
    sameGrid(t, own, rung, `round ${round}`);
    let broken = false;
    for (const cut of rung) {
      if (cut.type === 'hole') broken = true;
      else if (cut.type === 'fragment') {
        if (broken && !(cut.segmentStart && cut.key)) t.fail(`round ${round}: goes on at ${cut.dts} with what cannot be decoded`);
        broken = false;
      }
    }
  }
});

t.test('a rung that nobody encodes is holes with the numbers and times of the source', async (t) => {
  const own: Cut[] = [];
  const rung: Cut[] = [];
  const cutter = new RungCutter({ startDts: 0, reorder: 0, emit: (cut) => rung.push(cut) });
  const segmenter = new Segmenter({
    ...{ rhythm, startMicros: 0, hasVideo: true, audioTimescale: null },
    emit: (cut) => {
      own.push(cut);
      cutter.line(cut);
      cutter.giveUp();
    },
  });
  for (let index = 0; index < 400; index += 1) {
    const picture = { dts: index * 3000, pts: index * 3000, key: index % 60 === 0 };
    segmenter.write({ kind: 'video', ...picture, duration: null, data: Buffer.alloc(1) });
    cutter.source(picture);
  }
  t.same(segmentsOf(rung), segmentsOf(own).slice(0, -1), 'all but the one that is being written');
  t.ok(rung.every(({ type }) => type === 'hole'));
});

t.test('pictures of a segment that was given up come too late, and do not cost the next one', async (t) => {
  const rung: Cut[] = [];
  const cutter = new RungCutter({ startDts: 0, reorder: 0, emit: (cut) => rung.push(cut) });
  const segmenter = new Segmenter({ ...{ rhythm, startMicros: 0, hasVideo: true, audioTimescale: null }, emit: (cut) => cutter.line(cut) });
  const late: Picture[] = [];
  for (let index = 0; index < 400; index += 1) {
    const taken = { dts: index * 3000, pts: index * 3000, key: index % 60 === 0 };
    segmenter.write({ kind: 'video', ...taken, duration: null, data: Buffer.alloc(1) });
    cutter.source(taken);
    cutter.given(taken);
    late.push(taken);
    // The second segment is not waited for when it is complete but for ten pictures, which come then.
    if (index === 130) cutter.giveUp();
    if (index < 110 || index > 130) for (const one of late.splice(0)) cutter.picture({ ...one, data: Buffer.from(String(one.pts)) });
  }
  t.equal(rung.filter(({ type }) => type === 'hole').length, 1);
  t.match(rung.find(({ type, ...cut }) => type === 'fragment' && 'dts' in cut && cut.dts === 120 * 3000), { segmentStart: true, key: true });
});
