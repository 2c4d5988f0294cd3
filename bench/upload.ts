/**
 * Uploads in parts: how long a gigabyte over loopback takes, four parts of 8 MiB at a time and each with its digest, beside
 * `cat` of the same file into a file, alternating; and what eight such uploads at once cost, and do to whoever else asks.
 *
 *     node bench/upload.ts [rounds]
 *
 * Sent by a process of its own out of its memory, with digests computed beforehand: what is measured is the server, though both share
 * the machine. Bare sinks in its place show what is left when nothing is done with the bytes (`support/upload-floor.ts`). All of
 * it runs in a network of its own where that can be (`support/own-network.ts`).
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, rm, truncate } from 'node:fs/promises';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { crc32c } from '../ingest/upload/crc32c.ts';
import { percentile, table } from '../test/support/figures.ts';
import { cpuSeconds, memoryMb } from '../test/support/process-cost.ts';
import { startServer, type MillraceServer } from '../test/support/server.ts';
import { inOwnNetwork } from './support/own-network.ts';

const MiB = 2 ** 20;
const partSize = 8 * MiB;
const parallel = 4;
const size = 1024 * MiB;
const parts = size / partSize;
/** The file repeats itself after so many: they are the sender's memory. */
const kinds = 16;
const many = 8;

type Algorithm = 'sha-256' | 'crc32c';
type Upload = { readonly id: string; readonly upload: { readonly parts: { readonly url: string; readonly finish: string } } };
/** One line from the parent: where to send; one line back: milliseconds, and processor time of the sender. */
type Errand = { readonly algorithm: Algorithm; readonly urls: readonly string[] };
type Errands = { readonly ms: number; readonly cpu: number };

/** The sender: pushes parts into its connections. */
const send = async (file: string): Promise<void> => {
  const handle = await open(file, 'r');
  const bodies: Buffer[] = [];
  const fields = new Map<Algorithm, string[]>([['sha-256', []], ['crc32c', []]]);
  for (let part = 0; part < kinds; part += 1) {
    const { buffer } = await handle.read(Buffer.allocUnsafe(partSize), 0, partSize, part * partSize);
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32c(buffer));
    bodies.push(buffer);
    fields.get('sha-256')?.push(`sha-256=:${createHash('sha256').update(buffer).digest('base64')}:`);
    fields.get('crc32c')?.push(`crc32c=:${crc.toString('base64')}:`);
  }
  await handle.close();
  const connection = async (url: URL, next: () => number | null, algorithm: Algorithm): Promise<void> => {
    const socket = connect(Number(url.port), url.hostname);
    await once(socket, 'connect');
    for (let part = next(); part !== null; part = next()) {
      socket.cork();
      socket.write(`PUT ${url.pathname.replace('%7Bn%7D', String(part))} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: ${partSize}\r\nContent-Digest: ${fields.get(algorithm)?.[part % kinds]}\r\n\r\n`);
      socket.write(bodies[part % kinds] ?? '');
      socket.uncork();
      const answer = String((await once(socket, 'data'))[0]);
      if (!answer.startsWith('HTTP/1.1 204')) throw new Error(answer);
    }
    socket.destroy();
  };
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const { algorithm, urls } = JSON.parse(line) as Errand;
    const before = process.cpuUsage();
    const startedAt = performance.now();
    await Promise.all(
      urls.map(async (url) => {
        let part = 0;
        const next = (): number | null => (part < parts ? part++ : null);
        await Promise.all(Array.from({ length: parallel }, () => connection(new URL(url), next, algorithm)));
      }),
    );
    const cpu = process.cpuUsage(before);
    process.stdout.write(`${JSON.stringify({ ms: performance.now() - startedAt, cpu: (cpu.user + cpu.system) / 1e6 } satisfies Errands)}\n`);
  }
};

const median = (values: readonly number[]): number => percentile(values, 0.5);

/** An MP4 whose index never comes: nothing is done with it but to take it. */
const makeFile = async (path: string): Promise<void> => {
  const file = await open(path, 'w');
  const head = Buffer.alloc(48);
  head.writeUInt32BE(32, 0);
  head.write('ftypisom\0\0\0\0isommp41avc1iso2', 4, 'latin1');
  head.writeUInt32BE(1, 32);
  head.write('mdat', 36, 'latin1');
  head.writeBigUInt64BE(BigInt(size - 32), 40);
  const bytes = randomBytes(kinds * partSize);
  head.copy(bytes);
  for (let at = 0; at < size; at += bytes.length) await file.write(bytes, 0, bytes.length, at);
  await file.close();
};

