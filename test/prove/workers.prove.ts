/**
 * Two workers beside a whole server, killed at random moments, stopped for longer than their lease, and left without their
 * server: what comes out is what comes out of workers that nobody disturbs, byte by byte, and nothing else is left.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { noPrograms } from '../support/left-behind.ts';
import { Random } from '../support/random.ts';
import { freePorts, startServer } from '../support/server.ts';
import { untilState } from '../support/upload.ts';
import { film, leftToWorkers, WorkerStage } from '../support/worker-stage.ts';
import { WorkerProcess } from '../support/workers.ts';

const seed = Number(process.env['MILLRACE_SEED'] ?? 8);
const kills = 3;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const data = mkdtempSync(path.join(tmpdir(), 'millrace-workers-'));
const ports = await freePorts();
let server = await startServer({ data, ports, env: leftToWorkers, pictures: true });
let stage = new WorkerStage(server, await server.login());
const worker = (name: string): WorkerProcess => new WorkerProcess(data, { args: ['--name', name, '--slots', '1'] });
const crew = { a: worker('a'), b: worker('b') };
t.teardown(async () => {
  await Promise.all(Object.values(crew).map((one) => one.stop('SIGKILL')));
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});
await Promise.all(Object.values(crew).map((one) => one.says('has let this worker in')));
const source = await film(3);

const whole = async (t: Test, video: string): Promise<readonly string[]> => {
  t.match(await untilState(server, stage.token, video, ['ready'], 100_000), { state: 'ready', error: null });
  t.ok((await stage.chunks(video)).every(({ state }) => state === 'done'));
  return stage.rungs(video);
};
/** Nothing of what was lost on the way, once whoever lost it has noticed. */
const clean = async (t: Test, video: string): Promise<void> => {
  await stage.quiet();
  for (let look = 0; look < 500 && (await stage.leftOvers(video)).length > 0; look += 1) await wait(20);
  t.same(await stage.leftOvers(video), [], 'no file of it stays');
  t.ok(await noPrograms(path.join(data, 'jobs', 'w-')), 'and no program');
};

const undisturbed = await stage.upload(source);
let truth: readonly string[] = [];
t.test('nobody is disturbed', { timeout: 110_000 }, async (t) => {
  truth = await whole(t, undisturbed);
  t.equal(truth.length, 1);
});

t.test(`workers are killed at random moments (seed ${seed})`, { timeout: 180_000 }, async (t) => {
  const random = new Random(seed);
  const video = await stage.upload(source);
  await stage.working();
  for (let kill = 0; kill < kills; kill += 1) {
    await wait(random.below(1_200));
    const name = random.below(2) === 0 ? 'a' : 'b';
    await crew[name].stop('SIGKILL');
    crew[name] = worker(name);
    // Both are never gone together, so that somebody is there to do at once what was lost.
    await crew[name].says('has let this worker in');
  }
  t.same(await whole(t, video), truth, 'the same bytes');
  await clean(t, video);
  const attempts = (await stage.chunks(video)).map((one) => one.attempts);
  t.comment(`attempts: ${attempts.join(' ')}`);
});

t.test('one is stopped for longer than its lease, and woken', { timeout: 110_000 }, async (t) => {
  const video = await stage.upload(source);
  const { running } = await stage.working('a');
  crew.a.kill('SIGSTOP');
  const job = running[0]?.job;
  t.same(await whole(t, video), truth, 'the other one does it');
  crew.a.kill('SIGCONT');
  await clean(t, video);
  t.same(await stage.rungs(video), truth);
  t.ok((await stage.chunks(video)).every(({ id, attempts }) => attempts === 1 || id === job), 'nothing else was done twice');
});

t.test('the server is killed under them: they come back to the next one, and go on', { timeout: 110_000 }, async (t) => {
  const video = await stage.upload(source);
  await stage.working();
  await server.kill9();
  await Promise.all(Object.values(crew).map((one) => one.says('The server is gone')));
  server = await startServer({ data, ports, env: leftToWorkers, pictures: true });
  stage = new WorkerStage(server, await server.login());
  t.same(await whole(t, video), truth);
  await clean(t, video);
  t.same((await stage.workers()).map(({ name }) => name).toSorted(), ['a', 'b']);
});
