/**
 * OBS itself, in a window that nobody sees, with settings of its own: what most streamers have. It is told what to do over
 * the WebSocket that it brings (obs-websocket 5), which presses its buttons.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { WebSocket } from 'ws';
import type { Clip } from './clips.ts';
import { writeObsSettings, type ObsTarget } from './obs-settings.ts';
import { until } from './playlists.ts';
import { freePorts } from './server.ts';

const knownVersions = [28, 29, 30];

/** Why OBS cannot be run here; false: it can. */
export const noObs = (): string | false => {
  const { stdout } = spawnSync('obs', ['--version'], { encoding: 'utf8' });
  const version = /OBS Studio - (\d+)/.exec(stdout ?? '')?.[1];
  if (version === undefined) return 'OBS is not installed (package obs-studio)';
  if (!knownVersions.includes(Number(version))) return `OBS ${version} keeps its settings where this test does not write them`;
  return spawnSync('Xvfb', ['-help']).error ? 'Xvfb is not installed (package xvfb)' : false;
};

/** A screen that nobody sees. */
export class Screen {
  readonly name: string;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
  }

  /** It takes a number that is free, and says which. */
  static async start(): Promise<Screen> {
    const child = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1280x720x24', '-nolisten', 'tcp', '-noreset'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(async () => said, (text) => text.endsWith('\n'), 20_000);
    return new Screen(`:${said.trim()}`, child);
  }

  stop(): void {
    this.#child.kill('SIGTERM');
  }
}

type Message = { readonly op: number; readonly d: Readonly<Record<string, unknown>> };
type Answer = { readonly requestId: string; readonly requestStatus: { readonly result: boolean; readonly comment?: string } };
const hello = 0;
const identify = 1;
const identified = 2;
const event = 5;
const request = 6;
const response = 7;
const outputEvents = 64;

const digest = (text: string): string => createHash('sha256').update(text).digest('base64');

/** The buttons of OBS. */
class Remote {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  #asked = 0;
  /** What has become of its stream, the latest last: `…STARTED`, `…RECONNECTING`, `…STOPPED`. */
  readonly states: string[] = [];
  ready = false;

