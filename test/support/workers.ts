/** `millrace worker` as a child process, beside a whole server. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const withinMs = 60_000;

export class WorkerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #log = '';
  readonly #waiting = new Set<() => void>();

  constructor(data: string, { args = [], env = {} }: { readonly args?: readonly string[]; readonly env?: Record<string, string> } = {}) {
    this.child = spawn(process.execPath, [path.join(root, 'scripts/launch.mjs'), 'worker', ...args], { cwd: root, env: { ...process.env, MILLRACE_DATA: data, MILLRACE_ENCODE_GENTLE: 'false', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer): void => {
      this.#log = (this.#log + chunk.toString()).slice(-256 * 1024);
      for (const look of this.#waiting) look();
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.ended = new Promise((resolve) => this.child.on('close', (code, signal) => resolve({ code, signal })));
  }

  get log(): string {
    return this.#log;
  }

  /** It has said this so often. */
  async says(what: string, times = 1): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.#log.split(what).length > times) resolve();
    };
    const late = setTimeout(() => reject(new Error(`the worker has not said "${what}" ${times} times:\n${this.#log}`)), withinMs);
    void this.ended.then(() => reject(new Error(`the worker ended before it said "${what}":\n${this.#log}`)));
    this.#waiting.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(look);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    // One that stands still hears nothing.
    this.kill('SIGCONT');
    this.kill(signal);
    return this.ended;
  }
}
