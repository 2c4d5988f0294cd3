/** A server that is killed again and again, at moments of all kinds, while it makes rungs: they are the same bytes as without. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { noPrograms } from '../support/left-behind.ts';
import { digestOf, filmOf, leftOver, pipelineSettings, rungsOf } from '../support/pipeline.ts';
import { Random } from '../support/random.ts';
import { freePorts, startServer } from '../support/server.ts';
import { untilState, uploadFile } from '../support/upload.ts';

const rounds = 5;
const env = pipelineSettings(t);
const data = mkdtempSync(path.join(tmpdir(), 'millrace-pipeline-kill-'));
const ports = await freePorts();
let server = await startServer({ data, ports, env });
t.teardown(async () => {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});
const token = await server.login();
const standard = { ladder: 'standard' };

t.test(`killed ${rounds} times while the rungs of a video are made, they are what they would have been`, async (t) => {
  const film = await filmOf(75);
  const calm = await uploadFile(server, token, film, standard);
  t.match(await untilState(server, token, calm.id, ['ready'], 120_000), { state: 'ready', error: null });
  const wanted = (await rungsOf(server, calm.id)).map(digestOf);
  t.equal(wanted.length, 3);

  const random = new Random(20_26);
  const { id } = await uploadFile(server, token, film, standard);
  for (let round = 0; round < rounds; round += 1) {
    await sleep(random.below(2_500));
    await server.kill9();
    server = await startServer({ data, ports, env });
  }
  t.match(await untilState(server, token, id, ['ready'], 120_000), { state: 'ready', error: null });
  t.same((await rungsOf(server, id)).map(digestOf), wanted);
  t.same(await leftOver(server, id), []);
  t.ok(await noPrograms(path.join(data, 'jobs')));
});
