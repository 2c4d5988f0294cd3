/**
 * One run of tap over some files: a line for each file as it ends, the failures in full, and the count of
 * assertions. tap's own reporters draw over their lines when nobody is there to see it, so its plain TAP is read.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { inRoot, root } from './place.mjs';
import { requireNode24 } from './node24.mjs';

/** @typedef {{ passed: number, failed: number, failedFiles: string[] }} Count */

// Passed assertions, plans and empty lines say nothing to whoever looks for the failure.
const isNoise = /^\s*(?:ok \d|1\.\.\d|$|TAP version)/;
const endOfFile = /^(ok|not ok) \d+ - (\S+)(.*)$/;
const sumOfTap = /^# \{ total: \d+(?:, pass: (\d+))?(?:, fail: (\d+))?.*\}$/;
// Of a file that hung tap says only here which one it was: beside its own line, or instead of it.
const timedOut = 'timeout!';
const expiredFile = /^ {2}expired: (\S+)$/;
const maxKeptLines = 2000;

/**
 * @param {AsyncIterable<string>} lines
 * @returns {Promise<Count>}
 */
const follow = async (lines) => {
  /** @type {{ passed: number, failed: number } | undefined} */
  let count;
  let without = 0;
  /** @type {string[]} */
  const failedFiles = [];
  let inFailure = false; // what tap knows about a failed file stands below its line
  /** @type {string[]} */
  let kept = [];
  for await (const line of lines) {
    const end = endOfFile.exec(line);
    const sum = sumOfTap.exec(line);
    const expired = inFailure ? expiredFile.exec(line)?.[1] : undefined;
    if (expired !== undefined && !failedFiles.includes(expired)) failedFiles.push(expired);
    if (end) {
      const [, verdict, file = '', rest = ''] = end;
      const hasNone = /# SKIP/i.test(rest) && !kept.some((keptLine) => keptLine.startsWith('    '));
      const time = /time=([\d.]+)ms/.exec(rest)?.[1];
      const seconds = time ? ` (${(Number(time) / 1000).toFixed(1)} s)` : '';
      if (hasNone) without += 1;
      inFailure = verdict === 'not ok';
      if (inFailure) console.log(kept.join('\n'));
      if ((inFailure || hasNone) && file !== timedOut) failedFiles.push(file);
      console.log(`${verdict === 'ok' && !hasNone ? 'ok    ' : 'FAILED'} ${file}${seconds}${hasNone ? ': it has no tests' : ''}`);
      kept = [];
    } else if (sum) {
      count = { passed: Number(sum[1] ?? 0), failed: Number(sum[2] ?? 0) };
    } else if (inFailure && line.startsWith('  ')) {
      console.log(line);
    } else if (!isNoise.test(line) && kept.length < maxKeptLines) {
      inFailure = false;
      kept.push(line);
    }
  }
  if (count) return { passed: count.passed, failed: count.failed + without, failedFiles };
  // tap ends with its sum; without it the run was cut off.
  console.log([...kept, 'FAILED: the results of tap have no end'].join('\n'));
  return { passed: 0, failed: 1, failedFiles: [] };
};

let stopped = false;
/** Somebody wants this to end: what is running was told so, and nothing more is to begin. */
export const wasStopped = () => stopped;
const stopSignals = /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP']);
const patienceMs = 5_000;

/**
 * @param {string[]} files
 * @param {{ jobs: number, timeoutSeconds: number }} limits
 * @returns {Promise<Count>}
 */
export const runTap = async (files, { jobs, timeoutSeconds }) => {
  const node = requireNode24();
  const args = [inRoot('node_modules/tap/dist/esm/run.mjs'), 'run', '--reporter=tap'];
  const child = spawn(node, [...args, `--jobs=${jobs}`, `--timeout=${timeoutSeconds}`, ...files], {
    cwd: root,
    // tap starts the files with the first node of PATH.
    env: { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}` },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, so that what a file leaves behind that was cut off (servers, senders) can be ended with it.
    detached: true,
  });
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // Nobody is left.
    }
  };
  /** @param {NodeJS.Signals} signal */
  const stop = (signal) => {
    stopped = true;
    passOn(signal);
    setTimeout(() => passOn('SIGKILL'), patienceMs).unref();
  };
  for (const signal of stopSignals) process.on(signal, stop);
  const closed = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const count = await follow(createInterface({ input: child.stdout }));
  const code = await closed;
  passOn('SIGKILL');
  for (const signal of stopSignals) process.off(signal, stop);
  // tap has reasons of its own to fail, such as a file that vanished.
  return code !== 0 && count.failed === 0 ? { passed: count.passed, failed: 1, failedFiles: [] } : count;
};
