import t from 'tap';
import { FakeDisk, first } from '../uploads/testing.ts';
import { testApi, type Ask, type Reply, type TestApi } from './testing.ts';

type Upload = { readonly received: number; readonly size: number; readonly expiresAt: string; readonly tus: string; readonly parts: Record<string, unknown> };

const create = (server: TestApi, token: string, body: object, headers: Record<string, string> = {}): Promise<Reply> => server.ask('/api/v1/videos', { method: 'POST', token, body, headers });
const tokenIn = ({ body }: Reply): string => (body['upload'] as Upload).tus.split('/').at(-1) ?? '';

t.test('a file is promised, and its video is there before its first byte', async (t) => {
  const server = await testApi(t, { publicUrl: 'https://tv.example' });
  const { token } = await server.person('ann', 'creator');
  const made = await create(server, token, { filename: 'Holiday 2026.final.MP4', size: 20e9 });
  t.equal(made.status, 201);
  const id = String(made.body['id']);
  const at = `https://tv.example/upload/${tokenIn(made)}`;
  const expiresAt = new Date(server.clock.wall() + 7 * 86_400_000).toISOString();
  t.match(made.body, { title: 'Holiday 2026.final', visibility: 'private', state: 'uploading', source: 'upload', downloads: true, progress: null, filename: 'Holiday 2026.final.MP4', originalBytes: 20e9 });
  t.same(made.body['upload'], {
    ...{ received: 0, size: 20e9, expiresAt, fingerprint: null, tus: at },
    parts: { url: `${at}/parts/{n}`, size: 8 * 2 ** 20, status: `${at}/status`, finish: `${at}/finish`, expiresAt },
  });
  t.match(await server.uploads.verdict(tokenIn(made)), { kind: 'open', upload: { id, size: 20e9 } });
  server.uploads.landed(id, first(5e9));
  server.intake.doing.set(id, { step: 'inspect', done: null });
  const seen = await server.ask(`/api/v1/videos/${id}`, { token });
  t.match(seen.body, { upload: { received: 5e9, size: 20e9, expiresAt }, progress: { step: 'inspect', done: null }, page: `https://tv.example/watch/${id}` });
  const mine = await server.ask('/api/v1/videos?mine=true&state=uploading', { token });
  t.match(mine.body['items'], [{ id, upload: { received: 5e9 } }]);
});

t.test('what is known of it is said at once, and changed while it comes', async (t) => {
  const server = await testApi(t);
  const { token } = await server.person('ann', 'creator');
  const made = await create(server, token, { filename: 'a.mov', size: 9, title: 'The mill', description: 'Water.', visibility: 'unlisted', downloads: false, ladder: 'source' });
  t.match(made.body, { title: 'The mill', description: 'Water.', visibility: 'unlisted', downloads: false });
  const at = `/api/v1/videos/${String(made.body['id'])}`;
  t.match(await server.ask(at, { method: 'PATCH', token, body: { title: 'At the mill', visibility: 'public' } }), { status: 200, body: { title: 'At the mill', visibility: 'public', state: 'uploading' } });
  t.match(await server.ask(at, { method: 'PATCH', token, body: { trim: { in: 1 } } }), { status: 409, body: { code: 'not-playable' } });
  t.match((await server.ask(at)).body, { title: 'At the mill', source: 'upload', duration: null, error: null });
  t.same((await server.ask('/api/v1/videos')).body['items'], [], 'but no list shows strangers what cannot be played');
  t.match(await server.ask(`${at}/playback`, { method: 'POST' }), { status: 409, body: { code: 'not-playable' } });
});

t.test('another machine goes on with an address of its own; when all is there, there is none', async (t) => {
  const server = await testApi(t);
  const { token } = await server.person('ann', 'creator');
  const made = await create(server, token, { filename: 'a.mp4', size: 100 });
  const id = String(made.body['id']);
  server.uploads.landed(id, first(60));
  server.clock.advance(86_400_000);
  const again = await server.ask(`/api/v1/videos/${id}/upload`, { method: 'POST', token });
  t.match(again, { status: 200, body: { upload: { received: 60, size: 100, expiresAt: new Date(server.clock.wall() + 7 * 86_400_000).toISOString() } } });
  t.not(tokenIn(again), tokenIn(made));
  for (const reply of [made, again]) t.match(await server.uploads.verdict(tokenIn(reply)), { kind: 'open', upload: { id } });
  await server.uploads.whole(id);
  t.match(await server.ask(`/api/v1/videos/${id}/upload`, { method: 'POST', token }), { status: 409, body: { code: 'upload-over' } });
  t.match((await server.ask(`/api/v1/videos/${id}`, { token })).body, { upload: null, originalBytes: 100 });
});

