/**
 * What a publisher costs: 100 over RTMP at 2.5 Mbit/s beside nginx-rtmp with its HLS on, and 40 over SRT beside as many
 * srt-live-transmit that do nothing but receive; processor and memory of a stream, for a minute each. Who receives has one core,
 * who sends has the other.
 *
 *     node bench/ingest.ts [seconds]        wants taskset; nginx with libnginx-mod-rtmp; srt-live-transmit
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ChunkWriter } from '../ingest/rtmp/chunk-writer.ts';
import { RtmpTestClient } from '../ingest/rtmp/test-client.ts';
import { configMessage, unitMessage } from '../ingest/rtmp/test-messages.ts';
import { clip } from '../test/support/clips.ts';
import { mustFfmpeg } from '../test/support/ffmpeg.ts';
import { table } from '../test/support/figures.ts';
import { playlist } from '../test/support/playlists.ts';
import { childrenOf, cpuSeconds, memoryMb, pin } from '../test/support/process-cost.ts';
import { freePorts, startServer, type Channel } from '../test/support/server.ts';
import { flvClip } from '../test/support/show-sender.ts';

const publishers = 100;
const callers = 40;
/** Until buffers have their size, and the gate of every show has opened. */
const settleMs = 8_000;
const media = { width: 1280, height: 720, kbps: 2_370, busy: true, bframes: 2 };
const clipMs = 8_000;
const self = fileURLToPath(import.meta.url);

type Cost = { readonly cpu: number; readonly memory: number };
/** What the sender is told: to whom, by one line; it answers with one when everybody is in. */
type Errand = { readonly to: 'rtmp'; readonly port: number; readonly keys: readonly string[] } | { readonly to: 'srt'; readonly urls: readonly string[]; readonly file: string; readonly lasts: number };

/** Publishers in ten groups, whose key pictures come a fifth of a second apart. */
const sendRtmp = async (port: number, keys: readonly string[]): Promise<void> => {
  const { avcConfig, aacConfig, units } = await flvClip(media);
  if (!avcConfig || !aacConfig) throw new Error('a clip without configurations');
  const groups = Array.from({ length: 10 }, () => ({ clients: [] as RtmpTestClient[], writer: new ChunkWriter(), sent: 0 }));
  for (const [index, key] of keys.entries()) groups[index % 10]?.clients.push(await RtmpTestClient.connect({ port, key }));
  for (const { clients, writer } of groups) {
    writer.chunkSize = 4096;
    const head = [configMessage(1, { kind: 'video', codec: 'h264', config: avcConfig }), configMessage(1, { kind: 'audio', codec: 'aac', config: aacConfig })];
    for (const { chunkStream, message } of head) for (const client of clients) client.socket.write(writer.encode(chunkStream, message));
  }
  process.stdout.write('in\n');
  const begun = performance.now();
  for (;;) {
    for (const [index, group] of groups.entries()) {
      const now = performance.now() - begun - index * 200;
      for (;;) {
        const unit = units[group.sent % units.length];
        const shift = Math.floor(group.sent / units.length) * clipMs;
        if (!unit || unit.dts + shift > now) break;
        group.sent += 1;
        const { chunkStream, message } = unitMessage(1, { ...unit, dts: unit.dts + shift, pts: unit.pts + shift });
        const bytes = group.writer.encode(chunkStream, message);
        for (const { socket } of group.clients) {
          if (socket.destroyed) throw new Error('a publisher was sent away');
          socket.write(bytes);
        }
      }
    }
    await sleep(10);
  }
};

/** The same bytes into one srt-live-transmit for each caller. */
const sendSrt = async (urls: readonly string[], file: string, lasts: number): Promise<void> => {
  const bytes = readFileSync(file);
  const children = urls.map((url) => spawn('srt-live-transmit', ['-q', '-chunk:1316', 'file://con', url], { stdio: ['pipe', 'ignore', 'ignore'] }));
  process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
  process.on('SIGTERM', () => process.exit());
  process.stdout.write('in\n');
  const begun = performance.now();
  const rate = bytes.length / lasts;
  for (let sent = 0; sent < bytes.length; ) {
    const until = Math.min(bytes.length, Math.floor(((performance.now() - begun) * rate) / 1316) * 1316);
    if (until > sent) for (const { stdin } of children) stdin.write(bytes.subarray(sent, until));
    sent = Math.max(sent, until);
    await sleep(10);
  }
};

const sum = (pids: readonly number[], of: (pid: number) => number): number => pids.reduce((all, pid) => all + of(pid), 0);

/** Sends for a while, and says what that cost those who took it. `before`: their memory without it. */
const during = async (pids: () => readonly number[], before: number, errand: Errand, seconds: number, meanwhile: () => Promise<void> = async () => undefined): Promise<Cost> => {
  const sender = spawn('taskset', ['-c', '1', process.execPath, self, '--send'], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    sender.stdin.write(`${JSON.stringify(errand)}\n`);
    await Promise.race([once(createInterface(sender.stdout), 'line'), once(sender, 'close').then(() => Promise.reject(new Error('the sender ended')))]);
    await sleep(settleMs);
    const cpu = sum(pids(), cpuSeconds);
    await sleep(seconds * 1000);
    if (sender.exitCode !== null) throw new Error('the sender ended');
    const cost = { cpu: (sum(pids(), cpuSeconds) - cpu) / seconds, memory: sum(pids(), memoryMb) - before };
    await meanwhile();
    return cost;
  } finally {
    sender.kill();
    await once(sender, 'close');
  }
};

