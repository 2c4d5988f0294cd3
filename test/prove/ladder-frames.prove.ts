/** Five minutes of 1080p30 with B pictures, groups of any length and two reconnects: every picture of every rung, where the source has it. */
import t from 'tap';
import { setTimeout as wait } from 'node:timers/promises';
import { ladderServer, liveVideo, PartWatch, pictureTracks, recorded, sendPaced, troubles } from '../support/ladder-show.ts';
import { faultsOf, leaps } from '../support/ladder-truth.ts';
import { LiveSender } from '../support/live-sender.ts';
import { flvClip } from '../support/show-sender.ts';

t.setTimeout(10 * 60_000);
const { server, token, stop } = await ladderServer();
t.teardown(stop);
/** From a quarter of a second to three and a half, so that segments are cut at key pictures, after several, and without one. */
const keys = [0, 61, 69, 100, 190, 201, 232, 292, 353, 413, 421, 526, 586, 647, 677];
const clipMs = 24_000;

t.test('five minutes, and two reconnects', async (t) => {
  const clip = await flvClip({ width: 1920, height: 1080, bframes: 3, keys, seconds: clipMs / 1000, kbps: 1500 });
  const channel = await server.createChannel(token, { name: 'long', ladder: 'cheap' });
  const send = (from: number): Promise<LiveSender> => LiveSender.connect(server, channel, clip, { from, clipMs });
  const first = await send(0);
  await server.live(channel);
  const video = await liveVideo(server, channel);
  const tracks = await pictureTracks(server, video);
  const parts = new PartWatch(server, video, tracks);
  await wait(97_000);
  first.vanish();
  await wait(2_000);
  const second = await send(2 ** 31 - 50_000);
  await wait(103_000);
  second.vanish();
  const third = await send(12_345);
  await wait(100_000);
  await third.end();
  const { source, rungs } = await recorded(server, video);
  await parts.stop();
  const pictures = source.epochs.flatMap((epoch) => epoch.pictures);
  t.equal(source.epochs.length, 3);
  t.ok(pictures.length > 8_900 && pictures.every(({ stamp }) => stamp !== null), `${pictures.length} pictures`);
  t.comment(`${pictures.length} pictures, ${pictures.filter(({ key }) => key).length} key pictures, ${source.segments.length} segments, ${parts.seen.get('v0')?.size} parts`);
  t.same(leaps(source, 720), []);
  t.equal(rungs.length, 3);
  const holes = troubles(server);
  if (holes.length > 0) t.comment(`a machine that is too slow: ${holes.join(' ')}`);
  for (const rung of rungs) {
    t.same(faultsOf(source, rung, { holes: holes.length > 0 }), [], `${rung.track}: the source, picture by picture`);
    if (holes.length === 0) t.same(parts.faults(rung.track), [], `${rung.track}: its parts`);
  }
});

t.test('720p60 under a cap of 30: every second picture', async (t) => {
  const clip = await flvClip({ width: 1280, height: 720, fps: 60, bframes: 2, gop: 120 });
  const channel = await server.createChannel(token, { name: 'sixty', ladder: 'capped' });
  const { master, video } = await sendPaced(server, channel, [clip]);
  t.same([...master.matchAll(/FRAME-RATE=([\d.]+)/g)].map(([, rate]) => rate), ['60.000', '30.000']);
  const { source, rungs } = await recorded(server, video);
  t.equal(source.epochs[0]?.pictures.length, 480);
  t.equal(rungs[0]?.epochs[0]?.pictures.length, 240);
  for (const rung of rungs) t.same(faultsOf(source, rung, { every: 2 }), []);
});
