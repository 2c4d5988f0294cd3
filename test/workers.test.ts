/** `millrace worker` beside a whole server that leaves all encodes to it: it waits for the server, and may be killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { noPrograms } from './support/left-behind.ts';
import { freePorts, startServer } from './support/server.ts';
import { untilState } from './support/upload.ts';
import { film, leftToWorkers, WorkerStage } from './support/worker-stage.ts';
import { WorkerProcess } from './support/workers.ts';

const data = mkdtempSync(path.join(tmpdir(), 'millrace-workers-'));
t.teardown(() => rmSync(data, { recursive: true, force: true }));

t.test('a worker that is killed in the middle of a chunk costs that chunk; the next one goes on, and the video is whole', { timeout: 110_000 }, async (t) => {
  const early = new WorkerProcess(data, { args: ['--name', 'early', '--slots', '1'] });
  t.teardown(() => early.stop('SIGKILL'));
  await early.says('No server takes this worker now');
  const server = await startServer({ data, ports: await freePorts(), env: leftToWorkers });
  t.teardown(() => server.stop());
  await early.says('has let this worker in');
  const stage = new WorkerStage(server, await server.login());
  const video = await stage.upload(await film(2));
  t.match(await stage.working(), { name: 'early', here: false });

  const next = new WorkerProcess(data, { args: ['--name', 'next', '--slots', '1'] });
  t.teardown(() => next.stop('SIGKILL'));
  // It may be between two chunks at that moment; then nothing was lost, and the other one does the rest.
  await early.stop('SIGKILL');
  t.equal((await untilState(server, stage.token, video, ['ready'], 90_000)).state, 'ready');
  const chunks = await stage.chunks(video);
  t.ok(chunks.every(({ state }) => state === 'done'), 'all of it');
  t.ok(chunks.reduce((sum, { attempts }) => sum + attempts, 0) <= chunks.length + 1, 'and once, but for what was killed');
  t.equal((await stage.rungs(video)).length, 1);
  t.match(next.log, /\/lowest\/.*A job is done\./);
  await stage.quiet();
  t.ok(await noPrograms(path.join(data, 'jobs', 'w-')), 'no program outlives its worker');
  t.same(await stage.leftOvers(video), []);

  t.same(await next.stop(), { code: 0, signal: null });
  t.same((await stage.workers()).map(({ name }) => name), []);
  t.match(next.log, /Jobs are given back/);
});

t.test('what it cannot be told is said at once', async (t) => {
  const wrong = new WorkerProcess(data, { args: ['--slots', '0'] });
  t.same(await wrong.ended, { code: 64, signal: null });
  t.match(wrong.log, /--slots takes a whole number from 1/);
});
