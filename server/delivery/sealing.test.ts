/** What cannot be protected, or not all of it: refused once and for all, or left out. */
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { clipFile, clipOf, record, type Recorded } from '../../packager/mpegts/recorded.ts';
import type { TrackSnapshot } from '../../packager/snapshot.ts';
import { FakePresentation, recordedPresentation } from './fake-presentation.ts';
import { TestServer } from './test-server.ts';

const clip = await clipOf(await clipFile(10, 'keyint=30:min-keyint=30:scenecut=0:bframes=2'));
const recorded = await record([{ clip, until: 6000 }]);
const id = 'video-00000003';
const play = `/play/-/${id}`;
const code = (text: string): string => JSON.parse(text).code;
const { run } = recorded.snapshot;

/** The recording in `cbcs`, with each of its tracks as `tracks` says. */
const sealed = ({ snapshot, ...rest }: Recorded, tracks: (track: TrackSnapshot) => TrackSnapshot[] = (track) => [track]): Recorded => ({
  ...rest,
  snapshot: { ...snapshot, video: id, policy: { ...snapshot.policy, protection: 'cbcs' }, tracks: snapshot.tracks.flatMap(tracks) },
});

const start = async (t: Test, shown: Recorded): Promise<TestServer> => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  server.presentations.videos.set(id, recordedPresentation(shown));
  return server;
};

/** Pictures whose init segments are what `change` makes of them. */
const withInit = (change: (init: Buffer) => void): Recorded =>
  sealed(recorded, (track) => {
    if (track.kind !== 'video') return [track];
    const epochs = track.epochs.map((epoch) => {
      const init = Buffer.from(epoch.init);
      change(init);
      return { ...epoch, init };
    });
    return [{ ...track, epochs }];
  });

t.test('pictures whose slices cannot be read are refused as such, and told of once a file', async (t) => {
  const unread = withInit((init) => {
    // Behind the five bytes of its head, the SPS, and the number and the length of the PPS.
    const sps = init.indexOf('avcC', 0, 'latin1') + 4 + 6;
    const pps = sps + 2 + init.readUInt16BE(sps) + 3;
    init.fill(0, pps + 1, pps + 4);
  });
  const server = await start(t, unread);
  const asked = await Promise.all(Array.from({ length: 10 }, () => server.ask(`${play}/v0/${run}-1.m4s`)));
  for (const { status, text } of [...asked, await server.ask(`${play}/v0/${run}-1.m4s`)]) {
    t.equal(status, 404);
    t.equal(code(text), 'cbcs-not-carried');
  }
  t.match(server.errors, [{ name: 'ProtectError', code: 'unsupported' }], 'ten at once and one later, and one line for the operator');
  t.equal((await server.ask(`${play}/v0/${run}-2.m4s`)).status, 404);
  t.equal(server.errors.length, 2, 'another file is another matter');
  t.equal((await server.ask(`${play}/a0/${run}-1.m4s`)).status, 200);
  server.presentations.forget(id, recordedPresentation(sealed(recorded)));
  t.equal((await server.ask(`${play}/v0/${run}-1.m4s`)).status, 200, 'what is another from now on is looked at anew');
});

t.test('so are init segments', async (t) => {
  const server = await start(t, withInit((init) => void init.write('avc3', init.lastIndexOf('avc1'), 'latin1')));
  for (let ask = 0; ask < 3; ask++) {
    const { status, text } = await server.ask(`${play}/v0/${run}-i0-0.mp4`);
    t.equal(status, 404);
    t.equal(code(text), 'cbcs-not-carried');
  }
  t.equal(server.errors.length, 1);
});

t.test('media that is not what it should be is damaged, and told of once', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const video = server.presentations.add(new FakePresentation({ video: id })).do((stream) => stream.segments(8));
  const plain = video.snapshot.bind(video);
  video.snapshot = () => ({ ...plain(), policy: { ...plain().policy, protection: 'cbcs' } });
  for (let ask = 0; ask < 3; ask++) {
    const { status, text } = await server.ask(`${play}/v0/k3v9x0a2b7-3.m4s`);
    t.equal(status, 404);
    t.equal(code(text), 'damaged');
  }
  t.equal(server.errors.length, 1);
  t.equal(video.reads.length, 1, 'nor is it read again');
});

/** As an upload is: its original in HEVC, and beside it what was made of that in H.264. */
const beside = (...originals: TrackSnapshot['kind'][]): Recorded => {
  const codecs = { video: 'hevc', audio: 'opus', text: 'wvtt' } as const;
  const shown = sealed(recorded, (track) => {
    const original = { ...track, id: `${track.id}0`, codec: codecs[track.kind], epochs: track.epochs.map((epoch) => ({ ...epoch, codecString: `of ${codecs[track.kind]}`, height: 2160 })) };
    return originals.includes(track.kind) ? [original, track] : [track];
  });
  return { ...shown, logs: new Map([...shown.logs, ...[...shown.logs].map(([track, log]) => [`${track}0`, log] as const)]) };
};

