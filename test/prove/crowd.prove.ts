/**
 * Ten thousand who connect and never publish: RTMP handshakes that hardly go on, SRT callers that ask and ask. Memory stays
 * bounded, the show that is on misses nothing, and publishers get in.
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { readHandshake } from '../../ingest/srt/handshake.ts';
import { readPacket } from '../../ingest/srt/packet.ts';
import { Bench, TestCaller } from '../../ingest/srt/test-caller.ts';
import { clip } from '../support/clips.ts';
import { decodeStamps, push } from '../support/ffmpeg.ts';
import { LowLatencyViewer } from '../support/ll-viewer.ts';
import { playlist, until } from '../support/playlists.ts';
import { startServer, type Channel } from '../support/server.ts';
import { sendSrt } from '../support/srt-frames.ts';

const most = 10_000;
const megabytes = (pid: number | undefined): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
/** A process may have so many files open, and needs some for itself. */
const files = Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]) - 1_000;

t.test('10,000 half-open connections over RTMP and 10,000 callers over SRT', { timeout: 180_000 }, async (t) => {
  const crowd = Math.min(most, files);
  if (crowd < most) t.comment(`this system lets a process have ${files} connections`);
  const source = await clip({ bframes: 2, width: 320, height: 180, kbps: 300 });
  const server = await startServer();
  t.teardown(() => server.stop());
  const token = await server.login();
  const [good, late, srt] = await Promise.all(['good', 'late', 'late-srt'].map((name) => server.createChannel(token, { name })));
  if (!good || !late || !srt) throw new Error('no channels');
  const sender = push(source.file, server.rtmpUrl(good));
  t.teardown(() => sender.kill());
  await server.live(good);
  const { live } = await server.must<Channel & { live: { videoId: string } }>('GET', `channels/${good.id}`);
  const viewer = new LowLatencyViewer(`${server.origin}/play/-/${live.videoId}`);
  viewer.start();
  const before = megabytes(server.child.pid);

  const sockets = new Set<Socket>();
  t.teardown(() => sockets.forEach((socket) => socket.destroy()));
  const begin = (number: number): Promise<void> =>
    new Promise((resolve) => {
      // From three addresses: one alone has fewer.
      const socket = connect({ port: server.ports.rtmp, host: '127.0.0.1', localAddress: `127.0.0.${2 + (number % 3)}` });
      sockets.add(socket);
      socket.on('connect', () => socket.write(Buffer.alloc(1 + (number % 1_500), 3), () => resolve()));
      socket.on('error', () => resolve());
      socket.on('close', () => sockets.delete(socket));
      socket.resume();
    });
  for (let number = 0; number < crowd; number += 250) await Promise.all(Array.from({ length: 250 }, (_, index) => begin(number + index)));
  // Each says a little more, now and then, so that it is not forgotten.
  const trickle = setInterval(() => sockets.forEach((socket) => socket.writable && Math.random() < 0.1 && socket.write('x')), 1_000);
  t.teardown(() => clearInterval(trickle));

  const udp = createSocket('udp4');
  t.teardown(() => udp.close());
  const bench = new Bench();
  udp.on('message', (bytes) => {
    const packet = readPacket(bytes);
    const answer = packet?.control ? readHandshake(packet.body) : null;
    if (answer && answer.cookie !== 0) udp.send(new TestCaller(bench, packet?.socket ?? 0).conclusion(answer.cookie, { streamId: `nobody-${packet?.socket}` }), server.ports.srt, '127.0.0.1');
  });
  for (let number = 1; number <= most; number += 1) {
    udp.send(new TestCaller(bench, number).handshake({}), server.ports.srt, '127.0.0.1');
    if (number % 200 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  const held = megabytes(server.child.pid);
  const second = push(source.file, server.rtmpUrl(late), { seconds: 10 });
  const third = sendSrt(source.file, server.srtUrl(srt), 10);
  t.teardown(() => Promise.all([second.kill(), third.kill('SIGKILL')]));
  await Promise.all([server.live(late, 30_000), server.live(srt, 30_000)]);
  const metrics = await (await fetch(`${server.origin}/metrics`)).text();
  const metric = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(metrics)?.[1]);
  t.comment({ crowd, before, held, now: megabytes(server.child.pid), open: metric('millrace_rtmp_sessions'), turnedAway: metric('millrace_rtmp_turned_away_total'), refused: metric('millrace_srt_rejected_total') });
  t.ok(metric('millrace_rtmp_accepted_total') >= crowd, 'they were there');
  t.ok(metric('millrace_srt_rejected_total') > 100, 'they too');
  t.ok(held - before < 250, `${Math.round(held - before)} MB for all of them`);
  t.equal((await second.finished).code, 0);
  t.equal((await third.done).code, 0);

  await viewer.stop();
  t.same(viewer.faults, []);
  await sender.stop();
  const whole = await until(() => playlist(server, live.videoId, 'v0'), ({ ended }) => ended);
  t.notOk(whole.segments.some(({ discontinuity }) => discontinuity));
  const { stamps, errors } = await decodeStamps(`${server.origin}/play/-/${live.videoId}/master.m3u8`, source);
  t.equal(errors, '');
  // Cut off behind a picture that is decoded early, the last ones that are shown have a hole.
  t.same(stamps.slice(0, -4).filter((stamp, index) => stamp !== index % source.frames).slice(0, 5), [], 'every picture once, in order');
  t.notMatch(server.log, /"level":(50|60)/, 'nothing of it was our fault');
});
