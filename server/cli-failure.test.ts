import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CatalogError } from './catalog/errors.ts';
import { failureOf } from './cli-failure.ts';
import { LadderError } from './ladders/read.ts';
import { PipelineError } from './pipeline/parse.ts';

const home = mkdtempSync(join(tmpdir(), 'cli-'));
t.teardown(() => rmSync(home, { recursive: true }));

/** The command line as an operator runs it; everything on free ports unless said. */
const millrace = async (environment: Record<string, string>, ...args: string[]): Promise<{ code: unknown; said: string }> => {
  const ports = { MILLRACE_HTTP_PORT: '0', MILLRACE_RTMP_PORT: '0', MILLRACE_SRT_PORT: '0', MILLRACE_HTTP_HOST: '127.0.0.1', MILLRACE_RTMP_HOST: '127.0.0.1', MILLRACE_SRT_HOST: '127.0.0.1', MILLRACE_LOG_LEVEL: 'fatal' };
  const child = spawn(process.execPath, ['server/cli.ts', ...args], { env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...ports, ...environment } });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, said };
};

t.test('a data folder that cannot be one is the operator’s to mend', async (t) => {
  const file = join(home, 'file');
  writeFileSync(file, '');
  for (const args of [['serve'], ['admin', 'reset']]) {
    const { code, said } = await millrace({ MILLRACE_DATA: file }, ...args);
    t.equal(code, 78, args.join(' '));
    t.match(said, /is no folder.*MILLRACE_DATA/);
    t.notMatch(said, /at .*\.ts:\d+/, 'no stack');
  }
});

t.test('a mistake in a pipeline stops the start, with its line', async (t) => {
  const pipelines = join(home, 'pipelines');
  mkdirSync(pipelines);
  writeFileSync(join(pipelines, 'default.yaml'), 'tasks:\n  sound:\n    kind: sonud\n');
  const { code, said } = await millrace({ MILLRACE_DATA: join(home, 'piped'), MILLRACE_ENCODE_PIPELINES: pipelines }, 'serve');
  t.equal(code, 78);
  t.match(said, `${join(pipelines, 'default.yaml')}:3: task "sound": there is no kind "sonud"; did you mean "sound"?`);
  t.notMatch(said, /at .*\.ts:\d+/, 'no stack');
});

t.test('a taken port is named with the setting that chooses another', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const port = String((other.address() as AddressInfo).port);
  mkdirSync(join(home, 'data'));
  for (const variable of ['MILLRACE_HTTP_PORT', 'MILLRACE_RTMP_PORT']) {
    const { code, said } = await millrace({ MILLRACE_DATA: join(home, 'data'), [variable]: port }, 'serve');
    t.equal(code, 69);
    t.match(said, new RegExp(`Port ${port} is taken.*${variable}`));
  }
});

t.test('what the disk says, and what is our own mistake', async (t) => {
  const system = (code: string, path?: string): Error => Object.assign(new Error(code), { code, ...(path === undefined ? {} : { path }) });
  t.match(failureOf(system('EACCES', '/data/catalog.db'), '/data'), { code: 78, sentence: /cannot write/ });
  t.match(failureOf(system('EROFS', '/data'), '/data'), { code: 78, sentence: /only be read/ });
  t.match(failureOf(system('ENOSPC'), '/data'), { code: 74, sentence: /no room/ });
  t.equal(failureOf(system('ENOENT', '/app/server/worker.ts'), '/data'), null);
  t.match(failureOf(new CatalogError('from-the-future', 'newer'), '/data'), { code: 78, sentence: 'newer' });
  t.match(failureOf(new CatalogError('full', 'database or disk is full'), '/data'), { code: 74, sentence: /no room.*\/data/ });
  t.equal(failureOf(new CatalogError('closed', 'closed'), '/data'), null);
  t.equal(failureOf(new TypeError('x is not a function'), '/data'), null);
});

t.test('a fault in a ladder is the operator’s to mend, and said with its place', async (t) => {
  t.same(failureOf(new LadderError('ladders/own.yaml: rung 1: "height" is an even number'), home), { code: 78, sentence: 'ladders/own.yaml: rung 1: "height" is an even number' });
  t.same(failureOf(new PipelineError('own.yaml:3: task "a": it needs itself'), home), { code: 78, sentence: 'own.yaml:3: task "a": it needs itself' });
});
