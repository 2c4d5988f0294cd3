/** Progressive MP4 over HTTP: any range of a file that is never there as a whole. */
import { connect } from 'node:net';
import { once } from 'node:events';
import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { LogError, type TrackLogReader } from '../../packager/log/types.ts';
import { clipFile, clipOf, record } from '../../packager/mpegts/recorded.ts';
import { downloadsOf } from '../../packager/progressive/downloads.ts';
import { progressivePlan } from '../../packager/progressive/plan.ts';
import { openProgressive, readProgressive } from '../../packager/progressive/read.ts';
import { recordedPresentation } from './fake-presentation.ts';
import { attachment } from './file-name.ts';
import type { Presentation } from './presentation.ts';
import { play, TestServer } from './test-server.ts';

const usual = await clipOf(await clipFile(10, 'keyint=60:min-keyint=60:scenecut=0:bframes=2'));
const recorded = await record([{ clip: usual }]);
/** Noise, which takes many bytes. */
const heavy = await record([{ clip: await clipOf(await clipFile(8, 'keyint=60:bframes=0:qp=2', ['-preset', 'ultrafast', '-vf', 'noise=alls=100:allf=t+u,scale=320:180:flags=neighbor'])) }]);
const run = 'run1234567';
const file = `${play}/mp4/${run}-v0-a0.mp4`;
const described = await openProgressive(progressivePlan(recorded.snapshot, 'v0', 'a0'), recorded.log);
const pieces: Buffer[] = [];
for await (const piece of readProgressive(described, recorded.log)) pieces.push(piece);
const whole = Buffer.concat(pieces);

const start = async (t: { teardown: (run: () => unknown) => void }, presentation: Presentation = recordedPresentation(recorded)): Promise<TestServer> => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  server.presentations.videos.set('video-00000001', presentation);
  return server;
};
const code = (text: string): string => JSON.parse(text).code;

/** The recording, with a hand on its readers. */
const watched = (change: (reader: TrackLogReader) => TrackLogReader, of = recorded): Presentation => {
  const presentation = recordedPresentation(of);
  return {
    ...presentation,
    reader: (track) => {
      const reader = presentation.reader(track);
      return reader && change(reader);
    },
  };
};
const altered = (reader: TrackLogReader, change: Partial<TrackLogReader>): TrackLogReader => ({
  snapshot: () => reader.snapshot(),
  read: (from, to) => reader.read(from, to),
  readChecked: (from, to) => reader.readChecked(from, to),
  readHeads: (from, to, bytes) => reader.readHeads(from, to, bytes),
  close: () => reader.close(),
  ...change,
});

t.test('the file, its head and any range of it', async (t) => {
  const server = await start(t);
  const all = await server.ask(file);
  t.equal(all.status, 200);
  t.ok(all.body.equals(whole));
  t.match(all.headers, {
    'content-type': 'video/mp4',
    'content-length': String(whole.length),
    'accept-ranges': 'bytes',
    'cache-control': 'public, max-age=60',
    'content-disposition': 'attachment; filename="video-00000001-90p.mp4"',
    etag: described.etag,
  });
  const head = await server.ask(file, { method: 'HEAD' });
  t.ok(head.status === 200 && head.body.length === 0 && head.headers['content-length'] === String(whole.length));
  const random = new Random(5);
  for (let round = 0; round < 60; round++) {
    const from = random.below(whole.length);
    const to = from + random.below(whole.length - from);
    const { status, body, headers } = await server.ask(file, { headers: { range: `bytes=${from}-${to}` } });
    if (status !== 206 || !body.equals(whole.subarray(from, to + 1))) t.fail(`bytes ${from} to ${to}: ${status}, ${body.length} bytes`);
    if (headers['content-range'] !== `bytes ${from}-${to}/${whole.length}`) t.fail(String(headers['content-range']));
  }
  t.ok((await server.ask(file, { headers: { range: 'bytes=-100' } })).body.equals(whole.subarray(-100)));
  t.equal(server.delivery.stats().requests.get('download 206'), 61);
});

