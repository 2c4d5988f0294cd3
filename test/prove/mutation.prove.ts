/**
 * Senders behind lines that spoil what they send, over RTMP and SRT, for two minutes; beside them a healthy show, of which
 * nothing may be missing. `MILLRACE_PROVE_SECONDS` makes it shorter or longer.
 */
import t from 'tap';
import { push } from '../support/ffmpeg.ts';
import { healthyShow } from '../support/healthy-show.ts';
import { lossyLine } from '../support/lossy-line.ts';
import { memoryMb } from '../support/process-cost.ts';
import { startServer } from '../support/server.ts';
import { spoilingLine } from '../support/spoiling-line.ts';
import { sendSrt } from '../support/srt-frames.ts';

const seconds = Number(process.env.MILLRACE_PROVE_SECONDS ?? 120);

t.test('senders whose bytes are spoiled hurt only themselves', { timeout: (seconds + 120) * 1000 }, async (t) => {
  const server = await startServer({ env: { MILLRACE_LIVE_RECONNECT_WINDOW: '5s' } });
  t.teardown(() => server.stop());
  const token = await server.login();
  const { source, unharmed } = await healthyShow(t, server, token);
  const [overTcp, overUdp] = await Promise.all(['over-tcp', 'over-udp'].map((name) => server.createChannel(token, { name })));
  if (!overTcp || !overUdp) throw new Error('no channels');

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
  const early = setTimeout(() => t.comment(`after 20 s: ${memoryMb(server.child.pid).toFixed(0)} MB`), 20_000);
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

  t.comment({ ...tcp.counts, ...lives, memory: memoryMb(server.child.pid) });
  t.ok(tcp.counts.spoiled > seconds / 4 && lives.tcp > seconds / 20, `${tcp.counts.spoiled} pieces in ${lives.tcp} connections were spoiled`);
  t.ok(memoryMb(server.child.pid) < 500, `${memoryMb(server.child.pid)} MB`);
  await unharmed();
});
