/**
 * One test file in a process of its own, and what became of it. A file prints plain TAP where TAP=1 says so, with a
 * count of its own at the end, so it needs none of tap's own runner, which puts a loader in front of every file (for
 * coverage that nobody asks for here): on small files that took longer than the tests.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { inCache, root } from './place.mjs';
import { requireNode24 } from './node24.mjs';

/** @typedef {{ file: string, passed: number, failed: number, seconds: number, reason: string, kept: string[] }} Result */

// Passed assertions, plans and empty lines say nothing to whoever looks for the failure.
const isNoise = /^\s*(?:ok \d|1\.\.\d|$|TAP version)/;
const beginOfTap = /^TAP version/;
const sumOfTap = /^# \{ total: \d+(?:, pass: (\d+))?(?:, fail: (\d+))?.*\}$/;
const maxKeptLines = 2000;

// A file that is told SIGALRM says which of its tests hung, and on what.
const timeToTellMs = 3_000;
const timeToReadMs = 2_000;
const timeToStopMs = 5_000;

/** Files that run: what they are told when this run is to end. @type {Set<(signal: NodeJS.Signals) => void>} */
const running = new Set();
let stopped = false;
/** Somebody wants this to end: what is running was told so, and nothing more is to begin. */
export const wasStopped = () => stopped;
for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP'])) {
  process.on(signal, () => {
    stopped = true;
    for (const tell of running) tell(signal);
    setTimeout(() => {
      for (const tell of running) tell('SIGKILL');
    }, timeToStopMs).unref();
  });
}

/** @param {AsyncIterable<string>} lines */
const follow = async (lines) => {
  /** @type {{ passed: number, failed: number } | undefined} */
  let count;
  let began = false; // tap prints nothing at all for a file without a test
  /** @type {string[]} */
  const kept = [];
  for await (const line of lines) {
    began ||= beginOfTap.test(line);
    const sum = sumOfTap.exec(line);
    if (sum) count = { passed: Number(sum[1] ?? 0), failed: Number(sum[2] ?? 0) };
    else if (!isNoise.test(line) && kept.length < maxKeptLines) kept.push(line);
  }
  return { count, kept, began };
};

/** @param {number | null} code @param {NodeJS.Signals | null} signal */
const howItEnded = (code, signal) => (signal ? `it was ended by ${signal}` : code === 0 ? '' : `it ended with exit code ${code}`);

/**
 * @param {string} file
 * @param {number} timeoutSeconds
 * @returns {Promise<Result>}
 */
export const runFile = async (file, timeoutSeconds) => {
  const node = requireNode24();
  const start = performance.now();
  const child = spawn(node, [file], {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`,
      TAP: '1',
      // Without it a file has 30 s. The limit is kept here: one that is stuck in a loop cannot keep its own.
      TAP_TIMEOUT: String(timeoutSeconds + 60),
      // The same sources start hundreds of times: they are parsed, and their types taken out, once.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? inCache('compile'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, so that what a file leaves behind (servers, senders) can be ended with it.
    detached: true,
  });
  /** @param {NodeJS.Signals} signal */
  const tell = (signal) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // Nobody is left.
    }
  };
  running.add(tell);
  let late = false;
  /** @type {NodeJS.Timeout[]} */
  const timers = [];
  timers.push(
    setTimeout(() => {
      late = true;
      child.kill('SIGALRM');
      timers.push(setTimeout(() => tell('SIGKILL'), timeToTellMs));
    }, timeoutSeconds * 1000),
  );
  const output = follow(createInterface({ input: child.stdout }));
  /** @type {string} */
  const ended = await new Promise((resolve) => {
    child.on('error', (error) => resolve(`it could not be started: ${error.message}`));
    child.on('exit', (code, signal) => resolve(howItEnded(code, signal)));
  });
  const seconds = (performance.now() - start) / 1000;
  for (const timer of timers) clearTimeout(timer);
  tell('SIGKILL');
  running.delete(tell);
  // What left the group and holds on to the output of a file that has ended holds up nobody.
  const unread = setTimeout(() => child.stdout.destroy(), timeToReadMs);
  const { count, kept, began } = await output;
  clearTimeout(unread);
  const { passed, failed } = count ?? { passed: 0, failed: 0 };
  const unfinished = began ? 'its results have no end' : 'it has no tests';
  const reason = late ? `it was cut off after ${timeoutSeconds} s` : ended || (count ? '' : unfinished);
  return { file, passed, failed: reason === '' ? failed : Math.max(1, failed), seconds, reason, kept };
};
