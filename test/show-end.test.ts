/** The moment a show ends, seen from outside: the recording is there, under the same id, and nothing was written for it but a row of the catalog. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { readFragments } from '../packager/cmaf/reader.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

const clip = await flvClip({ bframes: 2, width: 320, height: 180, kbps: 300 });
const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();

const text = async (url: string): Promise<string> => (await fetch(url)).text();
const bytes = async (url: string): Promise<Buffer> => Buffer.from(await (await fetch(url)).arrayBuffer());
const segmentsOf = (playlist: string): string[] => playlist.split('\n').filter((line) => /^[a-z0-9]+-\d+\.m4s$/.test(line));

/** Name and size of every file of a video, but for the copies of what lies where that a log writes every few seconds while it grows. */
const filesOf = (video: string): Map<string, number> => {
  const folder = path.join(server.data, 'videos', video);
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== 'index');
  return new Map(names.map(({ parentPath, name }) => [path.relative(folder, path.join(parentPath, name)), statSync(path.join(parentPath, name)).size] as const).toSorted());
};

type Ended = { readonly video: string; readonly below: string; readonly ms: number; readonly before: ReadonlyMap<string, number> };

/** Sends the clip, ends it with words, and asks as a viewer who comes now until it plays from the beginning. */
const endOf = async (name: string): Promise<Ended> => {
  const channel = await server.createChannel(token, { name });
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  type Seen = { readonly live: { readonly videoId: string } | null };
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  const video = live?.videoId ?? '';
  const below = `${server.origin}/play/-/${video}`;
  await until(() => text(`${below}/v0/index.m3u8`), (list) => list.includes('-4-5.m4s'));
  const before = filesOf(video);
  const announced = performance.now();
  await sender.end();
  // Asked without a pause: this is the time that somebody who comes would wait.
  while (!(await text(`${below}/master.m3u8`)).includes('v0/whole.m3u8'));
  const whole = await text(`${below}/v0/whole.m3u8`);
  const [first = ''] = segmentsOf(whole);
  const [played, manifest] = await Promise.all([fetch(`${below}/v0/${first}`), text(`${below}/manifest.mpd`)]);
  const media = readFragments(Buffer.from(await played.arrayBuffer()));
  const ms = performance.now() - announced;
  t.equal(played.status, 200);
  t.ok(media[0]?.baseDecodeTime === 0 && media[0].samples[0]?.key === true, 'from its first picture');
  t.match(whole, '#EXT-X-ENDLIST');
  t.match(manifest, 'type="static"');
  return { video, below, ms, before };
};

t.test('a recording plays within 200 ms of the announced end, by the same id, from its beginning to its end', async (t) => {
  const times: number[] = [];
  // The best of a few: the machine may have been busy with something else.
  for (let round = 0; round < 5 && !times.some((ms) => ms <= 200); round++) times.push((await endOf(`end-${round}`)).ms);
  t.comment(`${times.map((ms) => Math.round(ms)).join(', ')} ms`);
  t.ok(Math.min(...times) <= 200, `${Math.min(...times)} ms`);
});

t.test('for the recording nothing is written but a row of the catalog', async (t) => {
  const { video, below, before } = await endOf('nothing-written');
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  const after = filesOf(video);
  t.same([...after.keys()], [...before.keys()], 'the files that were there while it was live');

  let pictures = 0;
  for (const track of ['v0', 'a0']) {
    let media = 0;
    let fragments = 0;
    for (const name of segmentsOf(await text(`${below}/${track}/whole.m3u8`))) {
      const segment = await bytes(`${below}/${track}/${name}`);
      media += segment.length;
      const found = readFragments(segment);
      fragments += found.length;
      if (track === 'v0') pictures += found.reduce((sum, { samples }) => sum + samples.length, 0);
    }
    const extent = after.get(`${track}/00000.cmaf`) ?? 0;
    // 72 bytes of record a fragment, and one epoch with its init segment.
    const rest = extent - media - 72 * fragments;
    t.ok(media > 10_000 && rest > 0 && rest < 1500, `${track}: ${extent} bytes hold ${media} of media; ${rest} more`);
  }
  t.equal(pictures, clip.units.filter(({ kind }) => kind === 'video').length);

  // Whoever plays it, in whatever way, leaves nothing behind either.
  for (const view of ['ts/master.m3u8', 'ts/v0/whole.m3u8', 'manifest.mpd', 'v0/iframes.m3u8']) t.equal((await fetch(`${below}/${view}`)).status, 200, view);
  const { downloads } = await server.must<{ downloads: { url: string }[] }>('POST', `videos/${video}/playback`, {});
  t.ok((await bytes(downloads[0]?.url ?? '')).length > 10_000);
  t.same(filesOf(video), after);
});

t.test('whoever was there when the show ended goes on with what he has, in DASH as well', async (t) => {
  const channel = await server.createChannel(token, { name: 'there' });
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send({ until: 4000 });
  await server.live(channel);
  // It is there when all of its tracks are.
  const manifest = await until(() => text(server.liveUrl(channel, 'manifest.mpd')), (mpd) => mpd.includes('<MPD'));
  const location = new URL(/<Location>([^<]+)<\/Location>/.exec(manifest)?.[1] ?? '', server.liveUrl(channel, 'manifest.mpd')).href;
  t.match(manifest, 'type="dynamic"');
  const [, began = ''] = /<Period id="e0" start="([^"]+)"/.exec(manifest) ?? [];
  await sender.send({ from: 4000 });
  await sender.end();
  const ended = await until(() => text(location), (mpd) => mpd.includes('type="static"'));
  t.match(ended, `<Period id="e0" start="${began}"`);
  await until(async () => (await fetch(server.liveUrl(channel, 'manifest.mpd'))).status, (status) => status === 404);
});