  constructor(port: number, password: string) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}`);
    this.#socket.on('error', () => undefined); // not yet, or no more: `ready` says so, and who waits gives up
    this.#socket.on('close', () => this.#hungUp());
    this.#socket.on('message', (text: Buffer) => this.#heard(JSON.parse(text.toString()) as Message, password));
  }

  get closed(): boolean {
    return this.#socket.readyState > WebSocket.OPEN;
  }

  ask(requestType: string, requestData: object = {}): Promise<Answer> {
    this.#asked += 1;
    const requestId = String(this.#asked);
    return new Promise((resolve) => {
      this.#waiting.set(requestId, resolve);
      if (this.closed) this.#hungUp();
      else this.#say(request, { requestType, requestId, requestData });
    });
  }

  close(): void {
    this.#socket.terminate();
  }

  #hungUp(): void {
    for (const [requestId, answered] of this.#waiting) answered({ requestId, requestStatus: { result: false, comment: 'OBS has hung up' } });
    this.#waiting.clear();
  }

  #say(op: number, d: object): void {
    this.#socket.send(JSON.stringify({ op, d }));
  }

  #heard({ op, d }: Message, password: string): void {
    if (op === hello) {
      const { salt, challenge } = d['authentication'] as { salt: string; challenge: string };
      this.#say(identify, { rpcVersion: 1, authentication: digest(digest(password + salt) + challenge), eventSubscriptions: outputEvents });
    } else if (op === identified) {
      this.ready = true;
    } else if (op === event && d['eventType'] === 'StreamStateChanged') {
      this.states.push(String((d['eventData'] as { outputState: string }).outputState).replace('OBS_WEBSOCKET_OUTPUT_', ''));
    } else if (op === response) {
      const answer = d as Answer;
      this.#waiting.get(answer.requestId)?.(answer);
      this.#waiting.delete(answer.requestId);
    }
  }
}

const startsWithinMs = 30_000;
const keptLog = 256 * 1024;

export class Obs {
  readonly #child: ChildProcess;
  readonly #home: string;
  readonly #closed: Promise<unknown>;
  #remote: Remote | null = null;
  #log = '';

  private constructor(screen: Screen, home: string) {
    this.#home = home;
    // No `--startstreaming`: what begins before the test listens would be missed.
    this.#child = spawn('obs', ['--multi', '--disable-updater', '--disable-missing-files-check', '--disable-shutdown-check', '--unfiltered_log'], {
      cwd: home,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH: process.env['PATH'], LANG: 'C.UTF-8', HOME: home, XDG_CONFIG_HOME: home, XDG_RUNTIME_DIR: home, DISPLAY: screen.name },
        // No graphics card, and no desktop to talk to.
        ...{ QT_QPA_PLATFORM: 'xcb', LIBGL_ALWAYS_SOFTWARE: '1', DBUS_SESSION_BUS_ADDRESS: 'disabled:' },
        // Its list of services is fetched at each start, and there is no setting against it: nobody listens there.
        https_proxy: 'http://127.0.0.1:9',
      },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (chunk: Buffer) => (this.#log = (this.#log + chunk.toString()).slice(-keptLog)));
    this.#closed = once(this.#child, 'close');
  }

  /** Up, and on nobody's air yet. */
  static async start(screen: Screen, clip: Clip, target: ObsTarget): Promise<Obs> {
    const home = mkdtempSync(path.join(tmpdir(), 'millrace-obs-'));
    const remote = { port: (await freePorts()).http, password: randomBytes(12).toString('hex') };
    writeObsSettings(home, { target, clip, remote });
    const obs = new Obs(screen, home);
    await obs.#connect(remote);
    return obs;
  }

  /** It listens before it has loaded all, and hangs up or refuses until then. */
  async #connect({ port, password }: { readonly port: number; readonly password: string }): Promise<void> {
    const ready = async (): Promise<boolean> => {
      if (!this.isRunning) throw new Error(`OBS ended:\n${this.#log}`);
      if (!this.#remote || this.#remote.closed) this.#remote = new Remote(port, password);
      return this.#remote.ready && (await this.#remote.ask('GetStreamStatus')).requestStatus.result;
    };
    await until(ready, (is) => is, startsWithinMs).catch(async (error: unknown) => {
      await this.kill();
      throw new Error(`OBS cannot be told anything:\n${this.#log}`, { cause: error });
    });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }
  /** The last that it said, as *Help → Log Files* shows it. */
  get log(): string {
    return this.#log;
  }
  get #states(): readonly string[] {
    return this.#remote?.states ?? [];
  }

  /** *Settings → Stream*. */
  async setTarget(target: ObsTarget): Promise<void> {
    await this.#ask('SetStreamServiceSettings', { streamServiceType: 'rtmp_custom', streamServiceSettings: target });
  }

  /** Presses a button, and waits until its stream has become so. */
  async press(button: 'StartStream' | 'StopStream', state: string): Promise<void> {
    const before = this.#states.length;
    await this.#ask(button);
    await this.becomes(state, before);
  }

  /** Waits until its stream has become so since the n-th of its states. */
  async becomes(state: string, since = 0): Promise<void> {
    await until(async () => this.#states.slice(since), (states) => states.includes(state), 30_000).catch((error: unknown) => {
      throw new Error(`OBS did not become ${state}:\n${this.#log}`, { cause: error });
    });
  }

  /** Never closed as somebody closes its window: in the middle of a show OBS 29 sometimes crashes over that. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
    this.#tidy();
  }

  async #ask(requestType: string, requestData: object = {}): Promise<void> {
    if (!this.#remote) throw new Error('OBS is not connected');
    const { result, comment = 'refused' } = (await this.#remote.ask(requestType, requestData)).requestStatus;
    if (!result) throw new Error(`${requestType}: ${comment}\n${this.#log}`);
  }

  #tidy(): void {
    this.#remote?.close();
    rmSync(this.#home, { recursive: true, force: true });
  }
}