t.test('a fingerprint of the file is kept for its owner as long as bytes are missing', async (t) => {
  const server = await testApi(t);
  const { token } = await server.person('ann', 'creator');
  const fingerprint = 'sha-256:abc~1';
  const made = await create(server, token, { filename: 'a.mp4', size: 100, fingerprint, visibility: 'public' });
  const id = String(made.body['id']);
  t.match(made.body, { upload: { fingerprint } });
  t.match((await server.ask('/api/v1/videos?mine=true&state=uploading', { token })).body, { items: [{ id, upload: { fingerprint } }] });
  t.match((await server.ask(`/api/v1/videos/${id}/upload`, { method: 'POST', token })).body, { upload: { fingerprint } });
  t.notMatch((await server.ask(`/api/v1/videos/${id}`)).text, 'abc~1', 'and for nobody else');
  for (const wrong of ['', 'a b', 'x'.repeat(65), 'ä', 7]) t.match(await create(server, token, { filename: 'a', size: 1, fingerprint: wrong }), { status: 400, body: { code: 'validation' } });
});

t.test('removing a video cancels its upload', async (t) => {
  const server = await testApi(t);
  server.events.start();
  const { token } = await server.person('ann', 'creator');
  const made = await create(server, token, { filename: 'a.mp4', size: 100 });
  t.equal((await server.ask(`/api/v1/videos/${String(made.body['id'])}`, { method: 'DELETE', token })).status, 204);
  await server.events.settled();
  t.match(await server.uploads.verdict(tokenIn(made)), { kind: 'refused', refusal: { code: 'upload-gone' } });
});

t.test('the same Idempotency-Key makes one video, also when both ask at once', async (t) => {
  const server = await testApi(t);
  const { token } = await server.person('ann', 'creator');
  const ask = () => create(server, token, { filename: 'a.mp4', size: 100 }, { 'idempotency-key': 'once' });
  const [one, two] = await Promise.all([ask(), ask()]);
  t.same([one.status, two.status].sort(), [201, 409], 'the second is told that the first is under way');
  t.equal((await ask()).body['id'], (one.status === 201 ? one : two).body['id']);
  t.equal(((await server.ask('/api/v1/videos?mine=true', { token })).body['items'] as unknown[]).length, 1);
});

t.test('what cannot be promised is refused in words, and leaves nothing', async (t) => {
  const disk = new FakeDisk();
  disk.space = { free: 5_000_000_000, total: 10_000_000_000 };
  const server = await testApi(t, { uploads: { maxSize: 4_100_000_000, quota: 1_000 } }, {}, { disk, usualQuota: 1_000 });
  const { token, id: account } = await server.person('ann', 'creator');
  const viewer = await server.person('vic', 'viewer');
  const post = (body: unknown, as = token): Ask => ({ method: 'POST', token: as, body });
  const good = { filename: 'a.mp4', size: 1 };
  const cases: readonly (readonly [string, Ask, number, string, RegExp])[] = [
    ['/videos', post({ size: 1 }), 400, 'validation', /`filename` is missing/],
    ['/videos', post({ ...good, filename: ' ' }), 400, 'validation', /`filename` must be a name of 1 to 500 characters/],
    ['/videos', post({ ...good, filename: 'a\u0000.mp4' }), 400, 'validation', /`filename`/],
    ['/videos', post({ ...good, filename: 'a\r\nb' }), 400, 'validation', /`filename`/],
    ['/videos', post({ ...good, filename: 'x'.repeat(501) }), 400, 'validation', /`filename`/],
    ['/videos', post({ filename: 'a.mp4' }), 400, 'validation', /`size` is missing/],
    ...[0, -1, 1.5, '7', 2 ** 53, 1e300, null].map((size) => ['/videos', post({ ...good, size }), 400, 'validation', /`size` must be the bytes of the file/] as const),
    ['/videos', post({ ...good, size: 4_100_000_001 }), 413, 'too-large', /larger than 4\.1 GB/],
    ['/videos', post({ ...good, size: 4_100_000_000 }), 507, 'disk-full', /no room for a file of this size/],
    ['/videos', post({ ...good, size: 1_001 }), 403, 'quota-exceeded', /may keep 1 KB, of which 0 bytes are taken/],
    ['/videos', post({ ...good, ladder: 'standard' }), 422, 'not-available', /"source" is/],
    ['/videos', post({ ...good, visibility: 'members' }), 422, 'not-available', /visibility/],
    ['/videos', post({ ...good, ownerId: account, state: 'ready' }), 400, 'validation', /`ownerId` is not known here/],
    ['/videos', post(good, viewer.token), 403, 'not-allowed', /creator; yours is viewer/],
    ['/videos/import', post({}), 400, 'validation', /`url` is missing/],
    ['/videos/import', post({ url: 'film.mp4' }), 400, 'validation', /`url` must be an address such as/],
    ...['ftp://a.example/b', 'file:///etc/passwd', 'gopher://a.example/', 'data:video/mp4,x', 'javascript:1'].map((url) => ['/videos/import', post({ url }), 400, 'validation', /must begin with http/] as const),
    ['/videos/import', post({ url: 'https://ann:secret@a.example/b' }), 400, 'validation', /must not hold a name or a password/],
    ['/videos/import', post({ url: `https://a.example/${'x'.repeat(2_000)}` }), 400, 'validation', /at most 2000 characters/],
    ['/videos/import', post({ url: 'https://a.example/' }, viewer.token), 403, 'not-allowed', /creator/],
    ['/videos/nothing000000000/upload', { method: 'POST', token }, 404, 'not-found', /no such video/],
  ];
  for (const [path, ask, status, code, detail] of cases) {
    const reply = await server.ask(`/api/v1${path}`, ask);
    const name = `${path} ${JSON.stringify(ask.body ?? '').slice(0, 60)}`;
    t.equal(reply.status, status, name);
    t.equal(reply.body['code'], code, name);
    t.match(reply.body['detail'], detail, name);
  }
  t.same(await server.catalog.db.selectFrom('videos').select('id').execute(), []);
  t.same(await server.catalog.db.selectFrom('uploads').select('videoId').execute(), []);
  t.notOk(server.logged.some((line) => line.includes('"level":50')), 'none of it is an error of ours');
});

