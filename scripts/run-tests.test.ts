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
  // Nobody inside it can say what is wrong any more.
  looping: "import t from 'tap';\nt.ok(true);\nfor (;;);\n",
  crashing: "import t from 'tap';\nt.test('dies', async (t) => {\n  t.ok(true);\n  process.kill(process.pid, 'SIGSEGV');\n  await new Promise(() => setInterval(() => {}, 1000));\n});\n",
  leaving: "import t from 'tap';\nt.ok(true);\nprocess.exitCode = 3;\n",
  empty: "import 'tap';\n",
  // What it leaves behind holds on to its output.
  'leaving-child':
    "import t from 'tap';\nimport { spawn } from 'node:child_process';\nimport { writeFileSync } from 'node:fs';\nt.ok(true);\n" +
    "const child = spawn('sleep', ['600'], { stdio: 'inherit' });\nchild.unref();\nwriteFileSync(new URL('child', import.meta.url), String(child.pid));\n",
};

const run = (t: Test, files: readonly (keyof typeof planted)[], args: readonly string[], limitSeconds = 120) => {
  const project = mkdtempSync(path.join(tmpdir(), 'millrace-runs-'));
  t.teardown(() => rmSync(project, { recursive: true, force: true }));
  cpSync(path.join(root, 'scripts'), path.join(project, 'scripts'), { recursive: true, filter: (file) => !file.endsWith('.test.ts') });
  cpSync(path.join(root, '.taprc'), path.join(project, '.taprc'));
  symlinkSync(path.join(root, 'node_modules'), path.join(project, 'node_modules'));
  const runner = path.join(project, 'scripts/run-tests.mjs');
  writeFileSync(runner, readFileSync(runner, 'utf8').replace('timeoutSeconds: 120,', `timeoutSeconds: ${limitSeconds},`));
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'planted', version: '0.0.0', type: 'module' }));
  mkdirSync(path.join(project, 'test'));
  for (const file of files) writeFileSync(path.join(project, `test/${file}.test.ts`), planted[file]);
  const { stdout, stderr, status } = spawnSync(process.execPath, [runner, 'test', ...args], { encoding: 'utf8' });
  return { output: stdout + stderr, status, project };
};

/** The child that a planted file started. */
const isRunning = (project: string): boolean => {
  const facts = `/proc/${readFileSync(path.join(project, 'test/child'), 'utf8')}/cmdline`;
  // One that is dead has none, even where nobody asks for its exit code.
  return existsSync(facts) && readFileSync(facts, 'utf8') !== '';
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
  const { output, status, project } = run(t, ['hanging'], ['--again'], 10);
  t.match(output, /^FAILED test\/hanging\.test\.ts .*cut off after 10 s$/m, output);
  t.match(output, /waits/, 'the test that hung is named');
  t.match(output, /^UNSTEADY test\/hanging\.test\.ts/m, output);
  t.match(output, /^1 passed, 0 failed$/m, output);
  t.equal(status, 0);
  t.notOk(isRunning(project), 'what it started has ended');
  t.end();
});

t.test('one that nothing can be asked of is cut off too', (t) => {
  const { output, status } = run(t, ['looping'], [], 3);
  t.match(output, /^FAILED test\/looping\.test\.ts .*cut off after 3 s$/m, output);
  t.match(output, /^0 passed, 1 failed$/m, output);
  t.equal(status, 1);
  t.end();
});

t.test('one that dies, one that ends badly and one without a test have failed, and say why', (t) => {
  const { output, status } = run(t, ['crashing', 'leaving', 'empty', 'sound'], []);
  t.match(output, /^FAILED test\/crashing\.test\.ts .*SIGSEGV$/m, output);
  t.match(output, /^FAILED test\/leaving\.test\.ts .*exit code 3$/m, output);
  t.match(output, /^FAILED test\/empty\.test\.ts .*no tests$/m, output);
  t.match(output, /^2 passed, 3 failed$/m, output);
  t.equal(status, 1);
  t.end();
});

t.test('what a file leaves behind is ended with it, and holds up nobody', (t) => {
  const { output, status, project } = run(t, ['leaving-child'], []);
  t.match(output, /^1 passed, 0 failed$/m, output);
  t.equal(status, 0);
  t.notOk(isRunning(project), 'the child has ended');
  t.end();
});
