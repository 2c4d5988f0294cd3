import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { mediaPlaylist } from '../hls/media.ts';
import { multivariantPlaylist } from '../hls/multivariant.ts';
import type { AccessUnit } from '../media/unit.ts';
import { broken } from './laws.ts';
import { picture, units } from './pretend-sender.ts';
import { holesOf, picturesOf, runOf, sameSegments, segments, send, sleep, type Stage, stage } from './pretend-ladder.ts';

t.test('rungs have the numbers, times and parts of the source, over reconnects', async (t) => {
  const made = stage();
  await send(made, units(9_000));
  await made.show.pause();
  await send(made, units(7_000, { shift: 40_000, fps: 25, gop: 50 }));
  await made.show.finish();
  const run = runOf(made);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
  sameSegments(t, run, ['v1', 'v2']);
  t.equal((await picturesOf(made, 'v1')).length, 270 + 175);
  t.equal((await picturesOf(made, 'v2')).length, 270 + 175);
  t.equal(made.encoders.length, 2, 'one encoder for each epoch');
  const text = multivariantPlaylist(run.snapshot());
  t.equal(text.match(/CODECS="avc1.64001f,mp4a/g)?.length, 2);
  t.notMatch(mediaPlaylist(run.snapshot(), 'v1'), 'GAP');
});

t.test('an encoder that dies is replaced, and no picture is missing', async (t) => {
  const random = new Random(4);
  const made = stage(() => 3 + random.below(3));
  let deaths = 0;
  await send(made, units(30_000), (index) => {
    if (index > 300 && index % 400 === 0) {
      deaths += 1;
      made.encoders.at(-1)?.crash();
    }
  });
  await made.show.finish();
  const run = runOf(made);
  t.ok(deaths > 4, `${deaths} deaths`);
  sameSegments(t, run, ['v1', 'v2']);
  const pictures = await picturesOf(made, 'v1');
  t.equal(new Set(pictures).size, 900);
  t.equal(pictures.length, 900);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('one that hangs is killed; what it owes meanwhile is a hole with the number of the source', async (t) => {
  const made = stage();
  await send(made, units(30_000), (index) => {
    const encoder = made.encoders.at(-1);
    if (index === 500 && encoder) encoder.isStuck = true;
  });
  await made.show.finish();
  const run = runOf(made);
  t.match(made.troubles, [{ kind: 'hung' }]);
  t.equal(made.encoders[0]?.isDead, true);
  const own = segments(run, 'v0');
  t.equal(segments(run, 'v1').length, own.length);
  t.ok(holesOf(run, 'v1') <= 1);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('one that cannot keep up loses its top rung, and gets it back when there is room', async (t) => {
  let isSlow = false;
  const made: Stage = stage(() => (isSlow ? 40 : 3));
  await send(made, units(90_000), (index) => {
    if (index === 600) isSlow = true;
    if (made.troubles.length > 0) isSlow = false;
  });
  t.match(made.troubles, [{ kind: 'slow' }]);
  t.same(made.encoders.map(({ ask }) => ask.rungs.map(({ track }) => track.id)), [['v1', 'v2'], ['v2'], ['v1', 'v2']]);
  t.same(made.ladder?.state.shed, []);
  await made.show.finish();
  const run = runOf(made);
  const gaps = segments(run, 'v1').filter((segment) => (segment as { gap: boolean }).gap);
  t.ok(gaps.length > 8 && gaps.length < 14, `${gaps.length} holes`);
  t.equal(holesOf(run, 'v2'), 0, 'the other goes on');
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('one that hangs time and again has too much to do; several that are shed at once come back at once', async (t) => {
  const made = stage();
  const stuckFrom = 600;
  await send(made, units(90_000), (index) => {
    const isBusy = index > stuckFrom && index < 2_400;
    made.stuck = isBusy;
    const encoder = made.encoders.at(-1);
    if (encoder && encoder.isStuck !== isBusy && isBusy) encoder.isStuck = true;
  });
  const kinds = made.troubles.map(({ kind }) => kind);
  t.same(kinds.slice(0, 2), ['hung', 'slow'], 'once it may have been bad luck');
  t.ok(made.encoders.length < 8, `${made.encoders.length} encoders`);
  t.same(made.ladder?.state.shed, [], 'the load is gone, and everything is back');
  await made.show.finish();
  const run = runOf(made);
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('a machine without a free core has rungs that are holes', async (t) => {
  const made = stage();
  made.room = () => false;
  await send(made, units(10_000));
  await made.show.finish();
  const run = runOf(made);
  t.equal(made.encoders.length, 0);
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  const text = mediaPlaylist(run.snapshot(), 'v1');
  t.notMatch(text, 'EXT-X-MAP', 'there is nothing to decode');
  t.match(text, 'EXT-X-GAP');
  t.match(multivariantPlaylist(run.snapshot()), /RESOLUTION=960x480,FRAME-RATE=30.000/, 'and players are told of them');
});

t.test('an encoder that never says anything costs the rungs, and nothing else', async (t) => {
  const made = stage();
  made.stuck = true;
  await send(made, units(20_000));
  await Promise.all([made.show.finish(), sleep().then(() => made.clock.advance(3_000))]);
  const run = runOf(made);
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.ok(made.encoders.length > 1);
  t.match(made.late[0], { words: /^v1, v2: / }, 'and whoever runs the server hears of the holes');
  t.ok(made.encoders.every(({ isDead }) => isDead), 'none is left behind');
});

t.test('B pictures, groups of any length, and encoders that die whenever they like', async (t) => {
  const random = new Random(21);
  for (let round = 0; round < 20; round += 1) {
    const made = stage(() => 3 + random.below(4), [360]);
    const sent: AccessUnit[] = [];
    const frames = 300 + random.below(300);
    for (let frame = 0, left = 0; frame < frames; left -= 1) {
      const isKey = left <= 0;
      if (isKey) left = 12 + random.below(90);
      const group = isKey ? 1 : Math.min(3, frames - frame);
      const order = group === 3 ? [2, 0, 1] : Array.from({ length: group }, (_, one) => one);
      for (const [index, one] of order.entries()) sent.push(picture((frame + index) * 33, isKey && index === 0, { cts: (one - index + 2) * 33 }));
      frame += group;
    }
    const audio = units(frames * 33, { only: 'audio' });
    const all = [...sent, ...audio].sort((a, b) => a.dts - b.dts);
    await send(made, all, () => {
      if (random.below(200) === 0) made.encoders.at(-1)?.crash();
    });
    await made.show.finish();
    const run = runOf(made);
    t.equal(segments(run, 'v1').length, segments(run, 'v0').length, `round ${round}`);
    t.same(broken(run.snapshot(), { shortParts: true, longestPicture: 0.2 }), [], `round ${round}`);
  }
});

t.test('whoever comes back does not wait for an encoder that is not done with what he sent before', async (t) => {
  const made = stage();
  await send(made, units(9_000));
  for (const encoder of made.encoders) encoder.isStuck = true;
  await made.show.pause();
  await send(made, units(7_000, { shift: 40_000 }));
  t.equal(made.encoders[0]?.isDead, true, 'it had its time');
  await made.show.finish();
  const run = runOf(made);
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.equal((await picturesOf(made, 'v1')).filter((text) => Number(text.slice(3)) >= 9 * 90_000).length, 210, 'and all that comes now is encoded');
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('a line that is lost every moment gets no more encoders than a few', async (t) => {
  const made = stage();
  made.stuck = true;
  await send(made, units(4_000));
  for (let round = 1; round < 8; round += 1) {
    await made.show.pause();
    await send(made, units(200, { shift: round * 20_000 }));
  }
  const on = made.encoders.filter(({ isDead }) => !isDead).length;
  t.ok(made.encoders.length >= 8 && on <= 4, `${on} of ${made.encoders.length} encoders`);
  await Promise.all([made.show.finish(), sleep().then(() => made.clock.advance(700))]);
  t.ok(made.encoders.every(({ isDead }) => isDead));
});

t.test('a show that ends gives its cores back at once, and waits for a stuck encoder less than a second', async (t) => {
  const made = stage();
  await send(made, units(9_000));
  for (const encoder of made.encoders) encoder.isStuck = true;
  t.same(made.asked, [2]);
  const finished = made.show.finish();
  await sleep();
  t.same(made.asked, [2, 0], 'the next show is planned meanwhile');
  t.equal(made.encoders[0]?.isDead, false, 'what is in the encoder may still come');
  made.clock.advance(700);
  await finished;
  const run = runOf(made);
  t.equal(run.snapshot().state, 'ended');
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.ok(made.asked.slice(1).every((count) => count === 0), 'and it asks for none again');
});

t.test('so it does where the line was lost a moment before', async (t) => {
  const made = stage();
  await send(made, units(9_000));
  for (const encoder of made.encoders) encoder.isStuck = true;
  await made.show.pause();
  const finished = made.show.finish();
  await sleep();
  made.clock.advance(700);
  await finished;
  t.equal(runOf(made).snapshot().state, 'ended');
});
