/**
 * Rungs appear behind a video that plays already, one by one, and are its pictures at its moments; a server that is killed
 * while it makes them makes the same bytes after all.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { readInit } from '../packager/cmaf/reader.ts';
import { encoded, run } from './support/encoded.ts';
import { jobFolders, noPrograms } from './support/left-behind.ts';
import { digestOf, filmOf, isWorkedOn, jobsOf, leftOver, momentsOf, pipelineSettings, rungsOf, textAt, variantsOf, type Rung } from './support/pipeline.ts';
import { until } from './support/playlists.ts';
import { Random } from './support/random.ts';
import { freePorts, startServer } from './support/server.ts';
import { untilState, uploadFile } from './support/upload.ts';

const settings = pipelineSettings(t);
const data = mkdtempSync(path.join(tmpdir(), 'millrace-pipeline-'));
const ports = await freePorts();
/** It takes files, and leaves what is to be made of them. */
const lazy = { ...settings, MILLRACE_ENCODE_JOBS: '0' };
let server = await startServer({ data, ports, env: lazy });
t.teardown(async () => {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});
const token = await server.login();
const killed = async (env: Record<string, string>): Promise<void> => {
  await server.kill9();
  server = await startServer({ data, ports, env });
};
const ready = async (id: string): Promise<void> => {
  const { state, error } = await untilState(server, token, id, ['ready'], 90_000);
  if (state !== 'ready') throw new Error(`${state}: ${error?.code}`);
};
const standard = { ladder: 'standard' };
const [film, short] = await Promise.all([filmOf(75), filmOf(12)]);
/** What is made of the film when nothing goes wrong. */
let undisturbed: readonly Rung[] = [];

t.test('a video plays at once; its rungs come one by one, beside what those who watch have', async (t) => {
  const { id } = await uploadFile(server, token, film, standard);
  t.match(await untilState(server, token, id, ['playable', 'ready']), { state: 'playable', error: null });
  const [own] = await variantsOf(server, id);
  t.equal(own?.height, 360);
  const told = await textAt(own?.uri ?? '');
  const manifest = `${server.origin}/play/-/${id}/manifest.mpd`;
  t.equal((await textAt(manifest)).match(/<Representation[^>]*height=/g)?.length, 1);
  // Killed before anything was made: what was planned is done by whoever comes.
  await killed(settings);
  const lists = new Set<string>();
  for (let state = 'playable'; state !== 'ready'; ) {
    lists.add((await variantsOf(server, id)).map(({ height }) => height).join(' '));
    t.equal(await textAt(own?.uri ?? ''), told, 'what players have stays as it was');
    state = (await untilState(server, token, id, ['playable', 'ready'])).state;
    if (state === 'failed') break;
    await sleep(50);
  }
  for (const list of lists) t.ok(['360', '360 180', '360 240', '360 240 180'].includes(list), list);
  t.same((await variantsOf(server, id)).map(({ height }) => height), [360, 240, 180]);
  t.equal((await textAt(manifest)).match(/<Representation[^>]*height=/g)?.length, 3);

  undisturbed = await rungsOf(server, id);
  const [source, ...rungs] = undisturbed.map(momentsOf);
  t.equal(source?.pictures.length, 75 * 12);
  for (const rung of rungs) t.same(rung, source, 'every picture at its moment, every segment where the source has it');
  t.same(await leftOver(server, id), []);
  const home = path.join(server.data, 'videos', id);
  let bytes = 0;
  for (const name of await readdir(home)) if (name !== 'original') bytes += (await stat(path.join(home, name, '00000.cmaf'))).size;
  const media = undisturbed.slice(1).flatMap(({ segments }) => segments).reduce((sum, { length }) => sum + length, 0);
  t.ok(bytes < media * 1.05, `${bytes} bytes on the disk for ${media} of media`);
});

