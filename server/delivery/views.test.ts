/** Cuts, starts, key pictures and MPEG-TS over HTTP, of real media. */
import t from 'tap';
import { readFragments, readInit } from '../../packager/cmaf/reader.ts';
import { iframesPlaylist } from '../../packager/hls/iframes.ts';
import { tsMediaPlaylist } from '../../packager/hls/ts.ts';
import { clipFile, clipOf, record } from '../../packager/mpegts/recorded.ts';
import { FakePresentation, recordedPresentation } from './fake-presentation.ts';
import { play, TestServer } from './test-server.ts';

const usual = await clipOf(await clipFile(10, 'keyint=60:min-keyint=60:scenecut=0:bframes=2:b-pyramid=normal'));
const recorded = await record([{ clip: usual }]);
const run = 'run1234567';

const start = async (t: { teardown: (run: () => unknown) => void }): Promise<TestServer> => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  server.presentations.videos.set('video-00000001', recordedPresentation(recorded));
  return server;
};
const code = (text: string): string => JSON.parse(text).code;

t.test('a key picture is the first of its segment, lasts as long as it does, and is kept for ever', async (t) => {
  const server = await start(t);
  const listed = (await server.ask(`${play}/v0/iframes.m3u8`)).text;
  t.equal(listed, iframesPlaylist(recorded.snapshot, 'v0', { whole: true }));
  const names = listed.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const v0 = recorded.snapshot.tracks.find(({ id }) => id === 'v0');
  t.equal(names.length, v0?.segments.length);
  for (const [index, name] of names.entries()) {
    const segment = v0?.segments[index];
    const { status, body, headers } = await server.ask(`${play}/v0/${name}`);
    t.equal(status, 200);
    t.match(headers, { 'content-type': 'video/mp4', 'cache-control': /immutable/ });
    const [picture, ...more] = readFragments(body);
    t.equal(more.length, 0);
    t.match(picture, { baseDecodeTime: segment?.start, duration: segment?.duration });
    const [sample, ...others] = picture?.samples ?? [];
    t.ok(sample?.key && others.length === 0);
    const [first] = await recorded.log('v0').read(segment?.parts[0]?.seq ?? 0, (segment?.parts[0]?.seq ?? 0) + 1);
    const original = first && readFragments(first)[0]?.samples[0];
    t.equal(sample?.cts, original?.cts, 'shown when it is shown in the segment');
    t.ok(first && sample && original && body.subarray(sample.offset, sample.offset + sample.size).equals(first.subarray(original.offset, original.offset + original.size)));
  }
  t.equal((await server.ask(`${play}/a0/iframes.m3u8`)).status, 404, 'sound has none');
  t.equal((await server.ask(`${play}/a0/${run}-k1.m4s`)).status, 404);
  t.equal((await server.ask(`${play}/v0/${run}-k99.m4s`)).status, 404);
  const holes = server.presentations.add(new FakePresentation({ video: 'video-00000002' })).do((stream) => stream.part(1, true).part().close());
  t.equal(code((await server.ask(`/play/-/video-00000002/v0/${holes.snapshot().run}-k1.m4s`)).text), 'gap');
  t.same(server.errors, []);
});