const ours = async (errand: (server: Awaited<ReturnType<typeof startServer>>, channels: readonly Channel[]) => Errand, count: number, seconds: number): Promise<Cost> => {
  const server = await startServer();
  const pid = server.child.pid ?? 0;
  try {
    pin(pid);
    const token = await server.login();
    const channels: Channel[] = [];
    for (let index = 0; index < count; index += 1) channels.push(await server.createChannel(token, { name: `bench-${index}` }));
    await sleep(3_000);
    return await during(() => [pid], memoryMb(pid), errand(server, channels), seconds, async () => {
      for (const { id, name } of channels) {
        const { live } = await server.must<{ live: { videoId: string } | null }>('GET', `channels/${id}`);
        const list = live && (await playlist(server, live.videoId, 'v0'));
        if (!list || list.text.includes('EXT-X-DISCONTINUITY\n') || list.text.includes('EXT-X-GAP')) throw new Error(`${name} is not clean:\n${list?.text}`);
        const listed = list.segments.reduce((all, { duration }) => all + duration, 0);
        if (listed < Math.min(seconds, 55)) throw new Error(`${name}: ${listed} s`);
      }
    });
  } finally {
    await server.stop();
  }
};

const nginx = async (seconds: number): Promise<Cost> => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-nginx-'));
  const { rtmp: port } = await freePorts();
  const config = `load_module /usr/lib/nginx/modules/ngx_rtmp_module.so; user root; worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/log;
events { worker_connections 1024; }
rtmp { server { listen 127.0.0.1:${port}; chunk_size 4096; application live { live on; hls on; hls_path ${folder}/hls; hls_fragment 2s; hls_playlist_length 60s; } } }\n`;
  await writeFile(join(folder, 'nginx.conf'), config);
  const child = spawn('taskset', ['-c', '0', 'nginx', '-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    await sleep(2_000);
    const master = child.pid ?? 0;
    const pids = (): number[] => [master, ...childrenOf(master)];
    return await during(pids, sum(pids(), memoryMb), { to: 'rtmp', port, keys: Array.from({ length: publishers }, (_, index) => `bench-${index}`) }, seconds);
  } finally {
    child.kill();
    await once(child, 'close');
    await rm(folder, { recursive: true, force: true });
  }
};

const srtLiveTransmit = async (file: string, lasts: number, seconds: number): Promise<Cost> => {
  const children: ChildProcess[] = [];
  const urls: string[] = [];
  try {
    for (let index = 0; index < callers; index += 1) {
      const { srt: port } = await freePorts();
      children.push(spawn('taskset', ['-c', '0', 'srt-live-transmit', '-q', '-chunk:1316', `srt://127.0.0.1:${port}?mode=listener`, 'file://con'], { stdio: 'ignore' }));
      urls.push(`srt://127.0.0.1:${port}?mode=caller`);
    }
    await sleep(3_000);
    return await during(() => children.map(({ pid }) => pid ?? 0), 0, { to: 'srt', urls, file, lasts }, seconds);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
};

const measure = async (seconds: number): Promise<void> => {
  const source = await clip(media);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  try {
    const file = join(folder, 'long.ts');
    const rounds = Math.ceil((seconds * 1000 + 2 * settleMs) / clipMs);
    const lasts = rounds * clipMs;
    await mustFfmpeg(['-stream_loop', String(rounds - 1), '-i', source.file, '-c', 'copy', '-f', 'mpegts', file]);
    const row = (what: string, peerName: string, count: number, own: Cost, peer: Cost): void => {
      const [share, memory] = [({ cpu }: Cost) => `${((100 * cpu) / count).toFixed(2)} % of a core`, (cost: Cost) => `${(cost.memory / count).toFixed(1)} MB`];
      process.stdout.write(
        `${table([
          [`${what}, ${count} publishers, ${seconds} s: each`, 'Millrace', peerName, 'ratio'],
          ['processor', share(own), share(peer), (own.cpu / peer.cpu).toFixed(2)],
          ['memory', memory(own), memory(peer), ''],
        ])}\n\n`,
      );
    };
    const rtmp = await ours((server, channels) => ({ to: 'rtmp', port: server.ports.rtmp, keys: channels.map(({ streamKey }) => streamKey) }), publishers, seconds);
    row('RTMP', 'nginx-rtmp', publishers, rtmp, await nginx(seconds));
    const srt = await ours((server, channels) => ({ to: 'srt', urls: channels.map((channel) => `${server.srtUrl(channel)}&mode=caller`), file, lasts }), callers, seconds);
    row('SRT', 'srt-live-transmit', callers, srt, await srtLiveTransmit(file, lasts, seconds));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

if (process.argv[2] === '--send') {
  const [line] = (await once(createInterface(process.stdin), 'line')) as [string];
  const errand = JSON.parse(line) as Errand;
  if (errand.to === 'rtmp') await sendRtmp(errand.port, errand.keys);
  else await sendSrt(errand.urls, errand.file, errand.lasts);
} else await measure(Number(process.argv[2] ?? 60));