t.test('killed while they are made, twice: the same bytes, and nothing is left', async (t) => {
  const random = new Random(8);
  const { id } = await uploadFile(server, token, film, standard);
  await untilState(server, token, id, ['playable', 'ready']);
  for (let round = 0; round < 2 && (await isWorkedOn(server, token, id, 'encode')); round += 1) {
    await sleep(random.below(200));
    await killed(settings);
  }
  await ready(id);
  t.ok((await jobsOf(server, token, id)).some(({ kind, attempts }) => kind === 'encode' && attempts > 1), 'one of them was begun again');
  t.same((await rungsOf(server, id)).map(digestOf), undisturbed.map(digestOf));
  t.same(await leftOver(server, id), []);
  t.ok(await noPrograms(data));
});

t.test('what a phone that was held upright has filmed stays upright, and fills its rung', async (t) => {
  const lying = await encoded('mp4', ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=12:duration=3', '-c:v', 'libx264', '-preset', 'veryfast', '-g', '24', '-pix_fmt', 'yuv420p']);
  const turned = await encoded('mov', ['-i', lying, '-c', 'copy', '-metadata:s:v:0', 'rotate=90']);
  const { id } = await uploadFile(server, token, turned, { ladder: 'phone' });
  await ready(id);
  const master = await textAt(`${server.origin}/play/-/${id}/master.m3u8`);
  t.same([...master.matchAll(/#EXT-X-STREAM-INF:.*RESOLUTION=(\d+x\d+)/g)].map(([, size]) => size), ['720x1280', '360x640']);
  const rung = (await rungsOf(server, id)).at(-1);
  if (!rung) throw new Error('there is no rung');
  t.match(readInit(rung.init), { width: 360, height: 640, rotation: 0 });
  const file = path.join(data, 'rung.mp4');
  await writeFile(file, Buffer.concat([rung.init, ...rung.segments]));
  // ffmpeg turns what it shows.
  const [shown, wanted] = await Promise.all([file, turned].map((one) => run(['-i', one, '-vf', 'scale=360:640:flags=area', '-frames:v', '1', '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'])));
  t.equal(shown?.length, 360 * 640);
  const apart = shown?.reduce((sum, light, place) => sum + Math.abs(light - (wanted?.[place] ?? 0)), 0) ?? Infinity;
  t.ok(apart / (360 * 640) < 6, `${apart / (360 * 640)} of 255 apart`);
});

t.test('what is protected gets its rungs in the same way', async (t) => {
  const made = await Promise.all(['none', 'aes-128', 'cbcs'].map((protection) => uploadFile(server, token, short, { ...standard, protection })));
  for (const { id } of made) await ready(id);
  const [clear = [], aes = [], cbcs = []] = await Promise.all(made.map(({ id }) => rungsOf(server, id)));
  t.same(aes.map(({ height, keys }) => [height, keys]), [360, 240, 180].map((height) => [height, ['AES-128']]));
  t.same(aes.map(digestOf), clear.map(digestOf), 'deciphered, they are the same');
  t.same(cbcs.map(({ height, keys }) => [height, keys]), [360, 240, 180].map((height) => [height, ['SAMPLE-AES']]));
  t.same(cbcs.map(momentsOf), clear.map(momentsOf));
  for (const { init } of cbcs) t.ok(init.includes('cbcs'));
});

t.test('a video that is removed while it is encoded is gone, with all that was made of it', async (t) => {
  const { id } = await uploadFile(server, token, film, standard);
  const home = path.join(data, 'videos', id);
  t.ok(await isWorkedOn(server, token, id, 'encode'));
  await until(() => jobFolders(data), (names) => names.length > 0);
  t.equal((await server.api('DELETE', `videos/${id}`, undefined, token)).status, 204);
  t.same(await until(() => readdir(home).catch(() => []), (names) => names.length === 0), []);
  t.same(await until(() => jobFolders(data), (names) => names.length === 0), []);
  t.ok(await noPrograms(path.join(data, 'jobs')));
  t.equal((await server.api('GET', `videos/${id}/tasks`, undefined, token)).status, 404);
});
