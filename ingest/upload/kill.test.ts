/** Uploads over a line that breaks ten times, into a server that is killed three times, by a client that we did not write and by one that knows what it was told. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Upload } from 'tus-js-client';
import { readBootId, nodeFiles } from './files.ts';
import { readLanded } from './landed-file.ts';
import { tokenOf } from './test-desk.ts';
import { sha256Field } from './test-server.ts';

const MiB = 2 ** 20;
const child = fileURLToPath(new URL('test-child.ts', import.meta.url));
const [cuts, kills] = [10, 3];

type Test = { teardown(end: () => unknown): void; fail(why: string): unknown };

/** A line to a server, one of which is broken whenever so many bytes more have gone through it. */
class BreakingLine {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((near) => this.#join(near));
  target = 0;
  passed = 0;
  cuts = 0;
  /** Called as bytes pass; true: break it here. */
  broken: (passed: number) => boolean = () => false;

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket): void {
    const far = connect(this.target, '127.0.0.1');
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    far.pipe(near);
    near.on('data', (bytes) => {
      this.passed += bytes.length;
      if (!far.write(bytes)) near.pause();
      if (this.broken(this.passed)) this.cut();
    });
    far.on('drain', () => near.resume());
  }
}

/** The server behind the line: started again whenever it was killed. */
class Victim {
  readonly folder: string;
  readonly #args: readonly string[];
  #process: ChildProcess | null = null;
  #starting: Promise<void> = Promise.resolve();
  readonly #line: BreakingLine;
  kills = 0;
  /** What every killed server left behind is looked at before the next one starts. */
  inspect: () => Promise<void> = async () => undefined;

  constructor(folder: string, line: BreakingLine, args: readonly string[]) {
    this.folder = folder;
    this.#line = line;
    this.#args = args;
  }

  async start(): Promise<void> {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    this.#line.target = (probe.address() as AddressInfo).port;
    probe.close();
    this.#process = spawn(process.execPath, [child, this.folder, String(this.#line.target), ...this.#args], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (this.#process.stdout) await once(this.#process.stdout, 'data');
  }

  kill(): void {
    this.kills += 1;
    this.#starting = this.#killAndStart();
  }

  async #killAndStart(): Promise<void> {
    await this.end();
    await this.inspect();
    await this.start();
  }

  async end(): Promise<void> {
    const dying = this.#process;
    if (!dying || dying.exitCode !== null || dying.signalCode !== null) return;
    const dead = once(dying, 'close');
    dying.kill('SIGKILL');
    await dead;
  }

  async settled(): Promise<void> {
    await this.#starting;
  }
}

const stage = async (t: Test, bytes: Buffer, partSize: number) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kill-upload-'));
  const line = new BreakingLine();
  const port = await line.listen();
  const victim = new Victim(folder, line, [String(bytes.length), String(partSize)]);
  t.teardown(async () => {
    await victim.settled();
    await victim.end();
    line.close();
    await rm(folder, { recursive: true, force: true });
  });
  await victim.start();
  const path = join(folder, 'original');
  const boot = await readBootId();
  let inspected = 0;
  victim.inspect = async () => {
    const landed = (await readLanded(nodeFiles, path, bytes.length, boot))?.landed;
    const found = existsSync(path) ? await readFile(path) : Buffer.alloc(0);
    for (const [from, to] of landed?.ranges(1000) ?? []) {
      inspected += to - from;
      if (!found.subarray(from, to).equals(bytes.subarray(from, to))) t.fail(`${from} to ${to} is claimed and not there`);
    }
  };
  // Thirteen breaks, evenly over the bytes of the file; every fourth one is the server's.
  const every = bytes.length / (cuts + kills + 1);
  let next = every;
  line.broken = (passed) => {
    if (passed < next || line.cuts + victim.kills >= cuts + kills) return false;
    next = passed + every;
    if ((line.cuts + victim.kills) % 4 === 3 && victim.kills < kills) victim.kill();
    else line.cuts += 1;
    return true;
  };
  return { victim, line, path, address: `http://127.0.0.1:${port}/upload/${tokenOf('killed')}`, port, inspected: () => inspected };
};

t.test('tus-js-client', async (t) => {
  const bytes = randomBytes(32 * MiB + 4321);
  const { victim, line, path, address, inspected } = await stage(t, bytes, 8 * MiB);
  await new Promise<void>((resolve, reject) => {
    const upload = new Upload(bytes, {
      uploadUrl: address,
      uploadSize: bytes.length,
      retryDelays: Array.from({ length: 100 }, () => 50),
      onError: reject,
      onSuccess: () => resolve(),
    });
    upload.start();
  });
  await victim.settled();
  t.same([line.cuts, victim.kills], [cuts, kills]);
  t.ok(line.passed < 1.6 * bytes.length, `${(line.passed / bytes.length).toFixed(2)} times its bytes were sent`);
  t.ok(inspected() > bytes.length / 4, 'kills found claims');
  t.ok((await readFile(path)).equals(bytes), 'byte for byte');
  t.ok(existsSync(join(victim.folder, 'whole')));
  t.notOk(existsSync(`${path}.landed`));
});

t.test('parts, four at once', async (t) => {
  const partSize = MiB / 2;
  const bytes = randomBytes(32 * MiB + 1234);
  const { victim, line, path, address, port, inspected } = await stage(t, bytes, partSize);
  const ask = (method: string, at: string, body?: Buffer): Promise<{ status: number; json: { landed?: [number, number][] } }> =>
    new Promise((resolve) => {
      const digest = body ? { 'content-digest': sha256Field(body), 'content-length': String(body.length) } : {};
      const outgoing = request({ host: '127.0.0.1', port, method, path: new URL(address).pathname + at, agent: false, headers: digest }, (incoming) => {
        let text = '';
        incoming.on('data', (piece) => (text += String(piece)));
        incoming.on('error', () => resolve({ status: 0, json: {} }));
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, json: text === '' ? {} : JSON.parse(text) }));
      });
      outgoing.on('error', () => resolve({ status: 0, json: {} }));
      outgoing.end(body);
    });
  const parts = Array.from({ length: Math.ceil(bytes.length / partSize) }, (_, part) => part);
  // From the end to the beginning, so that it is no matter of order.
  const todo = [...parts].reverse();
  const acknowledged = new Set<number>();
  const inspect = victim.inspect;
  victim.inspect = async () => {
    await inspect();
    const landed = (await readLanded(nodeFiles, path, bytes.length, await readBootId()))?.landed;
    for (const part of acknowledged) if (!landed?.has(part * partSize, Math.min(bytes.length, (part + 1) * partSize))) t.fail(`part ${part} was acknowledged, and is not claimed`);
  };
  const work = async (): Promise<void> => {
    for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
      const { status } = await ask('PUT', `/parts/${part}`, bytes.subarray(part * partSize, (part + 1) * partSize));
      if (status === 204) {
        acknowledged.add(part);
        continue;
      }
      if (status !== 0 && status < 500 && status !== 409) return void t.fail(`part ${part}: ${status}`);
      todo.push(part);
      await sleep(20);
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  await victim.settled();
  t.same([line.cuts, victim.kills, acknowledged.size], [cuts, kills, parts.length]);
  t.same((await ask('GET', '/status')).json.landed, [[0, bytes.length]]);
  t.equal((await ask('POST', '/finish')).status, 200);
  t.ok(inspected() > 4 * partSize, 'kills found claims');
  t.ok((await readFile(path)).equals(bytes), 'byte for byte');
  t.notOk(existsSync(`${path}.landed`));
});
