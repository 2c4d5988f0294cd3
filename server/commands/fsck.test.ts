import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../packager/clock.ts';
import { openCatalog } from '../catalog/catalog.ts';
import { createLog } from '../log.ts';

const folder = mkdtempSync(join(tmpdir(), 'fsck-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const run = (data: string): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ['server/cli.ts', 'fsck'], { encoding: 'utf8', env: { ...process.env, MILLRACE_DATA: data } });

t.test('a folder that is not there is said so, and not made', async (t) => {
  const absent = join(folder, 'absent');
  const { status, stderr } = run(absent);
  t.equal(status, 2);
  t.match(stderr, /no catalog/);
  t.notOk(existsSync(absent));
});

t.test('orphans are named and left alone; a running server is said so', async (t) => {
  const data = join(folder, 'data');
  const catalog = await openCatalog({ folder: data, clock: systemClock, log: createLog('error') });
  const busy = run(data);
  t.equal(busy.status, 2);
  t.notMatch(busy.stderr, /at .*\.ts:/, 'a sentence, not a stack');
  await catalog.close();
  mkdirSync(join(data, 'videos', 'nobodysvideo0001', 'v0'), { recursive: true });
  const found = run(data);
  t.equal(found.status, 0);
  t.match(JSON.parse(found.stdout), { orphans: ['nobodysvideo0001'] });
  t.ok(existsSync(join(data, 'videos', 'nobodysvideo0001', 'v0')));
});
