/**
 * Every rung of a live ladder shows what the source shows: the picture with the same number at the same time, key pictures and
 * segments and parts where the source has them. The long form is prove/ladder-frames.prove.ts.
 */
import t from 'tap';
import { ladderServer, level, liveVideo, PartWatch, pictureTracks, recorded } from './support/ladder-show.ts';
import { faultsOf, standsAlone } from './support/ladder-truth.ts';
import { LiveSender } from './support/live-sender.ts';
import { playlist, until } from './support/playlists.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

t.setTimeout(110_000);
const { server, token } = await ladderServer();
t.teardown(() => server.stop());
/** Groups of pictures of 0.3 to 3 s, which is longer than a segment: one is cut where there is no key picture. */
const keys = [0, 61, 69, 100, 190, 201, 232];

t.test('B pictures, groups of any length and a reconnect: every picture of every rung at its time', async (t) => {
  const clip = await flvClip({ width: 854, height: 480, bframes: 3, keys });
  const channel = await server.createChannel(token, { name: 'irregular', ladder: 'standard' });
  const first = await LiveSender.connect(server, channel, clip);
  t.teardown(() => first.vanish());
  await server.live(channel);
  const video = await liveVideo(server, channel);
  const tracks = await pictureTracks(server, video);
  t.same(tracks, ['v0', 'v1', 'v2']);
  const parts = new PartWatch(server, video, tracks);
  await until(() => playlist(server, video, 'v0'), ({ segments }) => segments.length >= 3);
  first.vanish();
  const before = await until(() => playlist(server, video, 'v0'), ({ segments }) => segments.length >= 3);
  const second = await LiveSender.connect(server, channel, clip, { from: 77_000 });
  t.teardown(() => second.vanish());
  await until(() => playlist(server, video, 'v0'), ({ segments }) => segments.length >= before.segments.length + 3);
  await second.end();
  const { source, rungs } = await recorded(server, video);
  await parts.stop();
  t.equal(source.epochs.length, 2);
  t.ok(source.epochs.every(({ pictures }) => pictures.length > 60 && pictures.every(({ stamp }) => stamp !== null)));
  t.equal(rungs.length, 2);
  for (const rung of rungs) {
    t.same(faultsOf(source, rung), [], `${rung.track}: the source, picture by picture`);
    t.same(parts.faults(rung.track), [], `${rung.track}: its parts`);
  }
  t.same(rungs.map(({ epochs }) => epochs.map(({ width, height }) => [width, height])), [[[640, 360], [640, 360]], [[428, 240], [428, 240]]]);
  const [, , last] = rungs[1]?.segments ?? [];
  if (last) t.ok(await standsAlone({ server, video, track: 'v2' }, last), 'a segment can be decoded alone');
  t.notMatch(server.log, 'had trouble');
});

t.test('a cap leaves every second picture of 60 a second, and players are told so', async (t) => {
  const clip = await flvClip({ width: 640, height: 360, fps: 60, bframes: 2, gop: 120 });
  const channel = await server.createChannel(token, { name: 'capped', ladder: 'light' });
  const sender = await ShowSender.connect(server, channel, clip);
  t.teardown(() => sender.vanish());
  await sender.send();
  const master = await (await fetch(await server.live(channel))).text();
  t.same([...master.matchAll(/FRAME-RATE=([\d.]+)/g)].map(([, rate]) => rate), ['60.000', '30.000']);
  const video = await liveVideo(server, channel);
  await level(server, video, ['v0', 'v1']);
  await sender.end();
  const { source, rungs } = await recorded(server, video);
  t.equal(source.epochs[0]?.pictures.length, 480);
  for (const rung of rungs) t.same(faultsOf(source, rung, { every: 2 }), []);
});
