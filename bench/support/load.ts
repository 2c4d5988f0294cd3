/**
 * Asks a server as fast as it answers, out of a process of its own on the second core: a few connections, each with one request
 * at a time. What comes is counted and dropped, into one buffer.
 *
 *     const load = await Load.start();
 *     const { requests, bytes, ms } = await load.run({ port, paths, connections: 16, ms: 2000 });
 *     load.stop();
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export type Errand = {
  readonly port: number;
  /** Asked for in turn; all of them once, and for as long as there is time. */
  readonly paths: readonly string[];
  readonly connections: number;
  readonly ms: number;
};
/** `cpu`: of whoever asked, in seconds. */
export type Loaded = { readonly requests: number; readonly bytes: number; readonly ms: number; readonly cpu: number };

const headEnd = Buffer.from('\r\n\r\n');
const self = fileURLToPath(import.meta.url);

const asker = ({ port, paths, ms }: Errand, tally: { requests: number; bytes: number }, next: () => number, buffer: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const until = performance.now() + ms;
    let head: Buffer = Buffer.alloc(0);
    /** Of the body; null: its head is still to come. */
    let left: number | null = null;
    const ask = (socket: Socket): void => {
      const at = next();
      if (at >= paths.length && performance.now() >= until) {
        socket.destroy();
        return resolve();
      }
      head = Buffer.alloc(0);
      left = null;
      socket.write(`GET ${paths[at % paths.length]} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: load\r\n\r\n`);
    };
    const took = (bytes: Buffer): boolean => {
      if (left !== null) left -= bytes.length;
      else {
        head = head.length === 0 ? Buffer.from(bytes.subarray(0, 4096)) : Buffer.concat([head, bytes]);
        const end = head.indexOf(headEnd);
        if (end < 0) return true;
        const text = head.toString('latin1', 0, end);
        const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
        if (!text.startsWith('HTTP/1.1 200') || length === undefined) {
          reject(new Error(text));
          return false;
        }
        const before = head.length > bytes.length ? head.length - bytes.length : 0;
        left = Number(length) - (bytes.length + before - end - headEnd.length);
        tally.bytes += Number(length);
      }
      if (left === 0) {
        tally.requests += 1;
        ask(socket);
      }
      return true;
    };
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer, callback: (length) => took(buffer.subarray(0, length)) } }, () => ask(socket));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed a connection')));
  });

const answer = async (errand: Errand): Promise<Loaded> => {
  const buffer = Buffer.alloc(1 << 20);
  const tally = { requests: 0, bytes: 0 };
  let asked = 0;
  const cpu = process.cpuUsage();
  const from = performance.now();
  await Promise.all(Array.from({ length: errand.connections }, () => asker(errand, tally, () => asked++, buffer)));
  const { user, system } = process.cpuUsage(cpu);
  return { ...tally, ms: performance.now() - from, cpu: (user + system) / 1e6 };
};

export class Load {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor() {
    this.#child = spawn('taskset', ['-c', '1', process.execPath, self], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  static async start(): Promise<Load> {
    const load = new Load();
    await load.#lines.next();
    return load;
  }

  async run(errand: Errand): Promise<Loaded> {
    this.#child.stdin.write(`${JSON.stringify(errand)}\n`);
    const { value } = (await this.#lines.next()) as { value?: string };
    if (value === undefined) throw new Error('whoever asks has ended');
    return JSON.parse(value) as Loaded;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill();
    await once(this.#child, 'close');
  }
}

if (process.argv[1] === self) {
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Errand))}\n`);
}
