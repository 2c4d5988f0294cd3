/** Protected videos over HTTP, of real media: two epochs of different pictures, and another key after every three segments. */
import { createDecipheriv } from 'node:crypto';
import t, { type Test } from 'tap';
import { boxes } from '../../packager/cmaf/box-reader.ts';
import { readFragments } from '../../packager/cmaf/reader.ts';
import { readManifest } from '../../packager/dash/judges.ts';
import { readByM3u8Parser } from '../../packager/hls/judges.ts';
import { clipFile, clipOf, record, type Recorded } from '../../packager/mpegts/recorded.ts';
import { openCbcs } from '../../packager/protect/cbcs-reader.ts';
import type { Scheme } from '../../packager/protect/keys.ts';
import { fakeKeys, FakePresentation, recordedPresentation } from './fake-presentation.ts';
import { TestServer } from './test-server.ts';

const first = await clipOf(await clipFile(10, 'keyint=30:min-keyint=30:scenecut=0:bframes=2'));
const second = await clipOf(await clipFile(10, 'keyint=30:min-keyint=30:scenecut=0:bframes=0:cabac=0:slices=2'));
const sent = [{ clip: first, until: 9000 }, { clip: second, until: 6000 }];
const ended = await record(sent);
const going = await record(sent, { end: false });

const clear = 'video-00000001';
const sealed = 'video-00000002';
const code = (text: string): string => JSON.parse(text).code;

const under = (scheme: Scheme | null, { snapshot, ...rest }: Recorded): Recorded => {
  const { policy } = snapshot;
  return { ...rest, snapshot: scheme ? { ...snapshot, video: sealed, policy: { ...policy, protection: scheme } } : snapshot };
};

const start = async (t: Test, scheme: Scheme, recorded = ended): Promise<TestServer> => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  server.presentations.videos.set(clear, recordedPresentation(under(null, recorded)));
  server.presentations.videos.set(sealed, recordedPresentation(under(scheme, recorded)));
  return server;
};

/** A file of a playlist, by the address of the playlist. */
const at = (list: string, uri: string): string => new URL(uri, `http://x${list}`).pathname;

type Listed = { readonly uri: string; readonly number: number; readonly key: { readonly method: string; readonly uri: string; readonly iv?: unknown } | undefined; readonly map: string | undefined };

/** What a parser that we did not write says of each segment, and of each of its parts. */
const filesOf = (text: string): Listed[] => {
  const { manifest, complaints } = readByM3u8Parser(text);
  t.same(complaints, []);
  return manifest.segments.flatMap((segment, index) => {
    const { key, map } = segment as { key?: Listed['key']; map?: { uri: string; key?: unknown } };
    if (key?.method === 'AES-128') t.equal(map?.key, undefined, 'no init segment is under a key');
    const facts = { number: manifest.mediaSequence + index, key, map: map?.uri };
    return [segment, ...(segment.parts ?? [])].map(({ uri = '' }) => ({ ...facts, uri }));
  });
};

const opened = (body: Buffer, key: Buffer, iv: Buffer): Buffer => {
  const decipher = createDecipheriv('aes-128-cbc', key, iv);
  return Buffer.concat([decipher.update(body), decipher.final()]);
};