t.test('tracks that cbcs is not for are left out, where others of their kind are there', async (t) => {
  const server = await start(t, beside('video', 'audio'));
  const { text } = await server.ask(`${play}/master.m3u8`);
  t.match(text, /avc1[^\n]*\nv0\/whole\.m3u8/);
  t.notMatch(text, /v00|a00|of hevc|of opus/);
  const manifest = (await server.ask(`${play}/manifest.mpd`)).text;
  t.match(manifest, /<Representation id="v0"/);
  t.notMatch(manifest, /v00|a00|of hevc|of opus/);
  t.equal((await server.ask(`${play}/v0/whole.m3u8`)).status, 200);
  t.match(await server.ask(`${play}/v0/${run}-1.m4s`), { status: 200, headers: { 'content-type': 'video/mp4' } });
  for (const left of ['v00/whole.m3u8', 'v00/iframes.m3u8', `v00/${run}-i0-0.mp4`, `v00/${run}-1.m4s`, `v00/${run}-k1.m4s`, 'a00/whole.m3u8', `a00/${run}-1.m4s`]) {
    const answer = await server.ask(`${play}/${left}`);
    t.equal(answer.status, 404, left);
    t.equal(code(answer.text), 'no-such-track', left);
  }
  t.equal((await server.ask(`${play}/keys/licence`, { method: 'POST', body: '{}' })).status, 400, 'there are licences');
});

t.test('where nothing of the pictures remains, or of the sound, nothing is served', async (t) => {
  for (const kind of ['video', 'audio'] as const) {
    const only = beside(kind);
    const server = await start(t, { ...only, snapshot: { ...only.snapshot, tracks: only.snapshot.tracks.filter((track) => track.kind !== kind || track.id.length === 3) } });
    for (const path of ['master.m3u8', 'manifest.mpd', 'v0/whole.m3u8', `a0/${run}-1.m4s`]) {
      const answer = await server.ask(`${play}/${path}`);
      t.equal(answer.status, 404, path);
      t.equal(code(answer.text), 'cbcs-not-carried', path);
    }
  }
});

t.test('who waits for what comes next is woken, whatever is left out', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const tracks = [
    { id: 'v0', kind: 'video', codec: 'hevc', timescale: 90_000, partTicks: 30_000 },
    { id: 'v1', kind: 'video', timescale: 90_000, partTicks: 30_000 },
  ] as const;
  const video = server.presentations.add(new FakePresentation({ video: id, tracks })).do((stream) => stream.segments(8).part());
  const plain = video.snapshot.bind(video);
  video.snapshot = () => ({ ...plain(), policy: { ...plain().policy, protection: 'cbcs' } });
  const asked = server.ask(`${play}/v1/index.m3u8?_HLS_msn=9&_HLS_part=1`);
  await server.waiting(1);
  video.do((stream) => stream.part());
  t.match(await asked, { status: 200, text: /-9-1\.m4s/ });
  t.equal(video.listeners, 0);
});

const licences = (text: string): string[] => [...new Set([...text.matchAll(/Laurl[^>]*>([^<]+)</g)].map(([, place = '']) => place))];

t.test('a manifest is written once for all grants, and sends each of them to where his keys are', async (t) => {
  const server = await start(t, sealed(recorded));
  const grants = Array.from({ length: 100 }, (_, index) => `grant-${index}`);
  for (const grant of grants) server.gatekeeper.grants.set(grant, { ok: true, shared: false, expiresAt: null, maxHeight: null, mayDownload: false });
  const written = server.delivery.stats().playlistsWritten;
  const tags = new Set<unknown>();
  for (const grant of [...grants, ...grants]) {
    const { status, headers, text } = await server.ask(`/play/${grant}/${id}/manifest.mpd`, { headers: { host: 'media.example.org' } });
    t.equal(status, 200);
    t.same(licences(text), [`http://media.example.org/play/${grant}/${id}/keys/licence`]);
    t.equal(headers['content-length'], String(Buffer.byteLength(text)));
    tags.add(headers.etag);
  }
  t.equal(server.delivery.stats().playlistsWritten - written, 1);
  t.equal(tags.size, grants.length);
  const packed = await server.ask(`/play/grant-0/${id}/manifest.mpd`, { headers: { 'accept-encoding': 'gzip' } });
  t.same(licences(gunzipSync(packed.body).toString()), [`http://127.0.0.1:${server.port}/play/grant-0/${id}/keys/licence`]);
  const cut = (grant: string): Promise<string> => server.ask(`/play/${grant}/${id}/cut-0-4000/manifest.mpd`).then(({ text }) => text);
  t.not(await cut('grant-0'), await cut('grant-1'));
  t.equal(server.delivery.stats().playlistsWritten - written, 2, 'and a cut is');
});

t.test('a manifest that sends players for keys to where its own request said is for nobody else', async (t) => {
  const kept = async (options: { oneAddress?: boolean }, shown = sealed(recorded)): Promise<unknown> => {
    const server = await TestServer.start(options);
    t.teardown(() => server.stop());
    server.presentations.videos.set(id, recordedPresentation(shown));
    const lists = await server.ask(`${play}/master.m3u8`);
    t.match(lists.headers, { 'cache-control': /^public/ });
    return (await server.ask(`${play}/manifest.mpd`, { headers: { host: 'evil.example.org' } })).headers['cache-control'];
  };
  t.equal(await kept({}), 'private, no-cache');
  t.equal(await kept({ oneAddress: true }), 'public, max-age=60');
  t.equal(await kept({}, { ...recorded, snapshot: { ...recorded.snapshot, video: id } }), 'public, max-age=60', 'clear media needs no keys');
});
