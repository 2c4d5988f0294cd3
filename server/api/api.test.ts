import t from 'tap';
import { liveOn } from '../catalog/testing.ts';
import { testApi, type Ask } from './testing.ts';

t.test('bad input gets the right status, a code, and a sentence that names what is wrong; and nothing is written', async (t) => {
  const server = await testApi(t);
  const { token } = await server.person('ann', 'creator');
  await server.ask('/api/v1/channels', { method: 'POST', token, body: { name: 'taken', title: 'T' } });
  const before = await server.catalog.db.selectFrom('channels').selectAll().execute();
  const post = (body: unknown): Ask => ({ method: 'POST', token, body });
  const good = { name: 'fresh', title: 'T' };
  const cases: readonly (readonly [string, Ask, number, string, RegExp])[] = [
    ['/channels', post({ title: 'T' }), 400, 'validation', /`name` is missing/],
    ['/channels', post({ ...good, name: 'No Good' }), 400, 'validation', /`name` must be 1 to 40 of the characters a-z, 0-9, - and _/],
    ['/channels', post({ ...good, name: 'x'.repeat(41) }), 400, 'validation', /`name`/],
    ['/channels', post({ ...good, name: 7 }), 400, 'validation', /`name`/],
    ['/channels', post({ ...good, name: 'admin' }), 409, 'name-reserved', /"admin" is reserved/],
    ['/channels', post({ ...good, name: 'taken' }), 409, 'name-taken', /channel named "taken"/],
    ['/channels', post({ ...good, title: '' }), 400, 'validation', /`title` must be one line of 1 to 200 characters/],
    ['/channels', post({ ...good, title: 'a\u0000b' }), 400, 'validation', /`title`/],
    ['/channels', post({ ...good, latency: 'fast' }), 400, 'validation', /`latency` must be one of ultra, low, standard/],
    ['/channels', post({ ...good, visibility: 'members' }), 422, 'not-available', /"members" is not available on this server; "public", "unlisted", "private" are/],
    ['/channels', post({ ...good, protection: 'drm' }), 400, 'validation', /`protection` must be one of none, aes-128, cbcs/],
    ['/channels', post({ ...good, ladder: 'auto' }), 422, 'not-available', /`ladder`/],
    ['/channels', post({ ...good, srtPassphrase: 'short' }), 400, 'validation', /`srtPassphrase` must be 10 to 79/],
    ['/channels', post({ ...good, dvr: -1 }), 400, 'validation', /`dvr` must be a whole number of seconds from 0 to 43200, or null/],
    ['/channels', post({ ...good, dvr: 43_201 }), 400, 'validation', /`dvr`/],
    ['/channels', post({ ...good, dvr: '30' }), 400, 'validation', /`dvr`/],
    ['/channels', post({ ...good, captions: ['ko', 'en', 'ja', 'fr', 'de'] }), 400, 'validation', /`captions` must be a list of at most 4/],
    ['/channels', post({ ...good, captions: ['ko', 'not a language'] }), 400, 'validation', /^`captions` must be a list of at most 4/],
    ['/channels', post({ ...good, captions: ['en-a'] }), 400, 'validation', /`captions`/],
    ['/channels', post({ ...good, captions: ['en-abcdefg-x'.slice(0, 10), 'ko-kore-kore'] }), 400, 'validation', /`captions` has "ko-kore-kore", which is no language tag/],
    ['/channels', post({ ...good, captions: ['en-GB', 'EN-gb'] }), 400, 'validation', /`captions` has "en-GB" twice/],
    ['/channels', post({ ...good, downloads: 'no' }), 400, 'validation', /`downloads`/],
    ['/channels', post({ ...good, ownerId: 'somebodyelse1234', id: 'x', role: 'admin' }), 400, 'validation', /`ownerId` is not known here.*`id` is not known here.*`role` is not known here/],
    ['/channels', post([]), 400, 'validation', /`body` must be an object/],
    ['/channels', { method: 'POST', token, raw: '{"name":"fresh","title":"T","__proto__":{"role":"admin"}}' }, 400, 'validation', /`__proto__` is not known here/],
    ['/channels', { method: 'POST', token, raw: '{"name":' }, 400, 'malformed-json', /goes wrong at its end/],
    ['/channels', { method: 'POST', token, raw: '{"name" "x"}' }, 400, 'malformed-json', /at character 8/],
    ['/channels', { method: 'POST', token, raw: '['.repeat(30_000) + ']'.repeat(30_000) }, 400, 'validation', /object/],
    ['/channels', post({ ...good, description: 'x'.repeat(70_000) }), 413, 'too-large', /larger than 64 KiB/],
    ['/channels', { method: 'POST', token, raw: 'name=fresh', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, 'not-json', /Content-Type: application\/json/],
    ['/channels', { method: 'POST', token, raw: '{}', headers: { 'content-type': 'text/plain' } }, 415, 'not-json', /JSON/],
    ['/channels/@taken', { method: 'PATCH', token, body: {} }, 400, 'validation', /must change something/],
    ['/channels/@nobody', {}, 404, 'not-found', /no such channel/],
    ['/channels/..%2f..%2fetc', {}, 404, 'not-found', /no such/],
    ['/channels/%zz', {}, 400, 'malformed-request', /percent sign/],
    [`/channels/${'a'.repeat(3_000)}`, {}, 414, 'address-too-long', /longer than any id/],
    ['/channels?limit=0', {}, 400, 'validation', /`limit` must be a whole number from 1 to 200/],
    ['/channels?limit=2&limit=3', {}, 400, 'validation', /`limit`/],
    ['/channels?sort=name', {}, 400, 'validation', /`sort` is not known here/],
    ['/channels?cursor=bm9uc2Vuc2U', {}, 400, 'cursor-invalid', /Take|take it from the answer before/],
    ['/channels/@taken/playback', { method: 'POST', body: {} }, 404, 'not-found', /Nothing is live/],
    ['/channels/@taken/playback', { method: 'POST', body: { start: 'now' } }, 400, 'validation', /`start` must be seconds: from the beginning, or below 0 from the end/],
    ['/channels/@taken/playback', { method: 'POST', body: { in: -1 } }, 400, 'validation', /`in` must be seconds from the beginning, or null/],
    ['/channels/@taken/end', { method: 'POST', token }, 409, 'not-live', /Nothing is live/],
    ['/nothing', {}, 404, 'no-such-route', /nothing at this address/],
    ['/channels', { method: 'PUT', token }, 405, 'method-not-allowed', /GET.*would/],
    ['/me', {}, 401, 'not-logged-in', /Log in first/],
    ['/me', { token: 'x'.repeat(43) }, 401, 'not-logged-in', /unknown, expired or ended/],
    ['/sessions', { method: 'POST', body: { username: 'ann', password: 'wrong' } }, 401, 'login-failed', /username or the password/],
    ['/setup', { method: 'POST', body: { token: 'wrong', password: 'long enough' } }, 403, 'link-invalid', /one-time link/],
  ];
  for (const [path, ask, status, code, detail] of cases) {
    const reply = await server.ask(`/api/v1${path}`, ask);
    const name = `${ask.method ?? 'GET'} ${path} ${JSON.stringify(ask.body ?? ask.raw ?? '').slice(0, 60)}`;
    t.equal(reply.status, status, name);
    t.equal(reply.body['code'], code, name);
    t.match(reply.body['detail'], detail, name);
    t.match(reply.headers.get('content-type'), /^application\/problem\+json/, name);
    t.equal(reply.body['status'], status, name);
  }
  const put = await server.ask('/api/v1/channels', { method: 'PUT', token });
  t.equal(put.headers.get('allow'), 'POST, GET, HEAD');
  t.same(await server.catalog.db.selectFrom('channels').selectAll().execute(), before, 'nothing half-written');
  t.notOk(server.logged.some((line) => line.includes('"level":50')), 'none of it is an error of ours');
});

t.test('from the one-time link to a channel with its stream key', async (t) => {
  const server = await testApi(t);
  t.same((await server.ask('/api/v1/setup')).body, { needed: true });
  const link = await server.auth.setupLink();
  const setup = await server.ask('/api/v1/setup', { method: 'POST', body: { token: link?.token, username: 'ann', password: 'long enough' } });
  t.equal(setup.status, 201);
  t.match(setup.headers.get('set-cookie'), /^millrace_session=\S+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
  t.same((await server.ask('/api/v1/setup')).body, { needed: false });
  const login = await server.ask('/api/v1/sessions', { method: 'POST', body: { username: 'ANN', password: 'long enough' } });
  const token = String(login.body['token']);
  t.match((await server.ask('/api/v1/me', { token })).body, { username: 'ann', role: 'admin' });
  const made = await server.ask('/api/v1/channels', { method: 'POST', token, body: { name: 'demo', title: 'Demo', srtPassphrase: 'pass & phrase' } });
  t.equal(made.status, 201);
  const key = String(made.body['streamKey']);
  t.match(made.body, {
    name: 'demo',
    page: `${server.base}/@demo`,
    visibility: 'public',
    latency: 'low',
    ladder: 'source',
    live: null,
    ingest: { rtmp: { server: 'rtmp://127.0.0.1:1935/live', key }, rtmps: null, srt: { url: `srt://127.0.0.1:10080?streamid=${key}&passphrase=pass+%26+phrase` } },
  });
  t.notOk((await server.ask('/api/v1/channels/@demo', { token })).text.includes(key), 'the key is shown once …');
  const keys = (await server.ask('/api/v1/channels/@demo/stream-keys', { token })).body['items'] as { id: string }[];
  const shown = await server.ask(`/api/v1/channels/@demo/stream-keys/${keys[0]?.id}/reveal`, { method: 'POST', token });
  t.equal(shown.body['streamKey'], key, '… and again when its owner asks');
  const second = await server.ask('/api/v1/channels/@demo/stream-keys', { method: 'POST', token, body: { label: 'phone' } });
  t.match(second.body, { label: 'phone', streamKey: /^[0-9a-z]{32}$/ });
  t.equal((await server.ask(`/api/v1/channels/@demo/stream-keys/${keys[0]?.id}`, { method: 'DELETE', token })).status, 204);
  t.equal(await server.catalog.streamKeys.resolve(key), null);
  const stranger = await server.ask('/api/v1/channels/@demo');
  t.equal(stranger.status, 200);
  t.notOk('ingest' in stranger.body || 'ownerId' in stranger.body);
  t.equal((await server.ask('/api/v1/sessions/current', { method: 'DELETE', token })).status, 204);
  t.equal((await server.ask('/api/v1/me', { token })).status, 401);
});

t.test('what is live is said, played, and ended', async (t) => {
  const server = await testApi(t, { publicUrl: 'https://tv.example/' });
  const ann = await server.person('ann', 'creator');
  const made = await server.ask('/api/v1/channels', { method: 'POST', token: ann.token, body: { name: 'show', title: 'Show' } });
  t.match(made.body, { page: 'https://tv.example/@show', ingest: { rtmp: { server: 'rtmp://tv.example:1935/live' } } });
  const channelId = String(made.body['id']);
  const { id } = await server.catalog.videos.createLive(liveOn(channelId, ann.id));
  server.live.set(channelId, { videoId: id, startedAt: Date.UTC(2026, 0, 2), viewers: 3 });
  t.same((await server.ask('/api/v1/channels/@show')).body['live'], { videoId: id, startedAt: '2026-01-02T00:00:00.000Z', viewers: 3, picture: null });
  const at = `https://tv.example/play/-/${id}`;
  const playback = { videoId: id, live: true, hls: `${at}/master.m3u8`, dash: `${at}/manifest.mpd`, ts: `${at}/ts/master.m3u8`, downloads: [], expiresAt: null };
  t.same((await server.ask('/api/v1/channels/@show/playback', { method: 'POST' })).body, playback);
  t.same((await server.ask(`/api/v1/videos/${id}/playback`, { method: 'POST', body: { device: 'browser' } })).body, playback);
  t.match((await server.ask(`/api/v1/videos/${id}`, { method: 'DELETE', token: ann.token })).body, { code: 'video-is-live' });
  t.equal((await server.ask('/api/v1/channels/@show/end', { method: 'POST', token: ann.token })).status, 204);
  await server.catalog.videos.endLive(id, { endedAt: 5, durationMs: 4000, bytes: 9, state: 'ready' });
  t.match((await server.ask(`/api/v1/videos/${id}`)).body, { state: 'ready', duration: 4, page: `https://tv.example/watch/${id}` });
  t.match((await server.ask(`/api/v1/videos/${id}`, { method: 'PATCH', token: ann.token, body: { visibility: 'private' } })).body, { visibility: 'private' });
  const granted = await server.ask(`/api/v1/videos/${id}/playback`, { method: 'POST', token: ann.token });
  t.match(granted.body, { hls: new RegExp(`^https://tv\\.example/play/[A-Za-z0-9_-]{108}/${id}/master\\.m3u8$`) });
  t.equal(granted.body['expiresAt'], new Date(Math.floor(server.clock.wall() / 1000) * 1000 + 86_400_000).toISOString());
  t.equal((await server.ask(`/api/v1/videos/${id}/playback`, { method: 'POST' })).status, 404);
  t.equal((await server.ask(`/api/v1/videos/${id}`, { method: 'DELETE', token: ann.token })).status, 204);
  t.equal((await server.ask(`/api/v1/videos/${id}`, { token: ann.token })).status, 404);
});

t.test('the same Idempotency-Key does a thing once', async (t) => {
  const server = await testApi(t);
  const ann = await server.person('ann', 'creator');
  const bob = await server.person('bob', 'creator');
  const make = (name: string, key: string, token = ann.token) =>
    server.ask('/api/v1/channels', { method: 'POST', token, body: { name, title: 'T' }, headers: { 'idempotency-key': key } });
  const first = await make('one', 'k1');
  t.equal(first.status, 201);
  const again = await make('one', 'k1');
  t.equal(again.text, first.text, 'the same answer, stream key included');
  t.equal(again.headers.get('idempotency-replayed'), 'true');
  t.match(await make('two', 'k1'), { status: 422, body: { code: 'idempotency-mismatch' } });
  t.match(await make('two', 'k1', bob.token), { status: 201 }, 'another account’s key is another key');
  t.match(await make('one', 'k2'), { status: 409, body: { code: 'name-taken' } });
  t.match(await make('three', 'k2'), { status: 201 }, 'a key that failed is free again');
  t.match(await make('x', 'a b'), { status: 400, body: { code: 'validation' } });
  const both = await Promise.all([make('race', 'k3'), make('race', 'k3')]);
  t.ok(both.every(({ status }) => status === 201 || status === 409));
  t.equal((await server.catalog.channels.list({ limit: 99, after: null, seenBy: null })).items.filter(({ name }) => name === 'race').length, 1);
  server.clock.advance(86_400_000);
  t.match(await make('one', 'k1'), { status: 409, body: { code: 'name-taken' } }, 'kept for a day');
  const rows = await server.catalog.db.selectFrom('answers').selectAll().execute();
  t.notOk(JSON.stringify(rows).includes(String(first.body['streamKey'])), 'answers are kept sealed');
});

t.test('a change by cookie must come from our own page; a token needs no such proof', async (t) => {
  const server = await testApi(t);
  const ann = await server.person('ann', 'creator');
  const cookie = `millrace_session=${ann.token}`;
  const change = (headers: Record<string, string>) => server.ask('/api/v1/channels', { method: 'POST', body: { name: `c${Math.trunc(Number(server.clock.wall()))}`, title: 'T' }, headers });
  t.match(await change({ cookie }), { status: 403, body: { code: 'foreign-origin' } });
  t.match(await change({ cookie, origin: 'https://evil.example' }), { status: 403 });
  t.match(await change({ cookie, origin: server.base, 'sec-fetch-site': 'cross-site' }), { status: 403 });
  t.match(await change({ authorization: `Bearer ${ann.token}`, origin: 'https://evil.example' }), { status: 403 }, 'a browser elsewhere, whatever it holds');
  t.match(await change({ cookie, origin: server.base }), { status: 201 });
  t.equal((await server.ask('/api/v1/me', { headers: { cookie } })).status, 200, 'reading changes nothing');
  const login = { method: 'POST', body: { username: 'ann', password: ann.password }, headers: { origin: 'https://evil.example' } };
  t.equal((await server.ask('/api/v1/sessions', login)).status, 403, 'nobody is logged in from elsewhere');
  t.equal((await server.ask('/api/v1/sessions/current', { method: 'DELETE', headers: { cookie, origin: server.base } })).status, 204);
  t.equal((await server.ask('/api/v1/me', { headers: { cookie } })).status, 401);
});

t.test('the cookie is Secure when the page is, which only a trusted proxy can say', async (t) => {
  const login = async (config: object) => {
    const server = await testApi(t, config);
    const ann = await server.person('ann', 'viewer');
    const reply = await server.ask('/api/v1/sessions', { method: 'POST', body: { username: 'ann', password: ann.password }, headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' } });
    const [session] = await server.catalog.sessions.ofAccount(ann.id);
    return { cookie: reply.headers.get('set-cookie') ?? '', address: (await server.catalog.sessions.ofAccount(ann.id)).map((row) => row.address), session };
  };
  const trusted = await login({});
  t.match(trusted.cookie, /Secure/);
  t.ok(trusted.address.includes('203.0.113.9'));
  const untrusted = await login({ trustedProxies: ['192.0.2.1'] });
  t.notMatch(untrusted.cookie, /Secure/);
  t.notOk(untrusted.address.includes('203.0.113.9'));
});

t.test('too many logins are a 429 that says how long to wait, and so are too many requests', async (t) => {
  const server = await testApi(t, { requests: { burst: 20, perSecond: 1 } });
  const ann = await server.person('ann', 'viewer');
  const login = (password: string) => server.ask('/api/v1/sessions', { method: 'POST', body: { username: 'ann', password } });
  for (let guess = 0; guess < 6; guess += 1) t.equal((await login('wrong')).status, 401);
  const stopped = await login(ann.password);
  t.match(stopped, { status: 429, body: { code: 'slow-down' } });
  t.equal(stopped.headers.get('retry-after'), '60');
  server.clock.advance(60_000);
  t.equal((await login(ann.password)).status, 201);
  for (let request = 0; request < 19; request += 1) t.equal((await server.ask('/api/v1/setup')).status, 200);
  t.equal((await server.ask('/api/v1/setup')).status, 429);
  t.equal((await server.ask('/api/v1/me', { token: ann.token })).status, 200, 'an account has its own count');
});

t.test('an account changes its password with the old one, an admin changes roles, and the last admin stays', async (t) => {
  const server = await testApi(t);
  const boss = await server.person('boss', 'admin');
  const ann = await server.person('ann', 'viewer');
  const change = (id: string, token: string, body: unknown) => server.ask(`/api/v1/accounts/${id}`, { method: 'PATCH', token, body });
  t.match(await change(ann.id, ann.token, { password: 'a new one!' }), { status: 403, body: { code: 'password-wrong' } });
  t.match(await change(ann.id, ann.token, { role: 'admin' }), { status: 403, body: { code: 'not-allowed' } });
  t.match(await change(ann.id, ann.token, { password: 'short', currentPassword: ann.password }), { status: 400 });
  t.match(await change(ann.id, ann.token, { password: 'a new one!', currentPassword: ann.password }), { status: 200 });
  for (let guess = 0; guess < 6; guess += 1) t.match(await change(ann.id, ann.token, { password: 'a thief’s', currentPassword: `guess ${guess}` }), { status: 403 });
  t.match(await change(ann.id, ann.token, { password: 'a thief’s', currentPassword: 'guess 7' }), { status: 429 }, 'a stolen session does not get to guess the password');
  t.match(await change(ann.id, boss.token, { role: 'creator' }), { status: 200, body: { role: 'creator' } });
  t.match(await change(boss.id, boss.token, { role: 'viewer' }), { status: 409, body: { code: 'last-admin' } });
  const made = await server.ask('/api/v1/accounts', { method: 'POST', token: boss.token, body: { username: '영희', password: 'long enough', role: 'creator' } });
  t.match(made, { status: 201, body: { username: '영희' } });
  t.match(await server.ask('/api/v1/accounts', { method: 'POST', token: boss.token, body: { username: 'ANN', password: 'long enough' } }), { status: 409 });
  const page = await server.ask('/api/v1/accounts?limit=2', { token: boss.token });
  const rest = await server.ask(`/api/v1/accounts?limit=2&cursor=${String(page.body['cursor'])}`, { token: boss.token });
  t.equal((page.body['items'] as unknown[]).length + (rest.body['items'] as unknown[]).length, 3);
  t.equal(rest.body['cursor'], null);
});

t.test('sessions are listed and ended by their own account', async (t) => {
  const server = await testApi(t);
  const ann = await server.person('ann', 'viewer');
  const login = await server.ask('/api/v1/sessions', { method: 'POST', body: { username: 'ann', password: ann.password }, headers: { 'user-agent': 'phone' } });
  const sessions = (await server.ask('/api/v1/sessions', { token: ann.token })).body['items'] as { id: string; current: boolean; userAgent: string }[];
  const other = sessions.find(({ current }) => !current);
  t.equal(other?.userAgent, 'phone');
  t.equal((await server.ask(`/api/v1/sessions/${other?.id}`, { method: 'DELETE', token: ann.token })).status, 204);
  t.equal((await server.ask('/api/v1/me', { token: String(login.body['token']) })).status, 401);
});

t.test('no secret reaches the log, whatever is asked', async (t) => {
  const server = await testApi(t);
  const link = await server.auth.setupLink();
  const secrets: unknown[] = [link?.token, 'the-password-1', 'wrong-password-2', 'the-passphrase-3'];
  const setup = await server.ask('/api/v1/setup', { method: 'POST', body: { token: link?.token, username: 'ann', password: 'the-password-1' } });
  const token = String(setup.body['token']);
  secrets.push(token);
  await server.ask('/api/v1/sessions', { method: 'POST', body: { username: 'ann', password: 'wrong-password-2' } });
  const made = await server.ask('/api/v1/channels', { method: 'POST', token, body: { name: 'a', title: 'T', srtPassphrase: 'the-passphrase-3' } });
  secrets.push(made.body['streamKey']);
  await server.ask(`/api/v1/channels?cursor=${token}`, { token });
  await server.ask(`/api/v1/${String(made.body['streamKey'])}?key=${token}`, { headers: { referer: `http://x/?t=${token}`, cookie: `millrace_session=${token}` } });
  await server.ask('/api/v1/channels', { method: 'POST', token, raw: `{"srtPassphrase":"the-passphrase-3` });
  await server.catalog.db.schema.dropTable('tracks').execute();
  await server.catalog.db.schema.dropTable('videos').execute();
  t.equal((await server.ask('/api/v1/videos', { token })).status, 500, 'a bug is a 500 …');
  const all = server.logged.join('');
  t.match(all, /A request failed/, '… that is logged');
  for (const secret of secrets) {
    t.ok(typeof secret === 'string' && secret.length > 8);
    t.notOk(all.includes(String(secret)));
  }
});