t.test('conditions, and ranges that are none', async (t) => {
  const server = await start(t);
  const ask = (headers: Record<string, string>, method = 'GET') => server.ask(file, { headers, method });
  const beyond = await ask({ range: `bytes=${whole.length}-` });
  t.equal(beyond.status, 416);
  t.equal(beyond.headers['content-range'], `bytes */${whole.length}`);
  t.equal((await ask({ 'if-none-match': described.etag })).status, 304);
  t.equal((await ask({ range: 'bytes=0-9', 'if-range': described.etag })).status, 206);
  t.equal((await ask({ range: 'bytes=0-9', 'if-range': '"another"' })).status, 200, 'what the client has is not this');
  t.equal((await ask({ range: 'bytes=0-9, 20-29' })).status, 200, 'several ranges are answered whole');
  const head = await ask({ range: 'bytes=0-9' }, 'HEAD');
  t.ok(head.status === 200 && head.headers['content-length'] === String(whole.length));
});

t.test('what cannot be downloaded, and why', async (t) => {
  const server = await start(t);
  const refusal = async (path: string): Promise<string> => {
    const { status, text } = await server.ask(path);
    return `${status} ${code(text)}`;
  };
  t.equal(await refusal(`${play}/mp4/otherrun12-v0-a0.mp4`), '404 other-run');
  t.equal(await refusal(`${play}/mp4/${run}-v7-a0.mp4`), '404 no-such-track');
  t.equal(await refusal(`${play}/mp4/${run}-a0-v0.mp4`), '404 no-such-track', 'one file has one name');
  server.presentations.videos.set('video-00000003', { ...recordedPresentation(recorded), snapshot: () => ({ ...recorded.snapshot, state: 'live' }) });
  t.equal(await refusal(`/play/-/video-00000003/mp4/${run}-v0-a0.mp4`), '409 still-live');
  t.equal(await refusal(`/play/-/video-00000009/mp4/${run}-v0-a0.mp4`), '404 not-live-yet');
  const grant = { ok: true, shared: false, expiresAt: null, maxHeight: null, mayDownload: true } as const;
  server.gatekeeper.grants.set('watch-only', { ...grant, mayDownload: false });
  t.equal(await refusal(`/play/watch-only/video-00000001/mp4/${run}-v0-a0.mp4`), '403 download-not-allowed');
  server.gatekeeper.grants.set('small', { ...grant, maxHeight: 80 });
  t.equal(await refusal(`/play/small/video-00000001/mp4/${run}-v0-a0.mp4`), '403 height-limit');
  const sound = await server.ask(`/play/small/video-00000001/mp4/${run}-a0.mp4`);
  t.match(sound.headers, { 'content-type': 'audio/mp4', 'cache-control': 'private, max-age=60', 'content-disposition': /"video-00000001\.mp4"/ });
  t.equal(sound.status, 200);
});

t.test('the description is made once, out of heads, and kept', async (t) => {
  let heads = 0;
  let bodies = 0;
  const counted = watched((reader) =>
    altered(reader, {
      readHeads: (from, to, bytes) => (heads++, reader.readHeads(from, to, bytes)),
      readChecked: (from, to) => (bodies++, reader.readChecked(from, to)),
    }),
  );
  const server = await start(t, counted);
  await Promise.all(Array.from({ length: 20 }, () => server.ask(file, { headers: { range: 'bytes=0-15' } })));
  const once = heads;
  t.ok(once > 0 && once <= 4, `${once} reads of heads`);
  t.equal(bodies, 0, 'the beginning of the file needs no media');
  await server.ask(file, { headers: { range: 'bytes=-10' } });
  t.equal(heads, once);
  t.ok(bodies <= 2);
});

t.test('a download that cannot go on ends as a fault: deleted, trimmed, damaged, stopped', async (t) => {
  for (const why of ['deleted', 'trimmed', 'damaged', 'stopped'] as const) {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let read = 0;
    const held = watched(
      (reader) =>
        altered(reader, {
          readChecked: async (from, to) => {
            if (read++ >= 2) await gate;
            if (why === 'damaged' && read > 2) throw new LogError('corrupt', 'a bit has turned over');
            return reader.readChecked(from, to);
          },
        }),
      heavy,
    );
    const server = await start(t, held);
    const asked = await server.follow(file);
    t.equal(asked.status, 200);
    const { snapshot } = heavy;
    if (why === 'deleted') server.presentations.forget('video-00000001');
    if (why === 'trimmed') server.presentations.forget('video-00000001', { ...held, snapshot: () => ({ ...snapshot, cut: { inMicros: 2_000_000, outMicros: null } }) });
    if (why === 'stopped') server.delivery.release();
    open();
    t.equal(await asked.ended(), 'fault', why);
    t.ok(asked.body.length < Number(asked.headers['content-length']));
  }
});