t.test('a name is text: it becomes the title, without its ending, and nothing else', async (t) => {
  const server = await testApi(t);
  const { token } = await server.person('ann', 'creator');
  const titles: readonly (readonly [string, string])[] = [
    ['../../etc/passwd', '../../etc/passwd'],
    ['C:\\films\\a.mp4', 'C:\\films\\a'],
    ['.mp4', '.mp4'],
    ['no ending', 'no ending'],
    ['v1.2 of it.mkv', 'v1.2 of it'],
    ['<img src=x onerror=alert(1)>.mov', '<img src=x onerror=alert(1)>'],
    ['한글.mp4'.normalize('NFD'), '한글'.normalize('NFC')],
    [`${'😀'.repeat(240)}.mp4`, '😀'.repeat(200)],
  ];
  for (const [filename, title] of titles) t.match((await create(server, token, { filename, size: 1 })).body, { filename, title, state: 'uploading' });
});

t.test('what is fetched is called what its address calls it', async (t) => {
  const server = await testApi(t);
  const { token } = await server.person('ann', 'creator');
  const names: readonly (readonly [string, string, string])[] = [
    ['https://files.example.org/films/At%20the%20mill.mp4?signature=1#t=3', 'At the mill.mp4', 'At the mill'],
    ['https://files.example.org/', 'files.example.org', 'files.example.org'],
    ['http://files.example.org/a%0d%0ab.mp4/', 'a b.mp4', 'a b'],
    ['http://files.example.org/%ff.mp4', '%ff.mp4', '%ff'],
  ];
  for (const [url, filename, title] of names) {
    const reply = await server.ask('/api/v1/videos/import', { method: 'POST', token, body: { url } });
    t.match(reply, { status: 201, body: { filename, title, source: 'import', state: 'uploading', originalBytes: 0 } });
    t.notOk('tus' in Object(reply.body['upload']), 'and nobody sends it');
    t.notMatch(reply.text, /signature/);
    t.match(await server.ask(`/api/v1/videos/${String(reply.body['id'])}/upload`, { method: 'POST', token }), { status: 409, body: { code: 'upload-over' } });
  }
});

t.test('an admin says how much an account may keep, and everybody sees how much he keeps', async (t) => {
  const server = await testApi(t, { uploads: { maxSize: 1e6, quota: 500 } }, {}, { usualQuota: 500 });
  const ann = await server.person('ann', 'creator');
  const { token: admin } = await server.person('boss', 'admin');
  t.equal((await create(server, ann.token, { filename: 'a', size: 300 })).status, 201);
  const me = async () => (await server.ask('/api/v1/me', { token: ann.token })).body;
  t.match(await me(), { used: 300, quota: null, limit: 500 });
  t.match(await create(server, ann.token, { filename: 'a', size: 201 }), { status: 403, body: { code: 'quota-exceeded' } });
  const patch = (quota: unknown, token: string) => server.ask(`/api/v1/accounts/${ann.id}`, { method: 'PATCH', token, body: { quota } });
  t.match(await patch(1_000, ann.token), { status: 403, body: { code: 'not-allowed', detail: /Only an admin may change a `quota`/ } });
  for (const wrong of [-1, 1.5, '5', 2 ** 60]) t.match(await patch(wrong, admin), { status: 400, body: { code: 'validation' } });
  t.match(await patch(1_000, admin), { status: 200, body: { used: 300, quota: 1_000, limit: 1_000 } });
  t.equal((await create(server, ann.token, { filename: 'a', size: 700 })).status, 201);
  t.match(await patch(0, admin), { status: 200, body: { used: 1_000, quota: 0, limit: null } });
  t.match(await patch(null, admin), { status: 200, body: { quota: null, limit: 500 } });
  const { items } = (await server.ask('/api/v1/accounts', { token: admin })).body;
  t.match(items, [{ username: 'boss', used: 0 }, { username: 'ann', used: 1_000 }].sort(() => ((items as { username: string }[])[0]?.username === 'boss' ? 0 : -1)));
});
