import t from 'tap';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { ageOf, publishClock } from './publisher.ts';
import { freePorts } from './server.ts';
import { readStamp, stampLimit } from './stamp.ts';

t.test('the pictures of a live push carry the wall clock, a few frames old at the other end of RTMP', async (t) => {
  const { rtmp } = await freePorts();
  const url = `rtmp://127.0.0.1:${rtmp}/live/key`;
  const [width, height] = [640, 360];
  const receiver = spawn(process.env.FFMPEG_PATH || 'ffmpeg', [
    ...['-hide_banner', '-v', 'error', '-nostdin', '-fflags', 'nobuffer', '-flags', 'low_delay', '-probesize', '5000'],
    ...['-listen', '1', '-i', url, '-map', '0:v', '-fps_mode', 'passthrough', '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'],
  ]);
  receiver.stderr.resume();
  t.teardown(() => receiver.kill('SIGKILL'));
  const ages: number[] = [];
  const stamps: number[] = [];
  let rest = Buffer.alloc(0);
  const enough = new Promise<void>((resolve) => {
    receiver.stdout.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= width * height; rest = rest.subarray(width * height)) {
        const stamp = readStamp({ pixels: rest, width, height });
        if (stamp === null) return t.fail('an unreadable picture');
        stamps.push(stamp);
        ages.push(ageOf(stamp, Date.now()));
      }
      if (stamps.length >= 120) resolve();
    });
  });
  await listening(rtmp);
  const publisher = publishClock(url);
  await Promise.race([enough, once(receiver, 'close')]);
  const complaints = await publisher.stop();
  t.ok(stamps.length >= 120, complaints);
  // A publisher that was held up makes several pictures within the same millisecond.
  t.ok(stamps.every((stamp, at) => at === 0 || stamp >= (stamps[at - 1] ?? 0)) && new Set(stamps).size > stamps.length / 2, 'the clock goes forward');
  const settled = ages.slice(-60);
  // Of a busy machine the youngest is told: what holds pictures back holds back all of them.
  t.ok(Math.min(...settled) < 250, `the youngest is ${Math.min(...settled)} ms old`);
  t.ok(Math.min(...settled) >= 0, 'none comes from the future');
});

t.test('an age survives the wrap of the stamp', async (t) => {
  t.equal(ageOf(stampLimit - 10, stampLimit * 5 + 20), 30);
  t.equal(ageOf(20, stampLimit * 5 + 10), -10);
});

/** ffmpeg takes one caller only, so its port is looked for in the kernel's table instead of being called. */
const listening = async (port: number): Promise<void> => {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
  for (let tries = 0; tries < 1200; tries++) {
    if ((await readFile('/proc/net/tcp', 'utf8')).includes(local)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('nobody listens');
};
