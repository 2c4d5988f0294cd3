/**
 * Senders behind lines that spoil what they send, over RTMP and SRT, for two minutes; beside them a healthy show, of which
 * nothing may be missing. `MILLRACE_PROVE_SECONDS` makes it shorter or longer.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { clip } from '../support/clips.ts';
import { decodeStamps, push } from '../support/ffmpeg.ts';
import { LowLatencyViewer } from '../support/ll-viewer.ts';
import { lossyLine } from '../support/lossy-line.ts';
import { playlist, until } from '../support/playlists.ts';
import { startServer, type Channel } from '../support/server.ts';
import { spoilingLine } from '../support/spoiling-line.ts';
import { sendSrt } from '../support/srt-frames.ts';

const seconds = Number(process.env.MILLRACE_PROVE_SECONDS ?? 120);
const memoryOf = (pid: number | undefined): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

t.test('senders whose bytes are spoiled hurt only themselves', { timeout: (seconds + 120) * 1000 }, async (t) => {
  const source = await clip({ bframes: 2, width: 320, height: 180, kbps: 300 });
  const server = await startServer({ env: { MILLRACE_LIVE_RECONNECT_WINDOW: '5s' } });
  t.teardown(() => server.stop());
  const token = await server.login();
  const [good, overTcp, overUdp] = await Promise.all(['good', 'over-tcp', 'over-udp'].map((name) => server.createChannel(token, { name })));
  if (!good || !overTcp || !overUdp) throw new Error('no channels');
  const sender = push(source.file, server.rtmpUrl(good));
  t.teardown(() => sender.kill());
  await server.live(good);
  const { live } = await server.must<Channel & { live: { videoId: string } }>('GET', `channels/${good.id}`);
  const viewer = new LowLatencyViewer(`${server.origin}/play/-/${live.videoId}`);
  viewer.start();

  const tcp = await spoilingLine(server.ports.rtmp, { share: 5, seed: 20_261 });
  t.teardown(() => tcp.close());
  const udp = await lossyLine(server.ports.srt, { loss: 0.005, doubles: 0.01, spoiled: 0.02 }, 20_262);
  t.teardown(() => udp.close());
  const over = performance.now() + seconds * 1000;
  const lives = { tcp: 0, udp: 0 };
  const again = async (kind: keyof typeof lives, send: () => { done: Promise<unknown>; end: () => unknown }): Promise<void> => {
    while (performance.now() < over) {
      lives[kind] += 1;
      const { done, end } = send();
      // One that goes on whatever is done to it begins anew sometimes: with another handshake.
      const restart = setTimeout(end, Math.min(20_000, Math.max(0, over - performance.now())));
      await done;
      clearTimeout(restart);
    }
  };
  const early = setTimeout(() => t.comment(`after 20 s: ${memoryOf(server.child.pid).toFixed(0)} MB`), 20_000);
  t.teardown(() => clearTimeout(early));
  await Promise.all([
    again('tcp', () => {
      const one = push(source.file, `rtmp://127.0.0.1:${tcp.port}/live/${overTcp.streamKey}`);
      return { done: one.finished, end: () => one.kill() };
    }),
    again('udp', () => {
      const one = sendSrt(source.file, `srt://127.0.0.1:${udp.port}?streamid=${overUdp.streamKey}&latency=200000`);
      return { done: one.done, end: () => one.kill('SIGKILL') };
    }),
  ]);

  t.comment({ ...tcp.counts, ...lives, memory: memoryOf(server.child.pid) });
  t.ok(server.isRunning);
  t.ok(tcp.counts.spoiled > seconds / 4 && lives.tcp > seconds / 20, `${tcp.counts.spoiled} pieces in ${lives.tcp} connections were spoiled`);
  t.ok(memoryOf(server.child.pid) < 500, `${memoryOf(server.child.pid)} MB`);
  const parts = viewer.announced.size;
  await until(async () => viewer.announced.size, (size) => size > parts + 4).catch((error: unknown) => t.fail(`${String(error)}: ${JSON.stringify(viewer.faults)}`));
  await viewer.stop();
  t.same(viewer.faults, []);
  await sender.stop();
  const whole = await until(() => playlist(server, live.videoId, 'v0'), ({ ended }) => ended);
  t.notOk(whole.segments.some(({ discontinuity }) => discontinuity));
  const { stamps, errors } = await decodeStamps(`${server.origin}/play/-/${live.videoId}/master.m3u8`, source);
  t.equal(errors, '');
  t.ok(stamps.length > seconds * 25);
  // Cut off behind a picture that is decoded early, the last ones that are shown have a hole.
  t.same(stamps.slice(0, -4).filter((stamp, index) => stamp !== index % source.frames).slice(0, 5), [], 'every picture once, in order');
  t.notMatch(server.log, /"level":(50|60)/, 'nothing of it was our fault');
});