t.test('MPEG-TS is made once for all who ask, and what it cannot carry is refused', async (t) => {
  const server = await start(t);
  const master = await server.ask(`${play}/ts/master.m3u8`);
  t.match(master.text, '\nv0/whole.m3u8\n');
  t.match(master.headers, { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'public, max-age=10' });
  const whole = await server.ask(`${play}/ts/v0/whole.m3u8`);
  t.equal(whole.text, tsMediaPlaylist(recorded.snapshot, 'v0', { whole: true }));
  const path = `${play}/ts/v0/${run}-2.ts`;
  const all = await Promise.all(Array.from({ length: 20 }, () => server.ask(path)));
  t.ok(all.every(({ status, body }) => status === 200 && body.length > 0 && body.length % 188 === 0 && body.equals(all[0]?.body ?? Buffer.alloc(0))));
  t.match(all[0]?.headers, { 'content-type': 'video/mp2t', 'cache-control': /immutable/, 'accept-ranges': 'bytes' });
  const part = await server.ask(path, { headers: { range: 'bytes=188-375' } });
  t.ok(part.status === 206 && part.body.equals(all[0]?.body.subarray(188, 376) ?? Buffer.alloc(0)));
  const { misses } = server.delivery.stats().cache;
  await server.ask(path);
  t.equal(server.delivery.stats().cache.misses, misses, 'kept');
  for (const [name, want] of [[`v0/${run}-99.ts`, 'not-found'], ['v0/otherrun12-1.ts', 'other-run'], [`v7/${run}-1.ts`, 'no-such-track']] as const) {
    const { status, text } = await server.ask(`${play}/ts/${name}`);
    t.ok(status === 404 && code(text) === want, name);
  }
  const odd = server.presentations.add(new FakePresentation({ video: 'video-00000002' })).do((stream) => stream.segments(1).end());
  const { status, text } = await server.ask(`/play/-/video-00000002/ts/v0/${odd.snapshot().run}-1.ts`);
  t.equal(status, 404);
  t.match(code(text), /^ts-/);
  t.equal(server.delivery.stats().requests.get('ts-segment 200'), 21);
  t.same(server.errors, []);
});

t.test('a crowd that wants everything in MPEG-TS at once is told to come again, and nothing else waits for it', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const video = server.live();
  video.do((stream) => stream.segments(300));
  let open: () => void = () => undefined;
  video.gate = new Promise((resolve) => (open = resolve));
  const crowd = Array.from({ length: 300 }, (_, n) => server.ask(`${play}/ts/v0/k3v9x0a2b7-${n + 1}.ts`));
  while ((server.delivery.stats().requests.get('ts-segment 503') ?? 0) < 99) await new Promise((turn) => setImmediate(turn));
  t.equal((await server.ask(`${play}/v0/index.m3u8`)).status, 200);
  open();
  const codes = (await Promise.all(crowd)).map(({ text }) => code(text));
  t.equal(codes.filter((one) => one === 'crowded').length, 99, 'one is made, two hundred wait');
});

t.test('a cut lists what it holds, and names the media of the video', async (t) => {
  const server = await start(t);
  const cut = `${play}/cut-2500-5000`;
  t.match((await server.ask(`${cut}/master.m3u8`)).text, '\nv0/whole.m3u8\n');
  for (const list of ['index', 'whole']) {
    const { text } = await server.ask(`${cut}/v0/${list}.m3u8`);
    const media = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    t.same(media, [`../../v0/${run}-2.m4s`, `../../v0/${run}-3.m4s`], 'whole segments that touch it');
    t.match(text, `#EXT-X-MAP:URI="../../v0/${run}-i0.mp4"`);
    t.match(text, /ENDLIST/);
  }
  const transport = (await server.ask(`${cut}/ts/v0/index.m3u8`)).text;
  const segments = transport.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  t.same(segments, [`../../../ts/v0/${run}-2.ts`, `../../../ts/v0/${run}-3.ts`]);
  for (const name of segments) t.equal((await server.ask(new URL(name, `http://x${cut}/ts/v0/index.m3u8`).pathname)).status, 200);
  const keys = (await server.ask(`${cut}/v0/iframes.m3u8`)).text;
  t.match(keys, `../../v0/${run}-k2.m4s`);
  const mpd = (await server.ask(`${cut}/manifest.mpd`)).text;
  t.match(mpd, '<BaseURL>../</BaseURL>');
  t.match(mpd, 'startNumber="2"');
  const open = (await server.ask(`${play}/cut-6000-end/v0/index.m3u8`)).text;
  t.match(open, `#EXT-X-MEDIA-SEQUENCE:4\n`);
  t.match(open, `../../v0/${run}-5.m4s`);
  t.equal((await server.ask(`${play}/cut-9000000-end/v0/index.m3u8`)).status, 200, 'a cut of nothing');
  t.equal((await server.ask(`${play}/cut-9000000-end/manifest.mpd`)).status, 404);
});

