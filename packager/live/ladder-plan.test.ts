import t from 'tap';
import { coresOf } from './ladder-cost.ts';
import { keptOf, planAuto, planRungs, type RungWish } from './ladder-plan.ts';

const wishes: readonly RungWish[] = [720, 480, 360, 240].map((height) => ({ height, bitRate: height * 3000, preset: 'veryfast', mostPictures: 30 }));
const source = { width: 1920, height: 1080, frameRate: 30, standard: true };
const cost = { decode: 0.002, scale: 0.001, encode: { veryfast: 0.01 } };

t.test('rungs are below the source, of its shape, and even', async (t) => {
  t.same(planRungs(wishes, source).map(({ width, height }) => [width, height]), [[1280, 720], [854, 480], [640, 360], [426, 240]]);
  t.same(planRungs(wishes, { ...source, width: 1280, height: 720 }).map(({ height }) => height), [480, 360, 240], 'not one of its own size');
  t.same(planRungs(wishes, { ...source, width: 1080, height: 1920 }).map(({ width, height }) => [width, height])[1], [480, 854], 'upright pictures are measured by their shorter side');
  t.same(planRungs(wishes, { ...source, width: 426, height: 200 }), [], 'nothing is made larger');
});

t.test('what only some can play is encoded in its own size too', async (t) => {
  t.same(planRungs(wishes, { ...source, width: 854, height: 480, standard: false }).map(({ height }) => height), [480, 360, 240]);
  t.same(planRungs(wishes, { ...source, standard: false }).map(({ height }) => height), [720, 480, 360, 240], 'as far as the ladder goes');
});

t.test('players are told a level that holds', async (t) => {
  t.same(planRungs(wishes, source).map(({ codecString }) => codecString), ['avc1.64001F', 'avc1.64001F', 'avc1.64001E', 'avc1.640015']);
});

t.test('of too many pictures every second one is kept, and every key picture', async (t) => {
  const [rung] = planRungs(wishes, { ...source, frameRate: 60 });
  t.equal(rung?.frameRate, 30);
  const keeps = rung && keptOf(rung);
  let before: number | null = null;
  const kept: number[] = [];
  for (let index = 0; index < 12; index += 1) {
    // As RTMP stamps them.
    const pts = Math.round((index * 1000) / 60) * 90;
    if (!keeps?.({ dts: pts, pts, key: index % 7 === 0 }, before)) continue;
    before = pts;
    kept.push(index);
  }
  t.same(kept, [0, 2, 4, 6, 7, 9, 11]);
  const rateOf = (frameRate: number): number | null | undefined => planRungs(wishes, { ...source, frameRate })[0]?.frameRate;
  t.same([29.97, 31, 48, 50, 120].map(rateOf), [29.97, 31, 24, 25, 30], 'told as it is kept: a few more than 30 are all kept');
  const [all] = planRungs(wishes, source);
  t.equal(all && keptOf(all), undefined, 'of 30, all');
});

t.test('auto takes what the machine carries, the lowest last', async (t) => {
  const heights = (cores: number, of = source): number[] => planAuto(of, cores, cost).map(({ height }) => height);
  t.same(heights(4), [720, 480, 360, 240]);
  t.same(heights(0.9), [720, 480, 240]);
  t.same(heights(0.5), [480, 240]);
  t.same(heights(0.25), [240]);
  t.same(heights(0.2), [], 'or nothing');
  t.ok(coresOf(planAuto(source, 0.9, cost), source, cost) <= 0.9);
  t.same(heights(4, { ...source, width: 3840, height: 2160 }), [1080, 720, 480, 360, 240]);
  t.same(heights(4, { ...source, width: 426, height: 240 }), [], 'nothing is made larger');
});

t.test('auto gives what only some can play a rung for everybody, as high as it can be above something low', async (t) => {
  const heights = (cores: number, height = 1080): number[] =>
    planAuto({ width: (height * 16) / 9, height, frameRate: 30, codec: 'hevc', standard: false }, cores, cost).map((rung) => rung.height);
  t.same(heights(4), [1080, 720, 480, 360, 240]);
  t.same(heights(0.9), [720, 480, 240]);
  t.same(heights(0.32), [240]);
  t.same(heights(0.1), []);
  t.same(heights(4, 180), [180], 'in its own size where that is small');
});
