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
import { push } from '../support/ffmpeg.ts';
import { healthyShow } from '../support/healthy-show.ts';
import { memoryMb } from '../support/process-cost.ts';
import { Random } from '../support/random.ts';
import { startServer } from '../support/server.ts';
import { sendSrt } from '../support/srt-frames.ts';

const most = 10_000;
/** A process may have so many files open, and needs some for itself. */
const files = Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]) - 1_000;

t.test('10,000 half-open connections over RTMP and 10,000 callers over SRT', { timeout: 180_000 }, async (t) => {
  const crowd = Math.min(most, files);
  if (crowd < most) t.comment(`this system lets a process have ${files} connections`);
  const server = await startServer();
  t.teardown(() => server.stop());
  const token = await server.login();
  const { source, unharmed } = await healthyShow(t, server, token);
  const [late, srt] = await Promise.all(['late', 'late-srt'].map((name) => server.createChannel(token, { name })));
  if (!late || !srt) throw new Error('no channels');
  const before = memoryMb(server.child.pid);

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
  const random = new Random(10_000);
  const trickle = setInterval(() => sockets.forEach((socket) => socket.writable && random.below(10) === 0 && socket.write('x')), 1_000);
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

  const held = memoryMb(server.child.pid);
  const second = push(source.file, server.rtmpUrl(late), { seconds: 10 });
  const third = sendSrt(source.file, server.srtUrl(srt), 10);
  t.teardown(() => Promise.all([second.kill(), third.kill('SIGKILL')]));
  await Promise.all([server.live(late, 30_000), server.live(srt, 30_000)]);
  const metrics = await (await fetch(`${server.origin}/metrics`)).text();
  const metric = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(metrics)?.[1]);
  t.comment({ crowd, before, held, now: memoryMb(server.child.pid), open: metric('millrace_rtmp_sessions'), turnedAway: metric('millrace_rtmp_turned_away_total'), refused: metric('millrace_srt_rejected_total') });
  t.ok(metric('millrace_rtmp_accepted_total') >= crowd, 'they were there');
  t.ok(metric('millrace_srt_rejected_total') > 100, 'they too');
  t.ok(held - before < 250, `${Math.round(held - before)} MB for all of them`);
  t.equal((await second.finished).code, 0);
  t.equal((await third.done).code, 0);

  await unharmed();
});
