/** What ffmpeg pushes arrives exactly, and ffmpeg understands what it is told. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { AccessUnit } from '../../packager/media/unit.ts';
import { ffmpeg, ffprobe, stage, testPattern } from './test-stage.ts';
import { clipOfFlv, fingerprint } from './test-messages.ts';

type Packet = { codec_type: 'video' | 'audio'; pts: number; dts: number; flags: string };
const asPacket = (unit: AccessUnit): string => `${unit.kind} ${unit.dts} ${unit.pts} ${unit.key ? 'K' : '_'}`;

t.test('what ffmpeg pushes arrives whole, with the times that ffprobe sees, and with one announced end', async (t) => {
  const { desk, port, lines } = await stage(t);
  const file = join(t.testdir(), 'same.flv');
  const push = await ffmpeg(
    ...testPattern(4),
    '-f',
    'tee',
    `[f=flv]${file}|[f=flv]rtmp://127.0.0.1:${port}/live/good-key`,
  ).done;
  t.equal(push.code, 0, push.stderr);
  const [sink] = desk.sinks;
  if (!sink) return t.fail('nothing was published');
  t.equal(await sink.ended, 'announced');
  t.strictSame(sink.ends, ['announced'], 'one end');

  const probed = await ffprobe('-show_entries', 'packet=codec_type,pts,dts,flags', '-of', 'json', file).done;
  const { packets } = JSON.parse(probed.stdout) as { packets: Packet[] };
  const expected = packets.map((packet) => `${packet.codec_type} ${packet.dts} ${packet.pts} ${packet.flags[0]}`);
  t.strictSame(sink.units.map(asPacket), expected, 'every packet, its dts, pts and key flag');
  t.equal(sink.units.filter((unit) => unit.kind === 'video').length, 120, 'every frame');
  t.ok(
    sink.units.some((unit) => unit.pts > unit.dts + 33),
    'with B-frames',
  );

  const clip = clipOfFlv(await readFile(file));
  t.strictSame(sink.units.map(fingerprint), clip.units.map(fingerprint), 'byte for byte');
  t.strictSame(sink.tracks, clip.tracks);
  t.match(sink.hints[0], { width: 320, height: 180 });
  t.match(desk.requests[0], { key: 'good-key', protocol: 'rtmp', address: '127.0.0.1', software: /Lavf/ });
  t.notMatch(JSON.stringify(lines), /good-key/, 'no stream key in the log');
});

t.test('an ffmpeg that is killed is lost', async (t) => {
  const { desk, port } = await stage(t);
  const published = desk.nextSink();
  const push = ffmpeg('-re', ...testPattern(60), '-f', 'flv', `rtmp://127.0.0.1:${port}/live/good-key`);
  const sink = await published;
  await new Promise<void>((resolve) => (sink.onUnit = () => sink.count > 20 && resolve()));
  push.kill('SIGKILL');
  t.equal(await sink.ended, 'lost');
  await push.done;
  t.strictSame(sink.ends, ['lost']);
});

t.test('an unknown key: ffmpeg says why and fails', async (t) => {
  const { desk, port, lines } = await stage(t);
  const url = `rtmp://127.0.0.1:${port}/live/secret-wrong-key`;
  const push = await ffmpeg(...testPattern(2), '-f', 'flv', url).done;
  t.not(push.code, 0);
  t.match(push.stderr, /no such stream key/);
  t.equal(desk.sinks.length, 0);
  t.match(lines.at(-1), { event: 'rtmp.closed', refused: 'unknown-key', address: '127.0.0.1' });
  t.notMatch(JSON.stringify(lines), /secret-wrong-key/);
});

t.test('a publisher that is sent away is told why', async (t) => {
  const { desk, port } = await stage(t);
  const published = desk.nextSink();
  const push = ffmpeg('-re', ...testPattern(60), '-f', 'flv', `rtmp://127.0.0.1:${port}/live/good-key`);
  const sink = await published;
  await new Promise<void>((resolve) => (sink.onUnit = () => sink.count > 20 && resolve()));
  desk.evict(0, 'taken-over');
  t.strictSame(sink.ends, ['evicted'], 'at once');
  const { code, stderr } = await push.done;
  t.not(code, 0);
  t.match(stderr, /another encoder took over/);
});

t.test('ffmpeg as a player, which checks the signed handshake, is told that this is no place to play', async (t) => {
  const { port, lines } = await stage(t);
  const pull = await ffmpeg('-loglevel', 'debug', '-i', `rtmp://127.0.0.1:${port}/live/good-key`, '-f', 'null', '-')
    .done;
  t.not(pull.code, 0);
  t.notMatch(pull.stderr, /validating failed/, 'our digests are right');
  t.match(pull.stderr, /plays them over HLS/);
  t.match(lines.at(-1), { event: 'rtmp.closed', fault: 'play' });
});

t.test('ffmpeg with the key in other places', async (t) => {
  const { desk, port } = await stage(t);
  const clip = join(t.testdir(), 'clip.flv');
  t.equal((await ffmpeg(...testPattern(1), '-f', 'flv', clip).done).code, 0);
  const base = `rtmp://127.0.0.1:${port}`;
  const addresses = [
    `${base}/live?key=good-1`,
    `${base}/live/anything?key=good-1`,
    `${base}/live/good-1/`,
    `${base}/good-1`,
    `${base}/live/some/where/good-1`,
  ];
  for (const address of addresses) {
    const push = await ffmpeg('-i', clip, '-c', 'copy', '-f', 'flv', address).done;
    t.equal(push.code, 0, `${address} ${push.stderr}`);
    t.equal(desk.requests.at(-1)?.key, 'good-1', address);
    t.equal(await desk.sinks.at(-1)?.ended, 'announced', address);
  }
});