t.test('a log that was closed and opened again meanwhile changes nothing', async (t) => {
  const server = await start(t);
  server.presentations.later = true;
  t.ok((await server.ask(file)).body.equals(whole));
});

t.test('a peer that does not read is read for no further, and is sent away', async (t) => {
  let read = 0;
  const counted = watched(
    (reader) =>
      altered(reader, {
        readChecked: async (from, to) => {
          const found = await reader.readChecked(from, to);
          read += found.reduce((sum, { length }) => sum + length, 0);
          return found;
        },
      }),
    heavy,
  );
  const server = await start(t, counted);
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET ${file} HTTP/1.1\r\nHost: x\r\n\r\n`);
  while (server.delivery.stats().slowPeers.sending === 0) await new Promise((turn) => setImmediate(turn));
  // Whoever reads on without being read from has all the time to do so.
  for (let turns = 0; turns < 2000; turns++) await new Promise((turn) => setImmediate(turn));
  const size = (await server.ask(file, { method: 'HEAD' })).headers['content-length'];
  t.ok(Number(size) > 12_000_000, `a file of ${size} bytes`);
  t.ok(read < Number(size) - 2_000_000, `${read} bytes read`);
  t.ok(server.delivery.stats().slowPeers.heldBytes < 2_000_000, `${server.delivery.stats().slowPeers.heldBytes} bytes held`);
  server.clock.advance(22_000);
  t.match(server.delivery.stats().slowPeers, { sending: 0, heldBytes: 0, dropped: 1 });
  socket.resume();
  await once(socket, 'close');
});

t.test('a file is kept under the name that was asked for, made harmless', async (t) => {
  const named = (query: string): string => attachment(query, 'video-1', '-720p.mp4');
  t.equal(named(''), 'attachment; filename="video-1-720p.mp4"');
  t.equal(named('name=My%20show'), 'attachment; filename="My show-720p.mp4"');
  t.equal(named('x=1&name=My+show'), 'attachment; filename="My show-720p.mp4"');
  t.equal(named('name=%EC%95%88%EB%85%95'), `attachment; filename="__-720p.mp4"; filename*=UTF-8''%EC%95%88%EB%85%95-720p.mp4`);
  t.equal(named('name=..%2F..%2Fetc%2Fpasswd'), 'attachment; filename="etc passwd-720p.mp4"');
  t.equal(named('name=a%0d%0aSet-Cookie:%20x'), 'attachment; filename="a Set-Cookie x-720p.mp4"');
  t.equal(named('name=%22%3b%20x%3d%22'), `attachment; filename="; x=-720p.mp4"`);
  t.equal(named(`name=it%27s%20(1)%20%E2%80%AEgpj`), `attachment; filename="it's (1) gpj-720p.mp4"`);
  t.equal(named('name=100%25%C3%A9'), `attachment; filename="100__-720p.mp4"; filename*=UTF-8''100%25%C3%A9-720p.mp4`);
  for (const none of ['name=', 'name=%', 'name=%ff', 'name=...', 'name=%20', 'name=%00%01']) t.equal(named(none), 'attachment; filename="video-1-720p.mp4"', none);
  t.ok(named(`name=${'x'.repeat(5000)}`).length < 200);
  const random = new Random(9);
  for (let round = 0; round < 5000; round++) {
    const text = Array.from({ length: random.below(40) }, () => String.fromCharCode(random.below(0x3000))).join('');
    const said = named(`name=${random.below(2) === 0 ? text : encodeURIComponent(text)}`);
    if (!/^attachment; filename="[\x20-\x21\x23-\x7e]*"(; filename\*=UTF-8''[\w.!~%-]*)?$/.test(said)) t.fail(said);
  }
});

t.test('the downloads of a recording are its rungs with their sound, the best first; a show in progress has none', async (t) => {
  const server = await start(t);
  const found = downloadsOf(recorded.snapshot);
  t.same(found, [{ path: `mp4/${run}-v0-a0.mp4`, height: 90 }]);
  for (const { path } of found) t.equal((await server.ask(`${play}/${path}`, { method: 'HEAD' })).status, 200);
  t.same(downloadsOf({ ...recorded.snapshot, state: 'live' }), []);
  t.same(downloadsOf({ ...recorded.snapshot, tracks: recorded.snapshot.tracks.filter(({ kind }) => kind === 'audio') }), [{ path: `mp4/${run}-a0.mp4`, height: null }]);
});
