/** A check that cannot fail is a defect: each is seen to pass a sound project and to fail a planted fault. */
import t, { type Test } from 'tap';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

const write = (project: string, files: Record<string, string>) => {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(project, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
};

/** A project of a few lines under the real rules. Not below this one, whose .gitignore would hide it from lint. */
const soundProject = (t: Test) => {
  const project = mkdtempSync(path.join(tmpdir(), 'millrace-check-'));
  t.teardown(() => rmSync(project, { recursive: true, force: true }));
  for (const file of ['tsconfig.json', '.oxlintrc.json', 'knip.json', 'player/tsconfig.json']) {
    cpSync(path.join(root, file), path.join(project, file), { recursive: true });
  }
  cpSync(path.join(root, 'scripts'), path.join(project, 'scripts'), {
    recursive: true,
    filter: (file) => !file.endsWith('.test.ts'),
  });
  symlinkSync(path.join(root, 'node_modules'), path.join(project, 'node_modules'));
  const { bin } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { bin: Record<string, string> };
  write(project, {
    'package.json': JSON.stringify({ name: 'planted', version: '0.0.0', type: 'module', bin }),
    'packager/clock.ts': 'export const now = (): number => 1;\n',
    'packager/media/unit.ts': "import { now } from '../clock.ts';\nexport const unit = (): number => now();\n",
    'packager/log/log.ts': 'export const append = (size: number): number => size;\n',
    'ingest/rtmp/session.ts':
      "import { unit } from '../../packager/media/unit.ts';\nimport { now } from '../../packager/clock.ts';\n" +
      'export const session = (): number => unit() + now();\n',
    'server/cli.ts':
      "import { session } from '../ingest/rtmp/session.ts';\nimport { append } from '../packager/log/log.ts';\n" +
      'process.exitCode = append(session());\n',
    'lint/cli.ts': "import { rule } from './rules/rule.ts';\nprocess.exitCode = rule();\n",
    'lint/rules/rule.ts': 'export const rule = (): number => 0;\n',
    'player/src/main.tsx': "document.title = 'Millrace';\n",
  });
  return project;
};

/** What one check wrote. */
const partOf = (output: string, name: string) =>
  new RegExp(`^FAILED ${name} [^]*?(?=^(?:ok {4}|FAILED|\\d+ passed))`, 'm').exec(output)?.[0] ?? '';

const check = (project: string) => {
  const args = [path.join(root, 'scripts/check.mjs'), '--root', project];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { output: stdout, status };
};

t.test('a sound project passes every check', async (t) => {
  const { output, status } = check(soundProject(t));
  t.match(output, /^5 passed, 0 failed$/m, output);
  t.equal(status, 0);
});

t.test('a fault planted for each check is caught by it', async (t) => {
  const project = soundProject(t);
  write(project, {
    'packager/log/log.ts': "export const append = (size: number): number => size;\nexport const wrong: number = 'text';\n",
    'player/src/main.tsx': "const title: number = 'Millrace';\ndocument.title = String(title);\n",
    'scripts/planted.mjs': "/** @type {number} */\nexport const wrong = 'text';\n",
    'packager/forgotten.ts': 'export const forgotten = 1;\n',
  });
  const { output, status } = check(project);
  t.equal(status, 1);
  t.match(output, /FAILED types \(.*\n.*packager\/log\/log\.ts\(2,14\): error TS2322/);
  t.match(output, /FAILED types of the web app \(.*\n.*player\/src\/main\.tsx\(1,7\): error TS2322/);
  t.match(output, /FAILED types of the scripts \(.*\n.*scripts\/planted\.mjs\(2,14\): error TS2322/);
  t.match(output, /FAILED unused code[^]*packager\/forgotten\.ts/);
  t.match(output, /FAILED unused code[^]*wrong\s+packager\/log\/log\.ts/);
  t.match(output, /^1 passed, 4 failed$/m);
});

t.test('no ring imports outward, in whatever way it is written', async (t) => {
  const project = soundProject(t);
  write(project, {
    'packager/static.ts': "import { session } from '../ingest/rtmp/session.ts';\nsession();\n",
    'packager/reexport.ts': "export { session } from '../ingest/rtmp/session.ts';\n",
    'packager/cmaf/types.ts': "import type { Config } from '../../server/config.ts';\nexport type C = Config;\n",
    'packager/dynamic.ts': "await import('../server/config.ts');\n",
    'ingest/rtmp/writes.ts': "import { append } from '../../packager/log/log.ts';\nappend(1);\n",
    'ingest/rtmp/serves.ts': "import '../../server/config.ts';\n",
    'server/shows.ts': "import '../player/src/main.tsx';\n",
    'player/src/reads.ts': "import '../../server/config.ts';\n",
    'lint/rules/shares.ts': "import { unit } from '../../packager/media/unit.ts';\nunit();\n",
    'packager/prints.ts': "console.log('a library does not print');\n",
  });
  const { output, status } = check(project);
  t.equal(status, 1);
  const lint = partOf(output, 'lint and rings');
  const outward = [...lint.matchAll(/no-restricted-imports[^\n]*\n[^[]*\[([^:]+)/g)].map((match) => match[1]);
  t.same(outward.sort(), [
    'ingest/rtmp/serves.ts',
    'ingest/rtmp/writes.ts',
    'lint/rules/shares.ts',
    'packager/cmaf/types.ts',
    'packager/dynamic.ts',
    'packager/reexport.ts',
    'packager/static.ts',
    'player/src/reads.ts',
    'server/shows.ts',
  ]);
  t.match(lint, /no-console[^]*packager\/prints\.ts/);
});
