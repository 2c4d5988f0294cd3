/** A video that becomes protected, or is no longer, after it was watched: nothing comes under a name under which something else came. */
import { createDecipheriv } from 'node:crypto';
import t, { type Test } from 'tap';
import type { Protection } from '../server/catalog/schema.ts';
import { fakeKeys } from '../server/delivery/fake-presentation.ts';
import { clip } from './support/clips.ts';
import { until } from './support/playlists.ts';
import { UploadStage } from './support/upload-stage.ts';

const { file } = await clip({ bframes: 2 });
const stage = await UploadStage.open(t);

const lists = ['v0/whole.m3u8', 'a0/whole.m3u8', 'v0/index.m3u8', 'v0/iframes.m3u8', 'ts/v0/whole.m3u8'];
const names = (text: string): string[] => text.split('\n').flatMap((line) => (line.startsWith('#') ? (/^#EXT-X-MAP:URI="([^"]+)"/.exec(line)?.[1] ?? []) : line === '' ? [] : [line]));

/** Every file that is listed, by its address. */
const files = async (video: string): Promise<Map<string, Buffer>> => {
  const found = new Map<string, Buffer>();
  for (const list of lists) {
    const { status, text } = await stage.text(video, list);
    for (const name of status === 200 ? names(text) : []) {
      const address = list.replace(/[^/]+$/, name);
      const answer = await fetch(stage.url(video, address));
      if (answer.status !== 200) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
      found.set(address, Buffer.from(await answer.arrayBuffer()));
    }
  }
  return found;
};

const become = async (video: string, protection: Protection): Promise<void> => {
  await stage.catalog.videos.update(video, { protection });
  // As the API does before it answers.
  await stage.live.presentations.forget(video);
};

const codes = async (video: string, addresses: Iterable<string>): Promise<Set<string>> => {
  const found = new Set<string>();
  for (const address of addresses) {
    const { status, text } = await stage.text(video, address);
    found.add(`${status} ${(JSON.parse(text) as { code: string }).code}`);
  }
  return found;
};

const opened = async (video: string, address: string, body: Buffer): Promise<Buffer> => {
  const ring = await fakeKeys.ringOf(video);
  const number = Number(/-k?([0-9]+)\.(?:m4s|ts)$/.exec(address)?.[1]);
  const { key, iv } = ring.key(Math.floor(number / ring.segmentsPerKey));
  const decipher = createDecipheriv('aes-128-cbc', key, iv);
  return Buffer.concat([decipher.update(body), decipher.final()]);
};

/** `clear` and `sealed` hold the same in the same order. */
const sameInside = async (t: Test, video: string, clear: Map<string, Buffer>, sealed: Map<string, Buffer>): Promise<void> => {
  const twins = [...sealed.values()];
  for (const [index, [address, plain]] of [...clear].entries()) {
    const body = twins[index] ?? Buffer.alloc(0);
    const isInit = address.includes('-i');
    // Fragments of MPEG-TS count their packets from the same.
    t.ok((isInit ? body : await opened(video, address, body)).equals(plain), address);
  }
};

t.test('each change gives every file another name, and the names before it open nothing', async (t) => {
  const video = await stage.ready(file);
  const clear = await files(video);
  t.ok(clear.size > 8, `${clear.size} files`);
  const [download = ''] = [...clear.keys()].flatMap((address) => /^v0\/([0-9a-z]+)-i0/.exec(address)?.[1] ?? []);
  const whole = `mp4/${download}-v0-a0.mp4`;
  t.equal((await fetch(stage.url(video, whole), { headers: { range: 'bytes=0-99' } })).status, 206);

  await become(video, 'aes-128');
  t.same(await codes(video, clear.keys()), new Set(['404 other-run']), 'at once, though they lay in the cache');
  t.same(await codes(video, [whole]), new Set(['403 download-protected']));
  const sealed = await files(video);
  t.equal(sealed.size, clear.size);
  await sameInside(t, video, clear, sealed);
  t.same([...sealed.keys()].filter((address) => clear.has(address)), []);

  await become(video, 'none');
  t.same(await codes(video, [...clear.keys(), ...sealed.keys()]), new Set(['404 other-run']));
  const again = await files(video);
  t.same([...again.values()], [...clear.values()]);
  t.same([...again.keys()].filter((address) => clear.has(address) || sealed.has(address)), []);
  t.match(await stage.text(video, 'v0/whole.m3u8'), { status: 200, text: /^(?![^]*EXT-X-KEY)/ });

  await become(video, 'cbcs');
  t.same(await codes(video, [...clear.keys(), ...sealed.keys(), ...again.keys()].filter((address) => !address.startsWith('ts/'))), new Set(['404 other-run']));
  t.match(await stage.text(video, 'v0/whole.m3u8'), { text: /EXT-X-KEY:METHOD=SAMPLE-AES/ });
  t.match(await stage.text(video, 'manifest.mpd'), { status: 200, text: /cenc:default_KID/ });
});

t.test('an upload that is watched while it arrives: who comes, and who goes on, gets it as it is protected now', async (t) => {
  const upload = await stage.upload(file);
  await upload.land(upload.bytes.indexOf('moov') - 4, upload.bytes.length);
  await upload.land(0, Math.ceil(upload.bytes.length * 0.6));
  await until(() => stage.text(upload.id, 'master.m3u8'), ({ status }) => status === 200);
  const clear = await files(upload.id);
  t.ok(clear.size > 2);
  await become(upload.id, 'aes-128');
  t.same(await codes(upload.id, clear.keys()), new Set(['404 other-run']));
  const some = await files(upload.id);
  t.equal(some.size, clear.size);
  await sameInside(t, upload.id, clear, some);
  t.equal(await upload.finish(), 'taken');
  const all = await files(upload.id);
  t.ok(all.size > some.size);
  for (const [address, body] of some) t.ok(all.get(address)?.equals(body), `${address} stays what it was`);
  await stage.live.presentations.forget(upload.id);
  t.same([...(await files(upload.id))], [...all], 'opened anew');
});

t.test('what was changed before anything could be played of it holds from the first byte', async (t) => {
  const upload = await stage.upload(file);
  const { videos } = stage.catalog;
  const withTracks = videos.withTracks.bind(videos);
  const read = new Promise<void>((resolve) => {
    videos.withTracks = async (id) => {
      const found = await withTracks(id);
      if (id === upload.id) resolve();
      return found;
    };
  });
  // Its row has been read by the way to its index, and not one segment of it is there.
  await upload.land(0, 64);
  await upload.land(upload.bytes.indexOf('moov') - 4, upload.bytes.length);
  await read;
  videos.withTracks = withTracks;
  await become(upload.id, 'aes-128');
  await upload.land(0, Math.ceil(upload.bytes.length * 0.6));
  await until(() => stage.text(upload.id, 'master.m3u8'), ({ status }) => status === 200);
  t.match(await stage.text(upload.id, 'v0/index.m3u8'), { text: /EXT-X-KEY:METHOD=AES-128/ });
});

t.test('nothing went wrong meanwhile', async (t) => t.same(stage.errors, []));
