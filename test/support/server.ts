/**
 * A whole Millrace as a child process, with a data folder and ports of its own: what whole-server tests talk to.
 *
 *     const server = await startServer();  t.teardown(() => server.stop());
 *     const token = await server.login();
 *     const channel = await server.createChannel(token, { name: 'show', title: 'Show' });
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const readyWithinMs = 40_000;
const stopWithinMs = 25_000; // a graceful stop has 10 s; on a busy machine a process takes its time to start and to end
const keptLog = 256 * 1024;
/** Behind each upload and each show of each test, pictures would take what those tests need that are about something else. */
const tracksAlone = { MILLRACE_ENCODE_PIPELINES: path.join(import.meta.dirname, 'pipelines'), MILLRACE_ENCODE_PIPELINE: 'tracks' };
/**
 * What encoding costs here takes seconds of a core to find out: the first servers do, and those after them are given it. Where
 * it was found out on another machine or with another ffmpeg, they see that by themselves.
 */
const measuredBefore = path.join(root, '.cache/machine.json');
const measured = 'machine.json';

type Measure = { readonly machine: string; readonly cost: { readonly encode: Readonly<Record<string, number>> } };

/** Null: there is none, or it is none. */
const readMeasure = (file: string): Measure | null => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Measure;
  } catch {
    return null;
  }
};

/** A server measures the presets that its own ladders name, and the next one may name others: of one machine all are kept. */
const withPresets = (found: Measure | null, before: Measure | null): string => {
  const encode = found && before?.machine === found.machine ? { ...before.cost.encode, ...found.cost.encode } : found?.cost.encode;
  return JSON.stringify(found && { ...found, cost: { ...found.cost, encode } });
};

export const adminPassword = 'correct horse battery staple';

export type Ports = { readonly http: number; readonly rtmp: number; readonly srt: number };

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON (problem documents too), or the text when it is none. */
  readonly body: unknown;
};

export type Channel = {
  readonly id: string;
  readonly name: string;
  readonly page: string;
  readonly streamKey: string;
  readonly ingest: { readonly rtmp: { readonly server: string; readonly key: string }; readonly srt?: { readonly url: string } };
};

export type ServerOptions = {
  /** A folder that outlives this server, for a start on what another one left. */
  data?: string;
  ports?: Ports;
  env?: Record<string, string>;
  /** Further arguments of `serve`. */
  args?: readonly string[];
  /** It measures by itself what encoding costs, instead of taking what a server before it found out. */
  measures?: boolean;
  /** Behind what plays is made what an operator gets who has chosen nothing, with storyboards, posters, previews and texts. */
  pictures?: boolean;
};

const freeTcpPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });

const freeUdpPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createSocket('udp4');
    probe.on('error', reject);
    probe.bind(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

export const freePorts = async (): Promise<Ports> => ({
  http: await freeTcpPort(),
  rtmp: await freeTcpPort(),
  srt: await freeUdpPort(),
});

/** Starts a server and waits until it is ready. What it needs no more is removed by `stop()`. */
export const startServer = async (options: ServerOptions = {}): Promise<MillraceServer> => {
  const ports = options.ports ?? (await freePorts());
  const data = options.data ?? mkdtempSync(path.join(tmpdir(), 'millrace-test-'));
  const server = new MillraceServer(ports, data, options);
  await server.ready();
  return server;
};

export class MillraceServer {
  readonly ports: Ports;
  readonly data: string;
  readonly origin: string;
  readonly child: ChildProcess;
  #log = '';
  #ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #ownsData: boolean;

  constructor(ports: Ports, data: string, { data: given, env = {}, args = [], measures = false, pictures = false }: ServerOptions) {
    if (!measures && existsSync(measuredBefore) && !existsSync(path.join(data, measured))) {
      mkdirSync(data, { recursive: true });
      copyFileSync(measuredBefore, path.join(data, measured));
    }
    this.ports = ports;
    this.data = data;
    this.origin = `http://127.0.0.1:${ports.http}`;
    this.#ownsData = given === undefined;
    this.child = spawn(process.execPath, [path.join(root, 'scripts/launch.mjs'), 'serve', ...args], {
      cwd: root,
      env: {
        ...process.env,
        MILLRACE_HTTP_PORT: String(ports.http),
        MILLRACE_RTMP_PORT: String(ports.rtmp),
        MILLRACE_SRT_PORT: String(ports.srt),
        MILLRACE_DATA: data,
        MILLRACE_ADMIN_PASSWORD: adminPassword,
        // Tests share the machine with tests: what gives way to all of them gets a fifteenth of a core.
        MILLRACE_ENCODE_GENTLE: 'false',
        ...(pictures ? {} : tracksAlone),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-keptLog);
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.#ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => resolve({ code, signal }));
      this.child.on('error', (error) => keep(Buffer.from(`${error.message}\n`)));
    });
  }

  /** Everything that it printed (the last 256 KiB). */
  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  get ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return this.#ended;
  }

  async ready(): Promise<void> {
    const giveUpAt = performance.now() + readyWithinMs;
    while (performance.now() < giveUpAt) {
      if (!this.isRunning) throw new Error(`the server ended before it was ready:\n${this.#log}`);
      const status = await fetch(`${this.origin}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
        (response) => response.status,
        () => 0, // nobody listens yet
      );
      if (status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.kill9();
    throw new Error(`the server was not ready within ${readyWithinMs / 1000} s:\n${this.#log}`);
  }

  /** A graceful stop. A server that does not stop in time is a failed test. */
  async stop(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    let late = false;
    const tooLate = setTimeout(() => {
      late = true;
      this.child.kill('SIGKILL');
    }, stopWithinMs);
    if (this.isRunning) this.child.kill('SIGTERM');
    const end = await this.#ended;
    clearTimeout(tooLate);
    if (this.#ownsData) {
      this.#keepMeasure();
      rmSync(this.data, { recursive: true, force: true });
    }
    if (late) throw new Error(`the server did not stop within ${stopWithinMs / 1000} s of SIGTERM:\n${this.#log}`);
    return end;
  }

  #keepMeasure(): void {
    const [found, aside] = [path.join(this.data, measured), `${measuredBefore}.${process.pid}`];
    if (!existsSync(found)) return;
    mkdirSync(path.dirname(aside), { recursive: true });
    writeFileSync(aside, withPresets(readMeasure(found), readMeasure(measuredBefore)));
    renameSync(aside, measuredBefore);
  }

  /** Dies as in a power cut of the process: the data folder stays for `startServer({ data, ports })`. */
  async kill9(): Promise<void> {
    if (this.isRunning) this.child.kill('SIGKILL');
    await this.#ended;
  }

  async api(method: string, where: string, body?: unknown, token?: string, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${this.origin}${where.startsWith('/') ? where : `/api/v1/${where}`}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson && text !== '' ? JSON.parse(text) : text };
  }

  /** A request that must succeed. */
  async must<T>(method: string, where: string, body?: unknown, token?: string): Promise<T> {
    const answer = await this.api(method, where, body, token);
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${method} ${where}: ${answer.status} ${JSON.stringify(answer.body)}\n${this.#log.slice(-4096)}`);
    }
    return answer.body as T;
  }

  async login(username = 'admin', password = adminPassword): Promise<string> {
    const { token } = await this.must<{ token: string }>('POST', 'sessions', { username, password });
    return token;
  }

  createChannel(token: string, settings: { name: string; title?: string; [key: string]: unknown }): Promise<Channel> {
    return this.must<Channel>('POST', 'channels', { title: settings.name, ...settings }, token);
  }

  /** Where to push: the address that a streamer would put together from server and key. */
  rtmpUrl(channel: Channel): string {
    return `rtmp://127.0.0.1:${this.ports.rtmp}/live/${channel.ingest.rtmp.key}`;
  }

  /** The same for SRT, with the passphrase if there is one. */
  srtUrl(channel: Channel): string {
    const { srt } = channel.ingest;
    if (!srt) throw new Error('this server takes no SRT');
    return srt.url.replace(/^srt:\/\/[^?]*/, `srt://127.0.0.1:${this.ports.srt}`);
  }

  /** Where whoever watches a public channel finds what is live. */
  liveUrl(channel: { name: string }, file = 'master.m3u8'): string {
    return `${this.origin}/play/-/@${channel.name}/${file}`;
  }

  /** Waits until the channel is live for viewers; resolves with the address of its multivariant playlist. */
  async live(channel: { name: string }, timeoutMs = 30_000): Promise<string> {
    const url = this.liveUrl(channel);
    const giveUpAt = performance.now() + timeoutMs;
    for (;;) {
      const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
      await response.arrayBuffer();
      if (response.status === 200) return url;
      if (!this.isRunning) throw new Error(`the server ended:\n${this.#log}`);
      if (performance.now() > giveUpAt) throw new Error(`@${channel.name} is not live (${response.status}):\n${this.#log.slice(-4096)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
