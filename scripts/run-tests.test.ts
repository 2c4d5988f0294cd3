/** What a run makes of files that fail: a planted file that always does, and one that does the first time. */
import t, { type Test } from 'tap';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

const planted = {
  sound: "import t from 'tap';\nt.ok(true);\n",
  broken: "import t from 'tap';\nt.ok(false, 'always');\n",
  // A file beside it remembers that it ran before.
  unsteady:
    "import t from 'tap';\nimport { existsSync, writeFileSync } from 'node:fs';\nconst ran = new URL('ran', import.meta.url);\n" +
    "t.ok(existsSync(ran), 'not the first time');\nwriteFileSync(ran, '');\n",
  // The first time it waits for what never comes, beside a child that would outlive it.
  hanging:
    "import t from 'tap';\nimport { spawn } from 'node:child_process';\nimport { existsSync, writeFileSync } from 'node:fs';\n" +
    "const child = new URL('child', import.meta.url);\nt.test('waits', async (t) => {\n  t.ok(true);\n  if (existsSync(child)) return;\n" +
    "  writeFileSync(child, String(spawn('sleep', ['600'], { stdio: 'ignore' }).pid));\n  await new Promise(() => setInterval(() => {}, 1000));\n});\n",
};

const run = (t: Test, files: readonly (keyof typeof planted)[], args: readonly string[]) => {
  const project = mkdtempSync(path.join(tmpdir(), 'millrace-runs-'));
  t.teardown(() => rmSync(project, { recursive: true, force: true }));
  cpSync(path.join(root, 'scripts'), path.join(project, 'scripts'), { recursive: true, filter: (file) => !file.endsWith('.test.ts') });
  cpSync(path.join(root, '.taprc'), path.join(project, '.taprc'));
  symlinkSync(path.join(root, 'node_modules'), path.join(project, 'node_modules'));
  const runner = path.join(project, 'scripts/run-tests.mjs');
  if (files.includes('hanging')) writeFileSync(runner, readFileSync(runner, 'utf8').replace('timeoutSeconds: 120,', 'timeoutSeconds: 10,'));
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'planted', version: '0.0.0', type: 'module' }));
  mkdirSync(path.join(project, 'test'));
  for (const file of files) writeFileSync(path.join(project, `test/${file}.test.ts`), planted[file]);
  // tap tells the runs below it where to report to: this one is not below it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:TAP|NODE_OPTIONS|_TAPJS)/.test(name)));
  const { stdout, stderr, status } = spawnSync(process.execPath, [runner, 'test', ...args], { encoding: 'utf8', env });
  return { output: stdout + stderr, status, project };
};

t.test('a file that fails fails the run', (t) => {
  const { output, status } = run(t, ['sound', 'unsteady'], []);
  t.match(output, /^ok {4} test\/sound\.test\.ts/m, output);
  t.match(output, /^FAILED test\/unsteady\.test\.ts/m, output);
  t.match(output, /^1 passed, 1 failed$/m, output);
  t.equal(status, 1);
  t.end();
});

t.test('where it may run again, one that passes by itself is named, and fails nobody', (t) => {
  const { output, status } = run(t, ['sound', 'unsteady'], ['--again']);
  t.match(output, /^UNSTEADY test\/unsteady\.test\.ts/m, output);
  t.match(output, /^1 passed, 0 failed$/m, output);
  t.equal(status, 0);
  t.end();
});

t.test('one that fails again has failed', (t) => {
  const { output, status } = run(t, ['sound', 'broken', 'unsteady'], ['--again']);
  t.match(output, /^UNSTEADY test\/unsteady\.test\.ts/m, output);
  t.notMatch(output, /^UNSTEADY test\/broken/m, output);
  t.match(output, /^1 passed, 1 failed$/m, output);
  t.equal(status, 1);
  t.end();
});

t.test('one that hung is cut off with what it started, and runs again', (t) => {
  const { output, status, project } = run(t, ['hanging'], ['--again']);
  t.match(output, /^UNSTEADY test\/hanging\.test\.ts/m, output);
  t.match(output, /^1 passed, 0 failed$/m, output);
  t.equal(status, 0);
  const facts = `/proc/${readFileSync(path.join(project, 'test/child'), 'utf8')}/cmdline`;
  // One that is dead has none, even where nobody asks for its exit code.
  t.notOk(existsSync(facts) && readFileSync(facts, 'utf8'), 'what it started has ended');
  t.end();
});
