#!/usr/bin/env node
/**
 * The two test runs, from an explicit list of files, so that nothing is found by accident or lost in silence.
 *
 *     run-tests.mjs test  [part of a path …]   every *.test.ts, two files at a time, 120 s each
 *     run-tests.mjs prove [part of a path …]   every test/prove/*.prove.ts, one at a time, 20 minutes each
 *
 * Both go on after a failure and end with a line `N passed, N failed` that counts assertions as tap counts them.
 * A run without a single test is a failed run, and so is a file without one.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { inRoot, SetupError } from './lib/place.mjs';
import { runTap } from './lib/tap-run.mjs';

const runs = {
  test: {
    folders: ['packager', 'ingest', 'server', 'lint', 'player/src', 'scripts', 'test', 'bench'],
    ending: '.test.ts',
    together: true,
    jobs: 2,
    timeoutSeconds: 120,
  },
  prove: { folders: ['test/prove'], ending: '.prove.ts', together: false, jobs: 1, timeoutSeconds: 20 * 60 },
};

/** @param {string} folder @param {string} ending @returns {string[]} */
const filesBelow = (folder, ending) =>
  readdirSync(inRoot(folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(file, ending);
    return entry.name.endsWith(ending) ? [file] : [];
  });

/** @param {string[]} files @param {typeof runs.prove} run */
const oneByOne = async (files, run) => {
  const sum = { passed: 0, failed: 0 };
  for (const file of files) {
    const count = await runTap([file], run);
    sum.passed += count.passed;
    sum.failed += count.failed;
  }
  return sum;
};

const [name = '', ...filters] = process.argv.slice(2);
if (name !== 'test' && name !== 'prove') {
  console.error('usage: run-tests.mjs test|prove [part of a path …]');
  process.exit(2);
}
const run = runs[name];
const files = run.folders
  .filter((folder) => existsSync(inRoot(folder)))
  .flatMap((folder) => filesBelow(folder, run.ending))
  .filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)))
  .sort();

try {
  const count = run.together && files.length > 0 ? await runTap(files, run) : await oneByOne(files, runs.prove);
  if (count.passed + count.failed === 0) {
    console.log(filters.length > 0 ? `FAILED: no test file matches ${filters.join(' ')}` : 'FAILED: no tests were run');
    count.failed = 1;
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exitCode = count.failed === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
