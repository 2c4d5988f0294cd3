/**
 * Every rung of a live ladder shows what the source shows: the picture with the same number at the same time, key pictures and
 * segments and parts where the source has them. The long form is prove/ladder-frames.prove.ts.
 */
import t from 'tap';
import { clip } from './support/clips.ts';
import { enhancedClip } from './support/enhanced-push.ts';
import { mustFfmpeg } from './support/ffmpeg.ts';
import { readFlv, type FlvClip } from './support/flv.ts';
import { ladderServer, liveVideo, PartWatch, pictureTracks, recorded, sendPaced, troubles } from './support/ladder-show.ts';
import { faultsOf as faultsWith, leaps, standsAlone, type Area, type Rung } from './support/ladder-truth.ts';
import { LiveSender } from './support/live-sender.ts';
import { playlist, until } from './support/playlists.ts';
import { flvClip } from './support/show-sender.ts';
import { sendSrt } from './support/srt-frames.ts';

t.setTimeout(110_000);
const { server, token, stop } = await ladderServer();
t.teardown(stop);
const faultsOf = (source: Rung, rung: Rung, { every = 1 } = {}): string[] => {
  const holes = troubles(server);
  if (holes.length > 0) t.comment(`a machine that is too slow: ${holes.join(' ')}`);
  return faultsWith(source, rung, { every, holes: holes.length > 0 });
};
/** One for each rung, since they are the same in every epoch. */
const sizesOf = (rungs: readonly Rung[]): unknown => rungs.flatMap(({ epochs }) => [...new Set(epochs.map(({ width, height }) => `${width}x${height}`))]);
/** Groups of pictures of 0.3 to 3 s, which is longer than a segment: one is cut where there is no key picture. */
const keys = [0, 61, 69, 100, 190, 201, 232];

/** In real time, beside the first show. */
const fromSrt = (async () => {
  const channel = await server.createChannel(token, { name: 'hevc', ladder: 'cheap' });
  const sender = sendSrt(await enhancedClip('hevc', 'opus'), server.srtUrl(channel), 6);
  t.teardown(() => sender.kill('SIGKILL'));
  await server.live(channel);
  const video = await liveVideo(server, channel);
  await sender.done;
  return recorded(server, video);
})();
// It is looked at behind everything else: until then nobody hears of what went wrong.
fromSrt.catch(() => undefined);

t.test('B pictures, groups of any length and a reconnect: every picture of every rung at its time', async (t) => {
  const clip = await flvClip({ width: 854, height: 480, bframes: 3, keys });
  const channel = await server.createChannel(token, { name: 'irregular', ladder: 'cheap' });
  const first = await LiveSender.connect(server, channel, clip);
  t.teardown(() => first.vanish());
  await server.live(channel);
  const video = await liveVideo(server, channel);
  const tracks = await pictureTracks(server, video);
  t.same(tracks, ['v0', 'v1', 'v2', 'v3']);
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
  t.same(leaps(source, 240), []);
  t.equal(rungs.length, 3);
  for (const rung of rungs) {
    t.same(faultsOf(source, rung), [], `${rung.track}: the source, picture by picture`);
    if (troubles(server).length === 0) t.same(parts.faults(rung.track), [], `${rung.track}: its parts`);
  }
  t.same(sizesOf(rungs), ['640x360', '428x240', '256x144']);
  const [opening, ...others] = rungs[1]?.segments.filter(({ gap }) => !gap) ?? [];
  const begun = others.find(({ map }) => map !== opening?.map);
  if (begun) t.ok(await standsAlone({ server, video, track: 'v2' }, begun), 'where the second epoch begins nothing is needed but its init segment');
});

const shown = async (name: string, ladder: string, clips: readonly FlvClip[], areas: readonly Area[] = []) => {
  const { master, video } = await sendPaced(server, await server.createChannel(token, { name, ladder }), clips);
  return { master, ...(await recorded(server, video, areas)) };
};

t.test('a cap leaves every second picture of 60 a second, and players are told so', async (t) => {
  const { master, source, rungs } = await shown('capped', 'capped', [await flvClip({ width: 640, height: 360, fps: 60, bframes: 2, gop: 120 })]);
  t.same([...master.matchAll(/FRAME-RATE=([\d.]+)/g)].map(([, rate]) => rate), ['60.000', '30.000']);
  t.equal(source.epochs[0]?.pictures.length, 480);
  for (const rung of rungs) t.same(faultsOf(source, rung, { every: 2 }), []);
});

t.test('a size that changes in mid-show gets bars, and the size that players were told of stays', async (t) => {
  const clips = await Promise.all([{ width: 640, height: 360 }, { width: 480, height: 360 }, { width: 270, height: 480 }].map((size) => flvClip({ ...size, bframes: 2 })));
  const areas = [{ width: 426, height: 240, x: 0, y: 0 }, { width: 320, height: 240, x: 52, y: 0 }, { width: 136, height: 240, x: 144, y: 0 }];
  const { master, source, rungs } = await shown('sizes', 'low', clips, areas);
  t.match(master, 'RESOLUTION=426x240');
  t.same(sizesOf(rungs), ['426x240']);
  for (const rung of rungs) t.same(faultsOf(source, rung), []);
});

t.test('pictures that stand upright, and pixels that are not square', async (t) => {
  const { file } = await clip({ width: 480, height: 360, bframes: 2 });
  const { stdout } = await mustFfmpeg(['-i', file, '-c', 'copy', '-bsf:v', 'h264_metadata=sample_aspect_ratio=4/3', '-f', 'flv', 'pipe:1']);
  const upright = await shown('upright', 'low', [await flvClip({ width: 362, height: 642, bframes: 2 })]);
  const wide = await shown('wide', 'low', [readFlv(stdout)]);
  t.match(upright.master, 'RESOLUTION=240x426');
  t.match(wide.master, 'RESOLUTION=426x240');
  for (const { source, rungs } of [upright, wide]) {
    t.equal(rungs.length, 1);
    for (const rung of rungs) t.same(faultsOf(source, rung), []);
  }
});

t.test('a rate that varies', async (t) => {
  const steady = await flvClip({ width: 640, height: 360, bframes: 2, keys });
  // From 8 to 58 ms for a picture.
  const bent = (at: number): number => Math.round(at + 190 * Math.sin((2 * Math.PI * at) / 1_600));
  const units = steady.units.map((unit) => (unit.kind === 'video' ? { ...unit, dts: bent(unit.dts), pts: bent(unit.pts) } : unit));
  const { source, rungs } = await shown('varying', 'low', [{ ...steady, units: units.toSorted((a, b) => a.dts - b.dts) }]);
  t.equal(source.epochs[0]?.pictures.length, 240);
  for (const rung of rungs) t.same(faultsOf(source, rung), []);
});

t.test('HEVC with Opus over SRT: H.264 for everybody, one rung as large as it is', async (t) => {
  const { source, rungs } = await fromSrt;
  t.match(source.lines.find((line) => line.includes('MAP')), 'URI');
  t.same(sizesOf(rungs), ['320x180', '256x144']);
  for (const rung of rungs) t.same(faultsOf(source, rung), []);
});
