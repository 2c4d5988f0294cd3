#!/usr/bin/env node
/**
 * Starts the server's command line under Node 24 with what must be in the environment before a process begins:
 * the size of libuv's thread pool (file reads, hashes and password hashing share it), the compile cache, and how
 * glibc keeps memory: by default each thread that has hashed a password holds on to its 19 MB for ever.
 *
 * Under Node 24 this process *becomes* the server (execve), so there is no parent that could die without it and no
 * signal to pass on. An older Node cannot do that: it starts a child, passes signals on and ends as the child ended.
 */
import { spawn } from 'node:child_process';
import { inCache, inRoot, say, SetupError } from './lib/place.mjs';
import { requireNode24 } from './lib/node24.mjs';

const environment = () => ({
  ...process.env,
  UV_THREADPOOL_SIZE: process.env.UV_THREADPOOL_SIZE ?? '16',
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? inCache('compile'),
  MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX ?? '2',
  MALLOC_MMAP_THRESHOLD_: process.env.MALLOC_MMAP_THRESHOLD_ ?? '1048576',
});

/**
 * Where there is much memory, V8 lets short-lived objects pile up to 128 MiB before it looks: memory that a busy server never
 * gives back, for no time that could be measured.
 */
const heap = ['--max-semi-space-size=16'];

/** @param {string} node @param {string[]} args */
const startChild = (node, args) => {
  const child = spawn(node, args, { stdio: 'inherit', env: environment() });
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => child.kill(signal);
  process.on('SIGTERM', passOn);
  process.on('SIGHUP', passOn);
  process.on('SIGINT', (signal) => {
    // Ctrl-C reaches the whole foreground group: passing it on would make it the second one, which means "now".
    if (!process.stdin.isTTY) passOn(signal);
  });
  child.on('error', (error) => {
    say(`Node 24 could not start: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};

try {
  const node = requireNode24();
  const args = [...heap, ...process.execArgv, inRoot('server/cli.ts'), ...process.argv.slice(2)];
  if (node === process.execPath && typeof process.execve === 'function') {
    process.removeAllListeners('warning'); // execve is marked experimental
    process.execve(node, [node, ...args], environment());
  } else {
    startChild(node, args);
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
