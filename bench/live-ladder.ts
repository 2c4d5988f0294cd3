/**
 * A live ladder on a whole server: 1080p30 with B-frames, sent in real time, and three rungs below it. How much later than the
 * source they can be had, what their encoder costs beside one plain ffmpeg command of the same encodes, what the server itself
 * has to do for them, and how late everything is while others take both cores.
 *
 *     node bench/live-ladder.ts [SECONDS] [calm]      calm: nobody takes the cores
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rateBounds } from '../packager/encode/live-rate.ts';
import { Burners } from '../test/support/burners.ts';
import { encoded, encodedFlv } from '../test/support/encoded.ts';
import { percentile, table } from '../test/support/figures.ts';
import { liveVideo, pictureTracks } from '../test/support/ladder-show.ts';
import { encodersOf } from '../test/support/ladder-programs.ts';
import { LiveSender } from '../test/support/live-sender.ts';
import { PartTimes, type SeenPart } from '../test/support/part-times.ts';
import { until } from '../test/support/playlists.ts';
import { cpuSeconds } from '../test/support/process-cost.ts';
import { startServer, type MillraceServer } from '../test/support/server.ts';

const seconds = Number(process.argv[2] ?? 20);
const isCalm = process.argv[3] === 'calm';
const gop = 60;
const wishes = [[720, 2_500], [480, 1_200], [240, 400]] as const;
const wait = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time * 1000));
const ms = (value: number): string => `${Math.round(value)} ms`;
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

const scene = ['-f', 'lavfi', '-i', 'testsrc2=size=1920x1080:rate=30:duration=8', '-vf', 'noise=alls=12:allf=t', '-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p'];
const source = [...scene, '-bf', '2', '-g', String(gop), '-sc_threshold', '0', '-b:v', '4M', '-maxrate', '4M', '-bufsize', '4M'];
const clip = await encodedFlv(source);
const file = await encoded('flv', source);

const shown = (parts: readonly SeenPart[]): readonly SeenPart[] => parts.filter(({ gap }) => !gap);
/** Of the same part, behind the source. */
const added = (own: readonly SeenPart[], rung: readonly SeenPart[]): number[] => {
  const at = new Map(own.map((part) => [part.uri, part.at]));
  return shown(rung).flatMap((part) => {
    const there = at.get(part.uri);
    return there === undefined ? [] : [part.at - there];
  });
};
const figures = (values: readonly number[]): string[] => [ms(percentile(values, 0.5)), ms(percentile(values, 0.95)), ms(Math.max(...values))];

const publish = async (server: MillraceServer, token: string, name: string, ladder: string) => {
  const channel = await server.createChannel(token, { name, ladder });
  const sender = await LiveSender.connect(server, channel, clip);
  await server.live(channel);
  const video = await liveVideo(server, channel);
  const tracks = await pictureTracks(server, video);
  const times = new PartTimes(server, video, sender, tracks);
  await until(async () => tracks.map((track) => times.late(track).length), (counts) => counts.every((count) => count > 15), 40_000);
  return { sender, tracks, times };
};

/** Seconds of a core. */
const plain = async (): Promise<number> => {
  const split = `[0:v]split=${wishes.length}${wishes.map((_, at) => `[s${at}]`).join('')}`;
  const scales = wishes.map(([height], at) => `[s${at}]scale=-2:${height}[v${at}]`);
  const outputs = wishes.flatMap(([, kbits], at) => {
    const { maxRate, buffer } = rateBounds(kbits * 1000);
    return [
      ...['-map', `[v${at}]`, '-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'high', '-b:v', `${kbits}k`],
      ...['-maxrate', String(maxRate), '-bufsize', String(buffer), '-g', String(gop), '-sc_threshold', '0', '-f', 'mpegts', '-y', '/dev/null'],
    ];
  });
  const args = ['-v', 'info', '-nostats', '-benchmark', '-nostdin', '-stream_loop', '-1', '-re', '-t', String(seconds), '-i', file, '-an', '-filter_complex', [split, ...scales].join(';'), ...outputs];
  const child = spawn(process.env['FFMPEG_PATH'] ?? 'ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(said) ?? [];
  return Number(user) + Number(system);
};

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
await writeFile(join(folder, 'bench.yaml'), `rungs:\n${wishes.map(([height, kbits]) => `  - { height: ${height}, bitrate: ${kbits}k, preset: veryfast }\n`).join('')}`);
const server = await startServer({ env: { MILLRACE_ENCODE_LADDERS: folder, MILLRACE_ENCODE_CORES: '64' } });
const burners = new Burners();
try {
  const token = await server.login();
  await until(() => server.must<{ items: { cores: number | null }[] }>('GET', 'ladders', undefined, token), ({ items }) => items.every(({ cores }) => cores !== null), 60_000);
  const { pid = -1 } = server.child;

  const alone = await publish(server, token, 'alone', 'source');
  let own = cpuSeconds(pid);
  await wait(seconds / 2);
  const without = (cpuSeconds(pid) - own) / (seconds / 2);
  await alone.sender.end();
  await alone.times.stop();

  const { sender, tracks, times } = await publish(server, token, 'ladder', 'bench');
  // What it took to catch up is told apart.
  await wait(3);
  const from = performance.now();
  const [encoder = -1] = await encodersOf(pid);
  own = cpuSeconds(pid);
  const encoders = cpuSeconds(encoder);
  await wait(seconds);
  const encoding = (cpuSeconds(encoder) - encoders) / seconds;
  const withRungs = (cpuSeconds(pid) - own) / seconds;
  const quietUntil = performance.now();
  const names = ['source', ...wishes.map(([height]) => String(height))];
  const rows = tracks.map((track, at) => [names[at] ?? track, ...figures(times.late(track, from, quietUntil)), ...(at === 0 ? ['', '', ''] : figures(added(times.of('v0'), times.of(track, from, quietUntil))))]);
  console.log(table([['part can be had behind its last picture', 'p50', 'p95', 'most', 'p50 behind the source', 'p95', 'most'], ...rows]));

  if (!isCalm) {
    burners.add(2);
    await wait(15);
    burners.stop();
    const loadUntil = performance.now();
    const { shows } = await server.must<{ shows: { encoding: number[] }[] }>('GET', 'ladders', undefined, token);
    const busy = tracks.map((track, at) => [names[at] ?? track, ...figures(times.late(track, quietUntil, loadUntil)), String(times.gaps(track).length)]);
    console.log(`\n${table([['beside two programs that take both cores, 15 s', 'p50', 'p95', 'most', 'segments missing'], ...busy])}`);
    console.log(`left were ${JSON.stringify(shows.map((show) => show.encoding))}`);
  }
  await sender.end();
  await times.stop();

  const peer = (await plain()) / seconds;
  console.log(`\ncost: ${encoding.toFixed(3)} cores, the plain command ${peer.toFixed(3)}: ${(encoding / peer).toFixed(3)} of it`);
  console.log(`the server itself: ${percent(without)} of a core with a passed-through show, ${percent(withRungs)} with its ladder, that is ${percent((withRungs - without) / encoding)} of what the encoder takes (all of it: ${percent(withRungs / encoding)})`);
} finally {
  burners.stop();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