for (const [name, recorded, lists] of [
  ['a recording', ended, ['v0/whole.m3u8', 'a0/whole.m3u8', 'v0/iframes.m3u8', 'ts/v0/whole.m3u8', 'cut-2000-11000/v0/whole.m3u8', 'cut-2000-11000/ts/v0/whole.m3u8']],
  ['a show in progress', going, ['v0/index.m3u8', 'a0/index.m3u8', 'v0/iframes.m3u8', 'ts/v0/index.m3u8']],
] as const) {
  t.test(`AES-128: ${name}, read by the keys that its playlists name, is what it is in the clear`, async (t) => {
    const server = await start(t, 'aes-128', recorded);
    for (const list of lists) {
      const path = `/play/-/${sealed}/${list}`;
      const { text } = await server.ask(path);
      const files = filesOf(text);
      t.ok(files.length >= 5, `${list}: ${files.length} files`);
      const keys = new Set<string>();
      for (const { uri, number, key, map } of files) {
        if (!key) throw new Error(`${uri} has no key`);
        t.match(key, { method: 'AES-128' });
        const iv = Buffer.alloc(16);
        for (const [index, word] of (key.iv as Uint32Array).entries()) iv.writeUInt32BE(word, 4 * index);
        const answer = await server.ask(at(path, key.uri));
        t.match(answer, { status: 200, headers: { 'content-type': 'application/octet-stream', 'content-length': '16', 'cache-control': 'no-store' } });
        keys.add(`${Math.floor(number / 3)} ${answer.body.toString('hex')}`);
        const file = at(path, uri);
        const { body, headers } = await server.ask(file);
        t.match(headers['cache-control'], /immutable/);
        const plain = await server.ask(file.replace(sealed, clear));
        t.equal(plain.status, 200);
        t.notOk(body.includes(plain.body.subarray(0, 64)));
        t.ok(opened(body, answer.body, iv).equals(plain.body), `${list} ${uri}`);
        if (map !== undefined) t.ok((await server.ask(at(path, map))).body.equals((await server.ask(at(path, map).replace(sealed, clear))).body), 'init segments are clear');
      }
      t.equal(keys.size, new Set(files.map(({ number }) => Math.floor(number / 3))).size, 'a key for three segments');
    }
  });
}

