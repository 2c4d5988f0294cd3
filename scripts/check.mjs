#!/usr/bin/env node
/**
 * What can be found without running anything: types, lint with the rule of the rings, and code that nobody uses.
 * All of them run, whatever one finds. `check.test.ts` plants a fault for each and sees it caught.
 *
 *     node scripts/check.mjs [--root FOLDER]
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './lib/place.mjs';

const at = process.argv.indexOf('--root');
const project = at < 0 ? root : path.resolve(process.argv[at + 1] ?? '.');

/** @param {string} name */
const bin = (name) => path.join(project, 'node_modules/.bin', name);

/** @type {{ name: string, file: string, args: string[] }[]} */
const checks = [
  { name: 'types', file: bin('tsc'), args: ['-p', '.'] },
  { name: 'types of the web app', file: bin('tsc'), args: ['-p', 'player'] },
  { name: 'types of the scripts', file: bin('tsc'), args: ['-p', 'scripts'] },
  { name: 'lint and rings', file: bin('oxlint'), args: ['--deny-warnings'] },
  { name: 'unused code', file: bin('knip'), args: ['--no-progress'] },
];

/**
 * @param {{ name: string, file: string, args: string[] }} check
 * @returns {Promise<boolean>}
 */
const run = ({ name, file, args }) =>
  new Promise((resolve) => {
    const startedAt = performance.now();
    let output = '';
    // Where CI is set, oxlint colours what goes into a pipe, whatever NO_COLOR says.
    const { CI: _, ...env } = process.env;
    const child = spawn(file, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    /** @param {boolean} passed */
    const end = (passed) => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      console.log(`${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
      if (!passed) console.log(output.trimEnd());
      resolve(passed);
    };
    child.on('error', (error) => {
      output += error.message;
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });

let failed = 0;
for (const check of checks) {
  if (!(await run(check))) failed += 1;
}
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
