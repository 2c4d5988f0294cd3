#!/usr/bin/env node
/**
 * The two test runs, from an explicit list of files, so that nothing is found by accident or lost in silence.
 *
 *     run-tests.mjs test  [--again] [part of a path …]   every *.test.ts, 120 s each
 *     run-tests.mjs prove [--again] [part of a path …]   every test/prove/*.prove.ts, 15 minutes each
 *
 * Which of them run side by side is `lib/lanes.mjs`'s.
 *
 * Both go on after a failure and end with a line `N passed, N failed` that counts assertions as tap counts them.
 * A run without a single test is a failed run, and so is a file without one.
 *
 * `--again`: up to six files that failed are run once more, each with the machine to itself. One that passes then was
 * starved, or is unsteady: it does not fail the run, and is named at its end, to be mended.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { oneByOne, provePhases, testPhases } from './lib/lanes.mjs';
import { inRoot, SetupError } from './lib/place.mjs';
import { wasStopped } from './lib/test-file.mjs';
import { runFiles } from './lib/test-files.mjs';

const runs = {
  test: {
    folders: ['packager', 'ingest', 'server', 'lint', 'player/src', 'scripts', 'test', 'bench'],
    ending: '.test.ts',
    phasesOf: testPhases,
    timeoutSeconds: 120,
  },
  prove: {
    folders: ['test/prove'],
    ending: '.prove.ts',
    phasesOf: provePhases,
    // `MILLRACE_PROVE_SECONDS` makes some of them longer.
    timeoutSeconds: Math.max(15 * 60, Number(process.env.MILLRACE_PROVE_SECONDS ?? 0) + 5 * 60),
  },
};

/** @param {string} folder @param {string} ending @returns {string[]} */
const filesBelow = (folder, ending) =>
  readdirSync(inRoot(folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(file, ending);
    return entry.name.endsWith(ending) ? [file] : [];
  });

/** @param {import('./lib/test-files.mjs').Count} count */
const sumOf = ({ passed, failed }) => `${passed} passed, ${failed} failed`;

const mostAgain = 6;

/**
 * More files than a few are no bad luck.
 * @param {import('./lib/test-files.mjs').Count} first @param {number} timeoutSeconds
 */
const onceMore = async (first, timeoutSeconds) => {
  const { failedFiles } = first;
  if (wasStopped() || failedFiles.length === 0 || failedFiles.length > mostAgain) return first;
  // Whoever ends this run in the middle has the result of the first one.
  console.log(`${sumOf(first)}\nOnce more, one at a time: ${failedFiles.join(', ')}`);
  const second = await runFiles(oneByOne(failedFiles), timeoutSeconds);
  const unsteady = failedFiles.filter((file) => !second.failedFiles.includes(file));
  for (const file of unsteady) console.log(`UNSTEADY ${file}: it failed, and passed by itself`);
  return { ...second, passed: first.passed };
};

const [name = '', ...rest] = process.argv.slice(2);
const again = rest.includes('--again');
const filters = rest.filter((part) => part !== '--again');
if (name !== 'test' && name !== 'prove') {
  console.error('usage: run-tests.mjs test|prove [--again] [part of a path …]');
  process.exit(2);
}
const run = runs[name];
const files = run.folders
  .filter((folder) => existsSync(inRoot(folder)))
  .flatMap((folder) => filesBelow(folder, run.ending))
  .filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)))
  .sort();

try {
  const first = await runFiles(run.phasesOf(files), run.timeoutSeconds);
  const count = again ? await onceMore(first, run.timeoutSeconds) : first;
  if (count.passed + count.failed === 0) {
    console.log(filters.length > 0 ? `FAILED: no test file matches ${filters.join(' ')}` : 'FAILED: no tests were run');
    count.failed = 1;
  }
  if (wasStopped()) {
    console.log('FAILED: it was stopped before its end');
    count.failed += 1;
  }
  console.log(sumOf(count));
  process.exitCode = count.failed === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
