/** The picture of what is live, as it is given out below /play/. */
import t from 'tap';
import { play, TestServer } from './test-server.ts';

const picture = { bytes: Buffer.from('a small JPEG'), height: 360, version: 'ab12' };

t.test('it is given with its version, for a few seconds, and once to whoever has it', async (t) => {
  const now = new Map([['video-00000001', picture]]);
  const server = await TestServer.start({ pictures: { of: (video) => now.get(video) ?? null } });
  t.teardown(() => server.stop());
  const first = await server.ask(`${play}/picture.jpg?v=ab12`);
  t.same(first.body, picture.bytes);
  const kept = { etag: '"ab12"', 'cache-control': 'public, max-age=5' };
  t.match(first, { status: 200, headers: { ...kept, 'content-type': 'image/jpeg', 'content-length': '12', 'x-content-type-options': 'nosniff' } });
  const again = await server.ask(`${play}/picture.jpg`, { headers: { 'if-none-match': '"ab12"' } });
  t.match(again, { status: 304, headers: kept, text: '' });
  const head = await server.ask(`${play}/picture.jpg`, { method: 'HEAD' });
  t.match(head, { status: 200, headers: { ...kept, 'content-length': '12' }, text: '' });
  now.set('video-00000001', { ...picture, bytes: Buffer.from('another'), version: 'cd34' });
  t.match(await server.ask(`${play}/picture.jpg?v=ab12`, { headers: { 'if-none-match': '"ab12"' } }), { status: 200, text: 'another', headers: { etag: '"cd34"' } });
  now.clear();
  const none = await server.ask(`${play}/picture.jpg`);
  t.match(none, { status: 404, headers: { 'cache-control': 'no-store' } });
  t.match(JSON.parse(none.text), { code: 'no-picture' });
  for (const path of ['ts/picture.jpg', 'v0/picture.jpg', 'cut-1-5/picture.jpg', 'picture.jpg/', 'picture.png']) t.match(await server.ask(`${play}/${path}`), { status: 404, text: /not-found/ }, path);
  t.same([...server.delivery.stats().requests].filter(([kind]) => kind.startsWith('live-picture')), [['live-picture 200', 3], ['live-picture 304', 1], ['live-picture 404', 1]]);
});

t.test('it is for whoever may have pictures, of that height, and kept for nobody else', async (t) => {
  const server = await TestServer.start({ pictures: { of: () => picture } });
  t.teardown(() => server.stop());
  const { gatekeeper } = server;
  gatekeeper.closed.add('video-00000001');
  const open = { ok: true, shared: false, expiresAt: null, mayDownload: true } as const;
  gatekeeper.grants.set('high', { ...open, maxHeight: 360 }).set('low', { ...open, maxHeight: 240 }).set('media', { ...open, maxHeight: null });
  gatekeeper.audiences.set('media', ['media', 'keys']);
  const by = (grant: string) => server.ask(`/play/${grant}/video-00000001/picture.jpg`);
  t.match(await by('high'), { status: 200, headers: { 'cache-control': 'private, max-age=5' } });
  t.match(await by('-'), { status: 404, text: /not-found/ });
  t.match(await by('low'), { status: 403, text: /height-limit/ });
  t.match(await by('media'), { status: 403, text: /grant-other-audience/ });
  t.match(await by('forged'), { status: 403, text: /grant-signature/ });
});

t.test('a server that makes none has none', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  t.match(await server.ask(`${play}/picture.jpg`), { status: 404, text: /no-picture/ });
});
