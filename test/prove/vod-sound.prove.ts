/** Sound that is made anew while the server is killed again and again: the same bytes as without, and nothing is left; and whoever listens goes on with the old one. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { encoded } from '../support/encoded.ts';
import { jobsOf } from '../support/pipeline.ts';
import { until } from '../support/playlists.ts';
import { Random } from '../support/random.ts';
import { freePorts, startServer } from '../support/server.ts';
import { untilState, uploadFile } from '../support/upload.ts';

t.setTimeout(300_000);
const data = mkdtempSync(path.join(tmpdir(), 'millrace-sound-'));
const ports = await freePorts();
let server = await startServer({ data, ports });
t.teardown(async () => {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});
const token = await server.login();

const seconds = 240;
const noise = `anoisesrc=color=white:seed=3:sample_rate=44100:duration=${seconds}:amplitude=0.4[a];anoisesrc=color=pink:seed=4:sample_rate=44100:duration=${seconds}:amplitude=0.4[b];[a][b]amerge=inputs=2,aformat=channel_layouts=stereo`;
const pictures = ['-f', 'lavfi', '-i', `color=size=64x36:rate=5:duration=${seconds}`];
const film = await encoded('mp4', [...pictures, '-f', 'lavfi', '-i', noise, '-c:v', 'libx264', '-g', '10', '-preset', 'ultrafast', '-c:a', 'aac', '-b:a', '400k']);

/** Only the sound of it has to be made. */
const upload = async (): Promise<string> => (await uploadFile(server, token, film, { ladder: 'source' })).id;

type Sound = { readonly track: string; readonly segments: number; readonly digest: string };

const soundOf = async (video: string, wanted?: string): Promise<Sound> => {
  const base = `${server.origin}/play/-/${video}`;
  const [, listed = ''] = /TYPE=AUDIO[^\n]*URI="([^/"]+)\/whole\.m3u8"/.exec(await (await fetch(`${base}/master.m3u8`)).text()) ?? [];
  const track = wanted ?? listed;
  const names = [...(await (await fetch(`${base}/${track}/whole.m3u8`)).text()).matchAll(/^[^#\n]+$/gm)].map(([name]) => name);
  const hash = createHash('sha256');
  for (const name of names) {
    const answer = await fetch(`${base}/${track}/${name}`);
    if (answer.status !== 200) throw new Error(`${track}/${name}: ${answer.status}`);
    hash.update(Buffer.from(await answer.arrayBuffer()));
  }
  return { track, segments: names.length, digest: hash.digest('hex') };
};

t.test('killed while it is made, again and again', async (t) => {
  const calm = await upload();
  await untilState(server, token, calm, ['playable']);
  const before = await soundOf(calm, 'a0');
  await untilState(server, token, calm, ['ready'], 120_000);
  t.same(await soundOf(calm, 'a0'), before, 'who has begun to listen goes on with what was uploaded');
  const wanted = await soundOf(calm);
  t.ok(wanted.segments > 50 && wanted.track !== 'a0', `${wanted.segments} segments of ${wanted.track}`);

  const random = new Random(17);
  const killed = await upload();
  const tries = async (): Promise<number> => (await jobsOf(server, token, killed)).find(({ kind }) => kind === 'sound')?.attempts ?? 0;
  for (let round = 1; round <= 2; round += 1) {
    // Lost a second time, it is taken up again when its lease has run out.
    await until(tries, (count) => count >= round, 60_000);
    await sleep(random.below(400));
    await server.kill9();
    server = await startServer({ data, ports });
  }
  await untilState(server, token, killed, ['ready'], 120_000);
  t.ok((await tries()) > 1, 'it was killed in the middle, and begun again');
  const made = await soundOf(killed);
  t.equal(made.digest, wanted.digest, 'the same bytes');
  t.same((await readdir(path.join(data, 'videos', killed))).filter((name) => name.startsWith('work')), [], 'nothing is left');
});
