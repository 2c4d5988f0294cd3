/**
 * One run of a program: what it says is bounded, its time is bounded, and its end is the end of everything that it
 * started. A failure is a value; only a program that cannot be started at all rejects.
 */
import { spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../clock.ts';
import type { Command } from './confine.ts';

export type ChildOptions = {
  readonly clock: Clock;
  readonly wallMs: number;
  readonly signal?: AbortSignal;
  /** Most that is kept of what it writes; more ends it. With `line`, nothing is kept. */
  readonly outputBytes?: number;
  readonly line?: (text: string) => void;
  /** All that it reads on its standard input; without it there is nothing. */
  readonly input?: Buffer;
};

export type Ran = {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** By itself; its time was up; nobody wants it any more; it said too much. */
  readonly ended: 'itself' | 'time' | 'unwanted' | 'output';
  readonly output: Buffer;
  /** The last 64 KiB of its complaints. */
  readonly complaints: string;
};

const keptComplaints = 64 * 1024;
const longestLine = 4096;
const defaultOutput = 1024 * 1024;

export const runChild = (command: Command, { clock, wallMs, signal, outputBytes = defaultOutput, line, input }: ChildOptions): Promise<Ran> =>
  new Promise((resolve, reject) => {
    let ended: Ran['ended'] = 'itself';
    if (signal?.aborted) {
      resolve({ code: null, killedBy: null, ended: 'unwanted', output: Buffer.alloc(0), complaints: '' });
      return;
    }
    // A group of its own, so that all of it can be killed at once.
    const child = spawn(command.file, command.args, { cwd: command.cwd, env: command.env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const end = (why: Ran['ended']): void => {
      if (ended === 'itself') ended = why;
      killGroup(child.pid);
    };
    const unwanted = (): void => end('unwanted');
    const cancel = clock.after(wallMs, () => end('time'));
    signal?.addEventListener('abort', unwanted, { once: true });

    const over = (): void => {
      cancel();
      signal?.removeEventListener('abort', unwanted);
    };
    child.on('error', (error) => {
      over();
      reject(error);
    });
    // Where no more files can be opened it has no pipes, and has yet to say so.
    if (!hasPipes(child)) return;
    // It may end before it has read everything; its end says so.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const complaints = new Tail(keptComplaints);
    child.stderr.on('data', (chunk: Buffer) => complaints.add(chunk));
    const output: Buffer[] = [];
    let bytes = 0;
    const lines = line && new Lines(line);
    child.stdout.on('data', (chunk: Buffer) => {
      if (lines) return lines.add(chunk);
      bytes += chunk.length;
      if (bytes > outputBytes) end('output');
      else output.push(chunk);
    });
    // What it started and left behind must not outlive it.
    child.on('exit', () => killGroup(child.pid));
    child.on('close', (code, killedBy) => {
      over();
      resolve({ code, killedBy, ended, output: Buffer.concat(output), complaints: complaints.text });
    });
  });

/** Not so where a process may open no more files, whatever the types say. */
const hasPipes = (child: { readonly stdin: Writable | null | undefined }): boolean => !!child.stdin;

/** In place of a pipe to a process that could not be given one. */
export const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** All that it started, as long as it stayed in its group; behind walls nothing leaves. */
export const killGroup = (pid: number | undefined): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left of it.
  }
};

/** The end of a text that may be endless. */
export class Tail {
  readonly #most: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < 2 * this.#most) return;
    const kept = Buffer.concat(this.#chunks).subarray(-this.#most);
    this.#chunks = [Buffer.from(kept)];
    this.#bytes = kept.length;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).subarray(-this.#most).toString();
  }
}

class Lines {
  readonly #line: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  add(chunk: Buffer): void {
    const [...parts] = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = (parts.pop() ?? '').slice(-longestLine);
    for (const part of parts) this.#line(part.slice(0, longestLine));
  }
}