t.test('a cut of a show in progress goes on with it, and is waited for like it', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const video = server.live();
  const { text } = await server.ask(`${play}/cut-4000-end/v0/index.m3u8`);
  t.match(text, '#EXT-X-MEDIA-SEQUENCE:3\n');
  t.match(text, 'PRELOAD-HINT:TYPE=PART,URI="../../v0/');
  t.match(text, 'URI="../a0/index.m3u8"', 'the other track of the cut');
  const asked = server.ask(`${play}/cut-4000-end/v0/index.m3u8?_HLS_msn=9&_HLS_part=2`);
  await server.waiting(1);
  video.do((stream) => stream.part());
  t.match((await asked).text, '-9-2.m4s"');
  t.match((await server.ask(`${play}/cut-4000-8000/v0/index.m3u8?_HLS_msn=99`)).text, /ENDLIST/, 'one that is complete is not waited for');
  t.match((await server.ask(`${play}/cut-4000-end/manifest.mpd`)).text, 'value="../../../time"');
  // It is complete as soon as the show has gone beyond its end, whatever was asked for.
  const last = server.ask(`${play}/cut-4000-17000/v0/index.m3u8?_HLS_msn=10`);
  await server.waiting(1);
  video.do((stream) => stream.close().part());
  t.match((await last).text, /ENDLIST/);
});

t.test('a start is written into the multivariant playlist, or refused with words', async (t) => {
  const server = await start(t);
  const said = async (query: string, path = 'master.m3u8'): Promise<string | undefined> => /EXT-X-START:(.*)/.exec((await server.ask(`${play}/${path}?${query}`)).text)?.[1];
  t.equal(await said('start=4'), 'TIME-OFFSET=4.000,PRECISE=YES');
  t.equal(await said('x=1&start=-2.5'), 'TIME-OFFSET=-2.500,PRECISE=YES');
  t.equal(await said('start=1.25', 'ts/master.m3u8'), 'TIME-OFFSET=1.250,PRECISE=YES');
  t.equal(await said('started=4'), undefined);
  server.presentations.live.set('show', 'video-00000001');
  t.match((await server.ask('/play/-/@show/master.m3u8?start=-3')).text, 'TIME-OFFSET=-3.000');
  for (const bad of ['start=', 'start', 'start=x', 'start=1e3', 'start=Infinity', 'start=NaN', 'start=0x10', 'start=604801', 'start=-9999999', 'start=1&start=2', `start=${'9'.repeat(4000)}`, 'start=%31']) {
    const { status, text } = await server.ask(`${play}/master.m3u8?${bad}`);
    t.equal(status, 400, bad.slice(0, 30));
    t.equal(code(text), 'bad-start');
  }
});

t.test('a crowd that asks for a thousand different starts and cuts does not fill memory', async (t) => {
  const server = await start(t);
  await server.ask(`${play}/master.m3u8`);
  for (let n = 0; n < 500; n++) {
    t.equal((await server.ask(`${play}/master.m3u8?start=${n}`)).status, 200);
    await server.ask(`${play}/cut-${n}-end/v0/index.m3u8`);
  }
  const { playlistsWritten } = server.delivery.stats();
  await server.ask(`${play}/master.m3u8`);
  await server.ask(`${play}/master.m3u8?start=499`);
  t.equal(server.delivery.stats().playlistsWritten, playlistsWritten, 'what everybody asks for is kept, and what was asked for lately');
  await server.ask(`${play}/master.m3u8?start=1`);
  t.equal(server.delivery.stats().playlistsWritten, playlistsWritten + 1, 'the others are not');
});

