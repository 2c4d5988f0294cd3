/**
 * What is protected beside what is clear, when many ask for the same: one film four times on a whole server (for everybody; and
 * private, clear and in both schemes), and its files in nginx, a second at a time in turn. The server has one core, who asks has
 * the other.
 *
 *     node bench/hot.ts [rounds]        wants taskset; nginx is left out where it is not
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clip } from '../test/support/clips.ts';
import { mustFfmpeg } from '../test/support/ffmpeg.ts';
import { percentile, table } from '../test/support/figures.ts';
import { childrenOf, cpuSeconds, pin } from '../test/support/process-cost.ts';
import { freePorts, startServer, type MillraceServer } from '../test/support/server.ts';
import { Load } from './support/load.ts';
import { inOwnNetwork } from './support/own-network.ts';
import { segmentsOf, uploaded } from './support/sites.ts';

const connections = 16;
const roundMs = 1000;

type Files = { readonly pictures: readonly string[]; readonly sound: readonly string[] };
type Site = Files & { readonly name: string; readonly port: number; readonly pids: () => readonly number[] };
type Figure = { readonly rate: number; readonly speed: number; readonly each: number; readonly busy: number };

const published = async (server: MillraceServer, session: string, name: string, file: string, settings: Record<string, unknown>): Promise<Site> => {
  const base = await uploaded(server, session, file, settings);
  const pid = server.child.pid ?? 0;
  return { name, port: server.ports.http, pids: () => [pid], pictures: await segmentsOf(server, base, 'v0'), sound: await segmentsOf(server, base, 'a0') };
};

const nginx = async (folder: string, { port, pictures, sound }: Site): Promise<{ readonly site: Site; readonly stop: () => Promise<void> } | null> => {
  if (spawnSync('taskset', ['-c', '0', 'nginx', '-v'], { stdio: 'ignore' }).status !== 0) return null;
  const { http } = await freePorts();
  const kept = async (paths: readonly string[], to: string): Promise<readonly string[]> => {
    const names: string[] = [];
    for (const path of paths) {
      names.push(`/${to}${names.length}.m4s`);
      await writeFile(join(folder, `${to}${names.length - 1}.m4s`), Buffer.from(await (await fetch(`http://127.0.0.1:${port}${path}`)).arrayBuffer()));
    }
    return names;
  };
  const config = `user root; worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/log;
events { worker_connections 256; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=1000; server { listen 127.0.0.1:${http}; root ${folder}; } }\n`;
  await mkdir(folder, { recursive: true });
  const site = { name: 'nginx, the same files', port: http, pictures: await kept(pictures, 'v'), sound: await kept(sound, 'a') };
  await writeFile(join(folder, 'nginx.conf'), config);
  const child = spawn('taskset', ['-c', '0', 'nginx', '-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'] });
  await sleep(500);
  const stop = async (): Promise<void> => {
    child.kill();
    await once(child, 'close');
  };
  return { site: { ...site, pids: () => [child.pid ?? 0, ...childrenOf(child.pid ?? 0)] }, stop };
};

const sum = (pids: readonly number[]): number => pids.reduce((all, pid) => all + cpuSeconds(pid), 0);
const median = (values: readonly number[]): number => percentile(values, 0.5);

const measure = async (load: Load, sites: readonly Site[], what: keyof Files, rounds: number): Promise<string> => {
  const figures = sites.map((): Figure[] => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [at, { port, pids, ...files }] of sites.entries()) {
      const cpu = sum(pids());
      const { requests, bytes, ms } = await load.run({ port, paths: files[what], connections, ms: roundMs });
      const took = sum(pids()) - cpu;
      // The first time files are made, and kept.
      if (round >= 0) figures[at]?.push({ rate: requests / (ms / 1000), speed: bytes / 1e3 / ms, each: (took / requests) * 1e6, busy: took / (ms / 1000) });
    }
  }
  const [, clear = []] = figures;
  const rows = sites.map(({ name }, at) => {
    const own = figures[at] ?? [];
    const of = (value: (figure: Figure) => number): number => median(own.map(value));
    const beside = (value: (figure: Figure) => number): string => median(own.map((figure, round) => value(figure) / value(clear[round] ?? figure))).toFixed(2);
    return [name, of(({ rate }) => rate).toFixed(0), of(({ speed }) => speed).toFixed(0), beside(({ rate }) => rate), of(({ each }) => each).toFixed(1), beside(({ each }) => each), `${(100 * of(({ busy }) => busy)).toFixed(0)} %`];
  });
  return table([[what, 'requests/s', 'MB/s', 'to private, clear', 'µs of processor each', 'the same', 'core'], ...rows]);
};

await inOwnNetwork(async () => {
  const rounds = Number(process.argv[2] ?? 7);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const source = await clip({ width: 1280, height: 720, kbps: 5000, busy: true, bframes: 2 });
  const film = join(folder, 'film.mp4');
  await mustFfmpeg(['-stream_loop', '5', '-i', source.file, '-c', 'copy', film]);
  const server = await startServer();
  const load = await Load.start();
  let peer: Awaited<ReturnType<typeof nginx>> = null;
  try {
    pin(server.child.pid);
    const token = await server.login();
    const put = (name: string, settings: Record<string, unknown>): Promise<Site> => published(server, token, name, film, settings);
    const open = await put('for everybody, clear', {});
    const sites = [
      open,
      await put('private, clear', { visibility: 'private' }),
      await put('private, AES-128', { visibility: 'private', protection: 'aes-128' }),
      await put('private, cbcs', { visibility: 'private', protection: 'cbcs' }),
    ];
    peer = await nginx(join(folder, 'nginx'), open);
    if (peer) sites.push(peer.site);
    for (const what of ['pictures', 'sound'] as const) console.log(`\n${await measure(load, sites, what, rounds)}`);
  } finally {
    await load.stop();
    await peer?.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
