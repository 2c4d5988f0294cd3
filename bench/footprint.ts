/**
 * What the server costs: memory when nothing happens, and the share of a core that one passthrough stream of
 * 5 Mbit/s with one low-latency viewer
 * takes.
 *
 *     node bench/footprint.ts
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { clip } from '../test/support/clips.ts';
import { push } from '../test/support/ffmpeg.ts';
import { table } from '../test/support/figures.ts';
import { LowLatencyViewer } from '../test/support/ll-viewer.ts';
import { cpuSeconds, memoryMb } from '../test/support/process-cost.ts';
import { startServer, type Channel } from '../test/support/server.ts';

const SECONDS = 30;

const source = await clip({ width: 1280, height: 720, kbps: 5000, busy: true, bframes: 2 });
// Twice: the first start fills the compile cache, as the first start of an installation does.
await (await startServer()).stop();
const server = await startServer();
const pid = server.child.pid ?? 0;
try {
  const channel = await server.createChannel(await server.login(), { name: 'footprint' });
  await sleep(10_000);
  const idle = memoryMb(pid);
  const idleCpu = cpuSeconds(pid);
  await sleep(10_000);
  const idleShare = (cpuSeconds(pid) - idleCpu) / 10;

  const sender = push(source.file, server.rtmpUrl(channel));
  await server.live(channel);
  const { live } = await server.must<Channel & { live: { videoId: string } }>('GET', `channels/${channel.id}`);
  const viewer = new LowLatencyViewer(`${server.origin}/play/-/${live.videoId}`);
  viewer.start();
  await sleep(3_000);
  const [cpu, bytes] = [cpuSeconds(pid), viewer.bytes];
  await sleep(SECONDS * 1000);
  const share = (cpuSeconds(pid) - cpu) / SECONDS;
  const rate = ((viewer.bytes - bytes) * 8) / SECONDS / 1e6;
  const busy = memoryMb(pid);
  await viewer.stop();
  await sender.kill();
  process.stdout.write(
    `${table([
      ['what', 'measured', 'goal'],
      ['resident memory, idle', `${idle.toFixed(0)} MB`, '≤ 170 MB'],
      ['CPU, idle', `${(100 * idleShare).toFixed(1)} % of a core`, ''],
      [`CPU, one stream of ${rate.toFixed(1)} Mbit/s, one viewer`, `${(100 * share).toFixed(1)} % of a core`, '≤ 5 %'],
      ['resident memory, the same', `${busy.toFixed(0)} MB`, ''],
      ['faults of the viewer', String(viewer.faults.length), '0'],
    ])}\n`,
  );
} finally {
  await server.stop();
}