t.test('what a trim leaves out is neither listed nor served, also not from memory', async (t) => {
  const server = await start(t);
  const outside = [`v0/${run}-1.m4s`, `v0/${run}-1-0.m4s`, `v0/${run}-k1.m4s`, `a0/${run}-5.m4s`, `ts/v0/${run}-1.ts`];
  const inside = [`v0/${run}-2.m4s`, `v0/${run}-2-0.m4s`, `v0/${run}-k2.m4s`, `v0/${run}-i0.mp4`, `ts/v0/${run}-2.ts`, `ts/v0/${run}-3.ts`];
  // Asked for often enough to be kept.
  for (const name of [...outside, ...outside, ...outside, ...inside]) t.equal((await server.ask(`${play}/${name}`)).status, 200, name);
  const trim = { inMicros: 2_500_000, outMicros: 5_000_000 };
  server.presentations.forget('video-00000001', recordedPresentation(recorded, trim));
  for (const name of outside) {
    const { status, text } = await server.ask(`${play}/${name}`);
    t.ok(status === 404 && code(text) === 'trimmed', name);
  }
  for (const name of inside) t.equal((await server.ask(`${play}/${name}`)).status, 200, name);
  for (const path of ['v0/whole.m3u8', 'cut-0-end/v0/whole.m3u8']) {
    const { text } = await server.ask(`${play}/${path}`);
    t.match(text, '#EXT-X-MEDIA-SEQUENCE:2\n');
    t.notMatch(text, `${run}-4.m4s`);
  }
  t.match((await server.ask(`${play}/cut-4500-end/v0/whole.m3u8`)).text, '#EXT-X-MEDIA-SEQUENCE:3\n', 'a cut of what is left');
  t.ok(readInit((await server.ask(`${play}/v0/${run}-i0.mp4`)).body).codec);
});

t.test('what has been deleted is not answered from memory', async (t) => {
  const server = await start(t);
  const path = `${play}/v0/${run}-1.m4s`;
  for (let n = 0; n < 3; n++) t.equal((await server.ask(path)).status, 200);
  server.presentations.forget('video-00000001');
  t.equal((await server.ask(path)).status, 404);
  t.equal((await server.ask(`${play}/v0/${run}-i0.mp4`)).status, 404);
});

t.test('key pictures are for whoever has a grant for pictures, and everything else is not', async (t) => {
  const server = await start(t);
  const { gatekeeper } = server;
  for (const [grant, audience] of [['for-media', 'media'], ['for-pictures', 'pictures']] as const) {
    gatekeeper.grants.set(grant, { ok: true, shared: false, expiresAt: null, maxHeight: null, mayDownload: false });
    gatekeeper.audiences.set(grant, [audience]);
  }
  for (const [file, media, pictures] of [
    ['master.m3u8', 200, 403],
    ['manifest.mpd', 200, 403],
    ['v0/whole.m3u8', 200, 403],
    [`v0/${run}-1.m4s`, 200, 403],
    [`v0/${run}-i0.mp4`, 200, 200],
    ['v0/iframes.m3u8', 403, 200],
    ['cut-0-4000/v0/iframes.m3u8', 403, 200],
    [`v0/${run}-k1.m4s`, 403, 200],
  ] as const) {
    t.equal((await server.ask(`${play}/${file}`)).status, 200, `${file} is there`);
    for (const [grant, want] of [['for-media', media], ['for-pictures', pictures]] as const) {
      const { status, text } = await server.ask(`/play/${grant}/video-00000001/${file}`);
      t.equal(status, want, `${file} ${grant}`);
      if (want === 403) t.equal(code(text), 'grant-other-audience');
    }
  }
  const lists = /EXT-X-I-FRAME-STREAM-INF/;
  t.notMatch((await server.ask('/play/for-media/video-00000001/master.m3u8')).text, lists, 'what may not be had is not listed');
  t.match((await server.ask(`${play}/master.m3u8`)).text, lists);
});