t.test('AES-128: before every MAP behind the first key, no key; and behind it the key again', async (t) => {
  const server = await start(t, 'aes-128');
  const { text } = await server.ask(`/play/-/${sealed}/v0/whole.m3u8`);
  const tags = text.split('\n').flatMap((line) => (/^#EXT-X-(KEY:METHOD=[A-Z0-9-]+|MAP|DISCONTINUITY$)/.exec(line)?.[0] ?? []));
  const key = '#EXT-X-KEY:METHOD=AES-128';
  const at = tags.indexOf('#EXT-X-DISCONTINUITY');
  t.same(tags.slice(0, 3), ['#EXT-X-MAP', key, key], 'the first MAP comes before the first key');
  t.same(tags.slice(at, at + 4), ['#EXT-X-DISCONTINUITY', '#EXT-X-KEY:METHOD=NONE', '#EXT-X-MAP', key]);
  t.match(text, /^#EXT-X-KEY:METHOD=AES-128,URI="\.\.\/keys\/[0-9a-f]{32}",IV=0x[0-9a-f]{32}$/m);
  const delta = (await (await start(t, 'aes-128', going)).ask(`/play/-/${sealed}/v0/index.m3u8?_HLS_skip=YES`)).text;
  t.match(delta, /EXT-X-SKIP:.*\n(?:#EXT-X-DISCONTINUITY\n)?#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:.*\n#EXT-X-KEY:METHOD=AES-128/, 'who merges a delta hears of both again');
});

t.test('AES-128: where a key has ended, the next one stands ahead of the hint', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const video = server.presentations.add(new FakePresentation({ video: sealed })).do((stream) => stream.segments(8));
  const plain = video.snapshot.bind(video);
  video.snapshot = () => ({ ...plain(), policy: { ...plain().policy, protection: 'aes-128' } });
  const tail = async (): Promise<string> => (await server.ask(`/play/-/${sealed}/v0/index.m3u8`)).text.slice(-700);
  const { kid } = (await fakeKeys.ringOf(sealed)).key(3);
  t.match(await tail(), new RegExp(`-8\\.m4s\n#EXT-X-KEY:METHOD=AES-128,URI="../keys/${kid.toString('hex')}",.*\n#EXT-X-PRELOAD-HINT:.*-9-0\\.m4s"`));
  video.do((stream) => stream.segments(1));
  t.match(await tail(), /-9\.m4s\n#EXT-X-PRELOAD-HINT/);
});

t.test('cbcs: a manifest that waits for rungs is written under the keys that the video has by then', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const video = server.presentations.add(new FakePresentation({ video: sealed })).do((stream) => stream.segments(8));
  const plain = video.snapshot.bind(video);
  let isMade = false;
  video.snapshot = () => {
    const { policy, tracks, ...rest } = plain();
    const rungs = tracks.filter(({ kind }) => kind === 'video').map((track) => ({ ...track, id: 'v1', rung: {}, ...(!isMade && { epochs: [], endSegment: 0 }) }));
    return { ...rest, policy: isMade ? { ...policy, protection: 'cbcs' } : policy, tracks: [...tracks, ...rungs] };
  };
  const asked = server.ask(`/play/-/${sealed}/manifest.mpd`);
  await server.waiting(1);
  isMade = true;
  video.do(() => undefined);
  t.match((await asked).text, '<ContentProtection ');
});

const samplesOf = (file: Buffer): Buffer[] => readFragments(file).flatMap(({ samples }) => samples.map(({ offset, size }) => file.subarray(offset, offset + size)));

for (const [name, recorded, list] of [
  ['a recording', ended, 'whole.m3u8'],
  ['a show in progress', going, 'index.m3u8'],
] as const) {
  t.test(`cbcs: ${name}, with the keys of its playlists and of its licences, is what it is in the clear`, async (t) => {
    const server = await start(t, 'cbcs', recorded);
    const licences: string[] = [];
    for (const track of ['v0', 'a0']) {
      const path = `/play/-/${sealed}/${track}/${list}`;
      const { text } = await server.ask(path);
      const files = filesOf(text);
      const periods = new Set(files.map(({ number }) => Math.floor(number / 3)));
      t.equal(new Set(files.map(({ key }) => key?.uri)).size, periods.size, 'a key for three segments');
      t.ok(periods.size >= 3 && new Set(files.map(({ map }) => map)).size >= periods.size, 'and an init segment for each');
      t.equal(text.split('#EXT-X-DISCONTINUITY\n').length - 1, 1, 'which is no discontinuity');
      t.match(text, /(?:m4s|\d")\n#EXT-X-MAP:.*\n#EXT-X-KEY:METHOD=SAMPLE-AES/, 'both stand between two segments of one epoch');
      for (const { uri, key, map } of files) {
        t.equal(key?.method, 'SAMPLE-AES');
        const init = (await server.ask(at(path, map ?? ''))).body;
        const tenc = init.indexOf('tenc', 0, 'latin1') + 4;
        t.equal(init[tenc], 1, 'the version that Safari wants');
        const kid = init.subarray(tenc + 8, tenc + 24);
        const iv = init.subarray(tenc + 25, tenc + 41);
        t.equal(key?.uri, `../keys/${kid.toString('hex')}`);
        t.same([...((key?.iv ?? []) as Uint32Array)], [0, 4, 8, 12].map((from) => iv.readUInt32BE(from)), 'the IV of the playlist is that of the init segment');
        licences.push(kid.toString('base64url'));
        const bytes = (await server.ask(at(path, key?.uri ?? ''))).body;
        const body = (await server.ask(at(path, uri))).body;
        const plain = (await server.ask(at(path, uri).replace(sealed, clear))).body;
        const same = (one: readonly Buffer[], other: readonly Buffer[]): boolean => one.length === other.length && one.every((sample, index) => other[index]?.equals(sample));
        t.ok(same(openCbcs(body, bytes, iv), samplesOf(plain)), `${track} ${uri}`);
        t.notOk(same(openCbcs(body, Buffer.alloc(16), iv), samplesOf(plain)), 'and not by another key');
        t.ok(boxes(body).length >= 2);
      }
    }
    const kids = [...new Set(licences)];
    const ask = { method: 'POST', body: JSON.stringify({ kids, type: 'temporary' }) };
    const { status, headers, text } = await server.ask(`/play/-/${sealed}/keys/licence`, ask);
    t.equal(status, 200);
    t.match(headers, { 'cache-control': 'no-store', 'content-type': 'application/json', 'access-control-allow-origin': '*' });
    const { keys } = JSON.parse(text) as { keys: { kty: string; kid: string; k: string }[] };
    t.same(keys.map(({ kid }) => kid), kids);
    for (const { kid, k, kty } of keys) {
      t.equal(kty, 'oct');
      const { body } = await server.ask(`/play/-/${sealed}/keys/${Buffer.from(kid, 'base64url').toString('hex')}`);
      t.equal(k, body.toString('base64url'));
    }
  });
}

t.test('cbcs: the manifest says which key each Period is under, and where licences are asked for', async (t) => {
  const server = await start(t, 'cbcs');
  const { text } = await server.ask(`/play/-/${sealed}/manifest.mpd`, { headers: { host: 'media.example.org' } });
  const { periods } = readManifest(text);
  t.equal(periods.length, 3, 'two epochs, and in the first a change of the key');
  const ids = [...text.matchAll(/cenc:default_KID="([0-9a-f-]{36})"/g)].map(([, id = '']) => id.replaceAll('-', ''));
  t.equal(ids.length, 6);
  t.equal(new Set(ids).size, 3);
  for (const id of ids) t.equal((await server.ask(`/play/-/${sealed}/keys/${id}`)).status, 200);
  const places = [...text.matchAll(/Laurl[^>]*>([^<]+)</g)].map(([, place]) => place);
  t.equal(places.length, 12);
  t.ok(places.every((place) => place === `http://media.example.org/play/-/${sealed}/keys/licence`));
  const plain = (await server.ask(`/play/-/${clear}/manifest.mpd`)).text;
  t.notMatch(plain, /ContentProtection|cenc/);
});

t.test('a segment in progress is the same bytes part by part as when it is complete', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  server.presentations.videos.set(sealed, recordedPresentation(under('cbcs', going)));
  const { tracks, run } = going.snapshot;
  const open = tracks.find(({ id }) => id === 'v0')?.open;
  t.ok(open && open.count > 1, 'a segment is open');
  const flow = await server.follow(`/play/-/${sealed}/v0/${run}-${open?.msn}.m4s`);
  const parts = await Promise.all(Array.from({ length: open?.count ?? 0 }, async (_, part) => (await server.ask(`/play/-/${sealed}/v0/${run}-${open?.msn}-${part}.m4s`)).body));
  const whole = Buffer.concat(parts);
  t.ok((await flow.has(whole.length)).subarray(0, whole.length).equals(whole));
  flow.leave();
});

t.test('what a scheme does not cover is refused with a code, and never served in the clear', async (t) => {
  const aes = await start(t, 'aes-128', going);
  const cbcs = await start(t, 'cbcs');
  const hevc = new FakePresentation({ video: sealed, tracks: [{ id: 'v0', kind: 'video', codec: 'hevc', timescale: 90_000, partTicks: 30_000 }] });
  hevc.do((stream) => stream.segments(2));
  const other = await TestServer.start();
  t.teardown(() => other.stop());
  other.presentations.videos.set(sealed, { ...recordedPresentation(under('cbcs', ended)), snapshot: () => ({ ...hevc.snapshot(), policy: { ...hevc.snapshot().policy, protection: 'cbcs' } }) });
  const { run, tracks } = going.snapshot;
  const open = tracks.find(({ id }) => id === 'v0')?.open?.msn ?? 0;
  for (const [server, path, status, want] of [
    [aes, 'manifest.mpd', 404, 'dash-not-protected'],
    [aes, `v0/${run}-${open}.m4s`, 404, 'not-yet'],
    [aes, `mp4/${run}-v0-a0.mp4`, 403, 'download-protected'],
    [cbcs, 'ts/master.m3u8', 404, 'ts-not-protected'],
    [cbcs, 'ts/v0/whole.m3u8', 404, 'ts-not-protected'],
    [cbcs, `ts/v0/${run}-2.ts`, 404, 'ts-not-protected'],
    [cbcs, `mp4/${run}-v0-a0.mp4`, 403, 'download-protected'],
    ...['master.m3u8', 'manifest.mpd', 'v0/index.m3u8', `v0/${hevc.snapshot().run}-1.m4s`, `v0/${hevc.snapshot().run}-i0-0.mp4`].map((path) => [other, path, 404, 'cbcs-not-carried'] as const),
  ] as const) {
    const answer = await server.ask(`/play/-/${sealed}/${path}`);
    t.equal(answer.status, status, path);
    t.equal(code(answer.text), want, path);
  }
});

t.test('keys are for whoever may play the video, and for nobody else', async (t) => {
  const server = await start(t, 'cbcs');
  const ring = await fakeKeys.ringOf(sealed);
  const { kid } = ring.key(0);
  const name = kid.toString('hex');
  const other = (await fakeKeys.ringOf(clear)).key(0).kid.toString('hex');
  const licence = (grant: string, kids: unknown = [kid.toString('base64url')], method = 'POST') => server.ask(`/play/${grant}/${sealed}/keys/licence`, { method, ...(method === 'POST' && { body: typeof kids === 'string' ? kids : JSON.stringify({ kids }) }) });
  t.equal((await server.ask(`/play/-/${sealed}/keys/${name}`)).status, 200);
  t.equal((await licence('-')).status, 200);
  for (const [path, want] of [
    [`${sealed}/keys/${other}`, 'no-such-key'],
    [`${clear}/keys/${other}`, 'no-such-key'],
    [`${sealed}/keys/${name.toUpperCase()}`, 'not-found'],
    [`${sealed}/keys/${name}0`, 'not-found'],
    [`${sealed}/keys/`, 'not-found'],
    [`${sealed}/ts/keys/${name}`, 'not-found'],
    [`${sealed}/cut-0-end/keys/${name}`, 'not-found'],
  ] as const) {
    const { status, text, headers } = await server.ask(`/play/-/${path}`);
    t.equal(status, 404, path);
    t.equal(code(text), want, path);
    t.equal(headers['cache-control'], 'no-store');
  }
  const many = Array.from({ length: 65 }, () => kid.toString('base64url'));
  for (const kids of ['', '{', '[]', '"x"', 'null', [], many, ['x'], [7], { length: 1 }, 'x'.repeat(100_000)]) {
    const { status, text } = await licence('-', kids);
    t.equal(status, 400, JSON.stringify(kids).slice(0, 40));
    t.equal(code(text), 'bad-licence-request');
  }
  t.equal(code((await licence('-', [Buffer.from(other, 'hex').toString('base64url')])).text), 'no-such-key');
  t.equal((await licence('-', [], 'GET')).status, 405);
  t.equal((await server.ask(`/play/-/${sealed}/keys/${name}`, { method: 'POST', body: '{}' })).status, 405);

  server.gatekeeper.closed.add(sealed);
  t.equal((await server.ask(`/play/-/${sealed}/keys/${name}`)).status, 404);
  t.equal((await licence('-')).status, 404);
  const wrong = await server.ask(`/play/abc/${sealed}/keys/${name}`);
  t.equal(wrong.status, 403);
  t.equal(code((await licence('abc')).text), 'grant-signature');
});

t.test('ciphertext is made once for all who ask, and kept', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const video = server.live({ video: sealed });
  const plain = video.snapshot.bind(video);
  video.snapshot = () => ({ ...plain(), policy: { ...plain().policy, protection: 'aes-128' } });
  let open: () => void = () => undefined;
  video.gate = new Promise((resolve) => (open = resolve));
  const file = `/play/-/${sealed}/v0/k3v9x0a2b7-8-0.m4s`;
  const asked = Array.from({ length: 20 }, () => server.ask(file));
  while (video.reads.length === 0) await new Promise((turn) => setImmediate(turn));
  open();
  const [one, ...others] = await Promise.all(asked);
  t.ok(one && others.every(({ body }) => body.equals(one.body)));
  const { key, iv } = (await fakeKeys.ringOf(sealed)).key(2);
  t.ok(opened(one?.body ?? Buffer.alloc(0), key, iv).equals(video.bytes('v0', 42)));
  await server.ask(file);
  t.same(video.reads, ['v0 42-43']);
});
