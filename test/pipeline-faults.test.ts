/** Rungs that cannot be made: what plays goes on playing and says why there is not more of it, until somebody tries again. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { findPrograms } from '../packager/encode/programs.ts';
import { encoded } from './support/encoded.ts';
import { filmOf, leftOver, momentsOf, pipelineSettings, rungsOf, variantsOf } from './support/pipeline.ts';
import { until } from './support/playlists.ts';
import { freePorts, startServer } from './support/server.ts';
import { untilState, uploadFile, type VideoView } from './support/upload.ts';

const programs = await findPrograms();
const folder = mkdtempSync(path.join(tmpdir(), 'millrace-faulty-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const broken = path.join(folder, 'broken');
/** It fails at what is made of pieces of videos, as long as there is a file beside it that says so. */
for (const name of ['ffmpeg', 'ffprobe'] as const) {
  writeFileSync(path.join(folder, name), `#!/bin/sh\ncase "$*" in *nut*) if [ -e ${broken} ]; then echo no >&2; exit 1; fi;; esac\nexec ${programs[name]} "$@"\n`);
  chmodSync(path.join(folder, name), 0o755);
}
const server = await startServer({ env: { ...pipelineSettings(t), FFMPEG_PATH: path.join(folder, 'ffmpeg') } });
t.teardown(() => server.stop());
const token = await server.login();
const look = (id: string): Promise<VideoView> => server.must<VideoView>('GET', `videos/${id}`, undefined, token);

t.test('what fails again and again leaves a video that plays, with a reason; tried again, it becomes ready', async (t) => {
  writeFileSync(broken, '');
  const { id } = await uploadFile(server, token, await filmOf(12), { ladder: 'standard' });
  const failed = await until(() => look(id), ({ error }) => error !== null, 60_000);
  t.match(failed, { state: 'playable', error: { code: 'encode-failed' } });
  t.same((await variantsOf(server, id)).map(({ height }) => height), [360]);
  // What is in its last attempt when the first fails would fail after somebody has tried again.
  await until(() => server.must<{ readonly tasks: readonly { readonly state: string }[] }>('GET', `videos/${id}/tasks`, undefined, token), ({ tasks }) => tasks.every(({ state }) => !['waiting', 'queued', 'running'].includes(state)), 60_000);
  rmSync(broken);
  t.equal((await server.api('POST', `videos/${id}/tasks/retry`, undefined, token)).status, 200);
  t.match(await untilState(server, token, id, ['ready']), { state: 'ready', error: null });
  const [source, ...rungs] = (await rungsOf(server, id)).map(momentsOf);
  t.same(rungs, [source, source]);
  t.same(await leftOver(server, id), []);
});

t.test('a start without ffmpeg kills nothing that was queued behind a video: the next one that has it goes on', async (t) => {
  const [data, ports, settings] = [mkdtempSync(path.join(tmpdir(), 'millrace-without-')), await freePorts(), pipelineSettings(t)];
  const start = (env: Record<string, string>) => startServer({ data, ports, env: { ...settings, ...env } });
  // What is queued stays so: it is left to workers, of which there are none.
  let [server, token] = [await start({ MILLRACE_ENCODE_JOBS: '0' }), ''];
  t.teardown(async () => {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  });
  const tasks = (id: string) => server.must<{ readonly tasks: readonly { readonly name: string; readonly state: string }[] }>('GET', `videos/${id}/tasks`, undefined, token);
  token = await server.login();
  const { id } = await uploadFile(server, token, await filmOf(12), { ladder: 'standard' });
  await until(() => tasks(id), ({ tasks }) => tasks.some(({ name, state }) => name === 'lowest' && state === 'queued'));
  await server.stop();

  server = await start({ FFMPEG_PATH: path.join(folder, 'gone') });
  token = await server.login();
  t.match(server.log, /is made behind others waits for a start without this.*FFMPEG_PATH names/s);
  const other = await uploadFile(server, token, await encoded('mkv', ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=5:duration=1', '-c:v', 'mpeg4']));
  t.match(await untilState(server, token, other.id, ['failed']), { error: { code: 'encode-failed' } }, 'what would have to be converted is told at once');
  t.same([...new Set((await tasks(id)).tasks.map(({ state }) => state))].toSorted(), ['queued', 'waiting']);
  t.match(await server.must<VideoView>('GET', `videos/${id}`, undefined, token), { state: 'playable', error: null });
  await server.stop();

  server = await start({});
  token = await server.login();
  await untilState(server, token, id, ['ready']);
  t.same((await variantsOf(server, id)).map(({ height }) => height), [360, 240, 180]);
});
