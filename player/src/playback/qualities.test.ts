import t from 'tap';
import { qualitiesOf, qualityFor, sizeName } from './qualities.ts';

const level = (width: number, height: number, averageBitrate: number, frameRate = 30) => ({ width, height, frameRate, averageBitrate });
const ladder = qualitiesOf([level(426, 240, 350_000), level(1280, 720, 2_500_000), level(1920, 1080, 6_000_000, 60), level(854, 480, 1_100_000)]);

t.test('qualities come with the best first, and are named by the shorter side', async (t) => {
  t.same(ladder.map(({ id }) => id), ['2', '1', '3', '0']);
  t.same(ladder.map(sizeName), ['1080p60', '720p', '480p', '240p']);
  t.same(qualitiesOf([level(720, 1280, 2_000_000)]).map(sizeName), ['720p'], 'a phone that is held upright');
  t.same(qualitiesOf([level(0, 0, 128_000, 0)]).map(sizeName), [null]);
  t.same(qualitiesOf([level(1280, 720, 1), level(1280, 720, 2)]).map(({ id }) => id), ['1', '0'], 'of one size the better one first');
});

t.test('of a sound in several codecs the pictures are listed once', async (t) => {
  const both = [level(640, 360, 1), level(640, 360, 2), level(1280, 720, 3), level(1280, 720, 4)].map((one, index) => ({ ...one, audioCodec: index % 2 === 0 ? 'opus' : 'mp4a.40.2' }));
  t.same(qualitiesOf(both).map(({ id }) => id), ['2', '0']);
  t.same(qualitiesOf(both, 3).map(({ id }) => id), ['3', '1']);
});

t.test('a choice means the same height in the next video, or what is below it', async (t) => {
  t.equal(qualityFor(ladder, '480'), '3');
  t.equal(qualityFor(ladder, '600'), '3');
  t.equal(qualityFor(ladder, '2160'), '2');
  t.equal(qualityFor(ladder, '144'), '0', 'nothing so low: the lowest');
  t.equal(qualityFor(ladder, null), null);
  t.equal(qualityFor(ladder, 'much'), null);
  t.equal(qualityFor(ladder.slice(0, 1), '480'), null, 'there is nothing to choose');
});
