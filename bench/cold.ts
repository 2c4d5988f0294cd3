/**
 * Media that nobody asks for twice, over HTTP: the segments of 201 films, a third of them clear, in AES-128 and in cbcs, one after the
 * other, from a server whose cache holds a thirtieth of them. What is kept must not grow, and what is protected anew each time costs
 * what `bench/protect.ts` says. The server has one core.
 *
 *     node bench/cold.ts [films of each kind]        wants taskset
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clip } from '../test/support/clips.ts';
import { mustFfmpeg } from '../test/support/ffmpeg.ts';
import { table } from '../test/support/figures.ts';
import { cpuSeconds, memoryMb, pin } from '../test/support/process-cost.ts';
import { startServer } from '../test/support/server.ts';
import { Load } from './support/load.ts';
import { inOwnNetwork } from './support/own-network.ts';
import { segmentsOf, uploaded } from './support/sites.ts';

const cacheMb = 32;
/** To the kernel: the most that was resident is counted from now on. */
const forgetPeak = '5';
const passes = 2;
const kinds = ['none', 'aes-128', 'cbcs'] as const;

await inOwnNetwork(async () => {
  const films = Number(process.argv[2] ?? 67);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const film = join(folder, 'film.mp4');
  const source = await clip({ width: 1280, height: 720, kbps: 5000, busy: true, bframes: 2 });
  await mustFfmpeg(['-i', source.file, '-c', 'copy', film]);
  const server = await startServer({ env: { MILLRACE_DELIVERY_CACHE: `${cacheMb}MiB` } });
  const load = await Load.start();
  try {
    const pid = server.child.pid ?? 0;
    const session = await server.login();
    const sets = new Map<string, string[]>(kinds.map((kind) => [kind, []]));
    for (let index = 0; index < films; index += 1) {
      await Promise.all(
        kinds.map(async (protection) => {
          const base = await uploaded(server, session, film, { protection });
          sets.get(protection)?.push(...(await segmentsOf(server, base, 'v0')));
        }),
      );
    }
    pin(pid);
    const before = memoryMb(pid);
    const rows = [[`${films} films of each kind`, 'MB asked for', 'MB/s', 'processor, ms each MB', 'more than clear', 'resident memory at its most']];
    const costs = new Map<string, { bytes: number; cpu: number; ms: number; most: number }>();
    for (let pass = 0; pass < passes; pass += 1) {
      for (const [kind, paths] of sets) {
        await writeFile(`/proc/${pid}/clear_refs`, forgetPeak);
        const cpu = cpuSeconds(pid);
        // All of them once.
        const { bytes, ms } = await load.run({ port: server.ports.http, paths, connections: 4, ms: 0 });
        const cost = costs.get(kind) ?? { bytes: 0, cpu: 0, ms: 0, most: 0 };
        costs.set(kind, { bytes: cost.bytes + bytes, cpu: cost.cpu + cpuSeconds(pid) - cpu, ms: cost.ms + ms, most: Math.max(cost.most, memoryMb(pid, 'VmHWM')) });
      }
    }
    const clear = costs.get('none');
    for (const [kind, { bytes, cpu, ms, most }] of costs) {
      const [each, plain] = [(1e9 * cpu) / bytes, clear ? (1e9 * clear.cpu) / clear.bytes : Number.NaN];
      rows.push([kind, (bytes / 1e6).toFixed(0), (bytes / 1e3 / ms).toFixed(0), each.toFixed(2), each === plain ? '' : `${(each - plain).toFixed(2)}: ${(1000 / (each - plain)).toFixed(0)} MB/s`, `${most.toFixed(0)} MB`]);
    }
    console.log(`\nresident memory before ${before.toFixed(0)} MB, cache of ${cacheMb} MiB\n${table(rows)}`);
  } finally {
    await load.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
