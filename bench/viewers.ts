/**
 * Many who watch a show live, each by a grant of his own, beside as many for whom no grant is needed: playlists and manifests asked for
 * as fast as they are answered, and low-latency viewers that ask as hls.js does. The server has one core, everybody else the other.
 *
 *     node bench/viewers.ts [seconds]        wants taskset
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { percentile, table } from '../test/support/figures.ts';
import { LowLatencyViewer } from '../test/support/ll-viewer.ts';
import { LiveSender } from '../test/support/live-sender.ts';
import { until } from '../test/support/playlists.ts';
import { cpuSeconds, pin } from '../test/support/process-cost.ts';
import { startServer, type Channel } from '../test/support/server.ts';
import { flvClip } from '../test/support/show-sender.ts';
import { Load } from './support/load.ts';
import { inOwnNetwork } from './support/own-network.ts';
import { baseFor } from './support/sites.ts';

const grants = 1000;
const viewers = 40;
const rounds = 3;
const issuer = 'https://bench.example';
const audience = 'bench';

/** `bases`: where it lies for each who asks. */
type Show = { readonly name: string; readonly bases: readonly string[] };
type Live = Channel & { readonly live: { readonly videoId: string } | null };

const median = (values: readonly number[]): number => percentile(values, 0.5);

await inOwnNetwork(async () => {
  const seconds = Number(process.argv[2] ?? 3);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  await writeFile(join(folder, 'keys.json'), JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256' }] }));
  const flv = await flvClip({ width: 1280, height: 720, kbps: 5000, busy: true, bframes: 2 });
  const server = await startServer({ env: { MILLRACE_TOKENS_ISSUER: issuer, MILLRACE_TOKENS_AUDIENCE: audience, MILLRACE_TOKENS_KEYS: join(folder, 'keys.json') } });
  const load = await Load.start();
  const pid = server.child.pid ?? 0;
  const session = await server.login();
  const tokens: string[] = [];
  for (let index = 0; index < grants; index += 1) {
    tokens.push(await new SignJWT({ sub: `viewer ${index}`, video: '*' }).setProtectedHeader({ alg: 'ES256', kid: 'bench' }).setIssuer(issuer).setAudience(audience).setExpirationTime('1h').sign(privateKey));
  }
  const begin = async (name: string, settings: { readonly visibility: string; readonly protection: string }): Promise<Show> => {
    const channel = await server.createChannel(session, { name, ...settings });
    await LiveSender.connect(server, channel, flv);
    const { live } = await until(() => server.must<Live>('GET', `channels/${channel.id}`, undefined, session), (seen) => seen.live !== null);
    const video = live?.videoId ?? '';
    const bases: string[] = [];
    if (settings.visibility !== 'public') for (const [at, token] of tokens.entries()) bases.push(await baseFor(server, video, token, `127.0.${1 + (at >> 7)}.${1 + (at & 127)}`));
    return { name: `${name}, ${settings.visibility}`, bases: bases.length > 0 ? bases : [`/play/-/${video}/`] };
  };
  const cpu = async (during: () => Promise<unknown>): Promise<number> => {
    const before = cpuSeconds(pid);
    await during();
    return cpuSeconds(pid) - before;
  };

  const asked = async (shows: readonly Show[], file: string): Promise<void> => {
    const took = shows.map(() => ({ rate: [] as number[], each: [] as number[], bytes: 0 }));
    for (let round = -1; round < rounds; round += 1) {
      for (const [at, { bases }] of shows.entries()) {
        let [requests, ms, bytes] = [0, 0, 0];
        const cost = await cpu(async () => ({ requests, ms, bytes } = await load.run({ port: server.ports.http, paths: bases.map((base) => base + file), connections: 16, ms: 1000 })));
        const own = took[at];
        if (round < 0 || !own) continue;
        own.rate.push(requests / (ms / 1000));
        own.each.push((1e6 * cost) / requests);
        own.bytes = bytes / requests;
      }
    }
    const [open] = took;
    const rows = shows.map(({ name, bases }, at) => {
      const own = took[at];
      if (!own || !open) return [name];
      const beside = median(own.each.map((each, round) => each / (open.each[round] ?? Number.NaN)));
      return [`${name} (${bases.length === 1 ? 'no grant' : `${bases.length} grants`})`, own.bytes.toFixed(0), median(own.rate).toFixed(0), median(own.each).toFixed(1), beside.toFixed(2)];
    });
    console.log(`\n${table([[file, 'bytes', 'requests/s', 'µs of processor each', 'to public'], ...rows])}`);
  };

  const watched = async (shows: readonly Show[]): Promise<void> => {
    const idle: number[] = [];
    const took = shows.map((): number[] => []);
    const faults: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      idle.push((await cpu(() => sleep(seconds * 1000))) / seconds);
      for (const [at, { bases }] of shows.entries()) {
        const crowd = Array.from({ length: viewers }, (_, index) => new LowLatencyViewer(server.origin + (bases[index % bases.length] ?? '').replace(/\/$/, '')));
        for (const viewer of crowd) viewer.start();
        await sleep(1000);
        took[at]?.push((await cpu(() => sleep(seconds * 1000))) / seconds);
        await Promise.all(crowd.map((viewer) => viewer.stop()));
        faults.push(...crowd.flatMap((viewer) => viewer.faults));
      }
    }
    const base = median(idle);
    const rows = shows.map(({ name }, at) => [name, `${(100 * median(took[at] ?? [])).toFixed(1)} %`, `${((100 * (median(took[at] ?? []) - base)) / viewers).toFixed(2)} %`, ((median(took[at] ?? []) - base) / (median(took[0] ?? []) - base)).toFixed(2)]);
    console.log(`\n${table([[`${viewers} viewers of one show; ${shows.length} shows alone: ${(100 * base).toFixed(1)} %`, 'of a core', 'each viewer', 'to public'], ...rows])}`);
    if (faults.length > 0) throw new Error(`not all was answered: ${faults.slice(0, 5).join('; ')}`);
  };

  try {
    pin(pid);
    pin(process.pid, 1);
    const open = await begin('clear', { visibility: 'public', protection: 'none' });
    const own = await begin('clear-own', { visibility: 'private', protection: 'none' });
    const whole = await begin('aes-128', { visibility: 'private', protection: 'aes-128' });
    const inside = await begin('cbcs', { visibility: 'private', protection: 'cbcs' });
    await sleep(10_000);
    await asked([open, own, whole, inside], 'v0/index.m3u8');
    await asked([open, own, inside], 'manifest.mpd');
    await watched([open, own, whole, inside]);
  } finally {
    await load.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