const run = async (rounds: number): Promise<void> => {
  const folder = await mkdtemp(join(process.env['MILLRACE_BENCH_FOLDER'] ?? tmpdir(), 'millrace-bench-'));
  const file = join(folder, 'original.mp4');
  const copy = join(folder, 'copy');
  await makeFile(file);
  const server = await startServer({ pictures: true, data: join(folder, 'data'), env: { MILLRACE_DISK_REFUSE: '99%', MILLRACE_DISK_STOP: '99.5%' } });
  const sender = spawn(process.execPath, [fileURLToPath(import.meta.url), 'send', file], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const lines = createInterface({ input: sender.stdout })[Symbol.asyncIterator]();
    await lines.next();
    const errand = async (algorithm: Algorithm, urls: readonly string[]): Promise<Errands> => {
      sender.stdin.write(`${JSON.stringify({ algorithm, urls } satisfies Errand)}\n`);
      return JSON.parse((await lines.next()).value ?? '{}') as Errands;
    };
    const token = await server.login();
    const bench = new Bench(server, token, file, copy, errand);
    await bench.round('crc32c'); // Code is compiled, memory is fetched.
    for (const algorithm of ['sha-256', 'crc32c'] as const) await bench.measure(algorithm, rounds);
    for (const sink of ['counted', 'written'] as const) await bench.floor(sink, rounds);
    await bench.eight();
  } finally {
    sender.kill();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

type Round = { readonly sent: number; readonly whole: number; readonly cat: number; readonly synced: number; readonly server: number; readonly sender: number };

class Bench {
  readonly #server: MillraceServer;
  readonly #token: string;
  readonly #file: string;
  readonly #copy: string;
  readonly #errand: (algorithm: Algorithm, urls: readonly string[]) => Promise<Errands>;

  constructor(server: MillraceServer, token: string, file: string, copy: string, errand: (algorithm: Algorithm, urls: readonly string[]) => Promise<Errands>) {
    this.#server = server;
    this.#token = token;
    this.#file = file;
    this.#copy = copy;
    this.#errand = errand;
  }

  get #pid(): number {
    return this.#server.child.pid ?? 0;
  }

  #create(): Promise<Upload> {
    return this.#server.must('POST', 'videos', { filename: 'film.mp4', size }, this.#token);
  }

  async #remove({ id }: Upload): Promise<void> {
    await this.#server.must('DELETE', `videos/${id}`, undefined, this.#token);
  }

  async round(algorithm: Algorithm): Promise<Round> {
    const upload = await this.#create();
    const cpu = cpuSeconds(this.#pid);
    const { ms: sent, cpu: sender } = await this.#errand(algorithm, [upload.upload.parts.url]);
    const startedAt = performance.now();
    await this.#server.must('POST', new URL(upload.upload.parts.finish).pathname);
    const whole = sent + performance.now() - startedAt;
    const server = cpuSeconds(this.#pid) - cpu;
    await this.#remove(upload);
    await rm(this.#copy, { force: true });
    const [cat, synced] = [this.#shell('cat "$1" > "$2"'), this.#shell('sync "$2"')];
    return { sent, whole, cat, synced: cat + synced, server, sender };
  }

  #shell(script: string): number {
    const startedAt = performance.now();
    spawnSync('sh', ['-c', script, 'sh', this.#file, this.#copy], { stdio: 'ignore' });
    return performance.now() - startedAt;
  }

  async measure(algorithm: Algorithm, count: number): Promise<void> {
    const rounds: Round[] = [];
    for (let round = 0; round < count; round += 1) rounds.push(await this.round(algorithm));
    const ms = (of: (round: Round) => number): string => `${median(rounds.map(of)).toFixed(0)} ms`;
    const ratios = (of: (round: Round) => number): string => `${median(rounds.map(of)).toFixed(2)} (${rounds.map((round) => of(round).toFixed(2)).join(' ')})`;
    const rows = [
      ['1 GiB in parts of 8 MiB, four at a time', 'upload', '`cat` into a file', 'ratio, median (each)', 'goal'],
      ['the last part answered; cat returned', ms(({ sent }) => sent), ms(({ cat }) => cat), ratios(({ sent, cat }) => cat / sent), '≥ 0.5'],
      ['all of it on the platter', ms(({ whole }) => whole), ms(({ synced }) => synced), ratios(({ whole, synced }) => synced / whole), ''],
      ['processor time, server and sender', `${median(rounds.map(({ server }) => server)).toFixed(2)} s, ${median(rounds.map(({ sender }) => sender)).toFixed(2)} s`, '', '', ''],
    ];
    process.stdout.write(`\n${algorithm}, median of ${count}\n${table(rows)}\n`);
  }

  /** A bare sink in place of the server. */
  async floor(what: 'counted' | 'written', count: number): Promise<void> {
    const floor = fileURLToPath(new URL('./support/upload-floor.ts', import.meta.url));
    const sink = spawn(process.execPath, [floor, what, this.#copy, String(partSize)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const url = `http://127.0.0.1:${String((await once(sink.stdout, 'data'))[0]).trim()}/{n}`;
    const rounds: Pick<Round, 'sent' | 'cat' | 'server' | 'sender'>[] = [];
    for (let round = -1; round < count; round += 1) {
      await truncate(this.#copy);
      const cpu = cpuSeconds(sink.pid ?? 0);
      const { ms: sent, cpu: sender } = await this.#errand('crc32c', [url]);
      const server = cpuSeconds(sink.pid ?? 0) - cpu;
      const [cat] = [this.#shell('cat "$1" > "$2.cat"'), this.#shell('rm "$2.cat"')];
      if (round >= 0) rounds.push({ sent, cat, server, sender });
    }
    sink.kill();
    await once(sink, 'close');
    const of = (value: (round: (typeof rounds)[number]) => number): number => median(rounds.map(value));
    const ms = `${of(({ sent }) => sent).toFixed(0)} ms`;
    const cpus = `${of(({ server }) => server).toFixed(2)} s and ${of(({ sender }) => sender).toFixed(2)} s`;
    process.stdout.write(`\nin place of the server node:http, ${what}: ${ms}, ${of(({ cat, sent }) => cat / sent).toFixed(2)} of cat; processor time ${cpus}\n`);
  }

  /** Eight at once, while somebody else asks for something small. */
  async eight(): Promise<void> {
    const before = memoryMb(this.#pid, 'VmRSS');
    const quiet = await this.#answers(async () => void (await sleep(3_000)));
    const uploads = await Promise.all(Array.from({ length: many }, () => this.#create()));
    let took = Number.NaN;
    const busy = await this.#answers(async () => {
      took = (await this.#errand('sha-256', uploads.map(({ upload }) => upload.parts.url))).ms;
    });
    const peak = memoryMb(this.#pid, 'VmHWM');
    for (const upload of uploads) await this.#remove(upload);
    const answers = (values: readonly number[]): string => `${median(values).toFixed(1)}, ${percentile(values, 0.99).toFixed(1)}, ${Math.max(...values).toFixed(1)} ms`;
    const rows = [
      [`${many} uploads at once, ${many * parallel} parts`, 'measured', 'goal'],
      ['in all', `${((many * size) / 1e6 / (took / 1000)).toFixed(0)} MB/s`, ''],
      ['resident memory of the server, before and at its most', `${before.toFixed(0)} MB, ${peak.toFixed(0)} MB`, '≤ 300 MB'],
      ['/healthz answered, median, p99, worst, before', answers(quiet), ''],
      ['the same while they are sent', answers(busy), ''],
    ];
    process.stdout.write(`\n${table(rows)}\n`);
  }

  async #answers(during: () => Promise<void>): Promise<number[]> {
    const took: number[] = [];
    let over = false;
    const asking = (async () => {
      while (!over) {
        const startedAt = performance.now();
        await new Promise<void>((resolve, reject) => get(`${this.#server.origin}/healthz`, (response) => response.resume().on('end', resolve)).on('error', reject));
        took.push(performance.now() - startedAt);
        await sleep(10);
      }
    })();
    await during();
    over = true;
    await asking;
    return took;
  }
}

const [what, file = ''] = process.argv.slice(2);
if (what === 'send') {
  await send(file);
} else {
  await inOwnNetwork(() => run(what === undefined ? 5 : Number(what)));
}
