/** Pictures and chapters of a video over the API: what is told to whom, what its owner may change, and what he may send. */
import { once } from 'node:events';
import { request, type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { from } from '../auth/testing.ts';
import { someUpload } from '../catalog/testing.ts';
import type { Visibility } from '../catalog/schema.ts';
import { noPictures, type KeptPictures } from '../pictures/kept.ts';
import type { ApiHooks } from './hooks.ts';
import { testApi } from './testing.ts';

const shown = { inMs: null, outMs: null };
const version = '0123456789abcdef';
const kept: KeptPictures = {
  posters: [{ version, height: 360, count: 3, chosen: 1, ...shown }],
  storyboards: [{ version, height: 90, sheets: 2, ...shown }],
  previews: [{ version, height: 180, ...shown }],
  own: null,
};

const stage = async (t: Test, posters: Partial<ApiHooks['posters']> = {}) => {
  const server = await testApi(t, {}, { posters: { put: async () => 'put', remove: async () => false, ...posters } });
  server.events.start();
  const [ann, eve, root] = [await server.person('ann', 'creator'), await server.person('eve', 'creator'), await server.person('root', 'admin')];
  const film = async (visibility: Visibility, pictures: KeptPictures | null = kept): Promise<string> => {
    const id = await someUpload(server.catalog, { ownerId: ann.id, visibility });
    await server.catalog.videos.become(id, ['uploading'], { state: 'ready', durationMs: 60_000, run: 'k3v9x0a2b7' });
    if (pictures) await server.catalog.videos.changePictures(id, () => pictures);
    return id;
  };
  const get = (id: string, token?: string) => server.ask(`/api/v1/videos/${id}`, { token });
  const patch = (id: string, body: object, token = ann.token) => server.ask(`/api/v1/videos/${id}`, { method: 'PATCH', token, body });
  /** A body as it is, which `fetch` of strings would not send. */
  const send = (id: string, type: string | null, bytes: Buffer, token: string | null = ann.token): Promise<{ status: number; body: Record<string, unknown> }> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(server.base);
      const headers = { ...(type === null ? {} : { 'content-type': type }), ...(token === null ? {} : { authorization: `Bearer ${token}` }), 'content-length': String(bytes.length) };
      const outgoing = request({ host: '127.0.0.1', port, path: `/api/v1/videos/${id}/poster`, method: 'PUT', headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> }));
      });
      outgoing.on('error', reject).end(bytes);
    });
  return { server, ann, eve, root, film, get, patch, send };
};

t.test('whoever sees a video has the addresses of its pictures, under the rules of the media that they are of', async (t) => {
  const { server, ann, eve, root, film, get } = await stage(t);
  const [open, hidden, none] = [await film('public'), await film('private'), await film('public', null)];
  const below = `${server.base}/play/-/${open}`;
  const told = {
    poster: `${below}/poster.jpg?v=${version}1`,
    posters: [0, 1, 2].map((index) => `${below}/poster-${index}.jpg?v=${version}`),
    chosen: 1,
    storyboard: `${below}/storyboard.vtt?v=${version}`,
    preview: `${below}/preview.webp?v=${version}`,
  };
  t.same((await get(open)).body['pictures'], told);
  t.match((await get(none)).body, { pictures: null, chapters: [] });
  t.same(((await server.ask('/api/v1/videos')).body['items'] as { id: string; pictures: unknown }[]).find(({ id }) => id === open)?.pictures, told, 'in lists as well');
  t.match(await get(hidden, eve.token), { status: 404 });
  for (const { token } of [ann, root]) {
    const { pictures } = (await get(hidden, token)).body as { pictures: { poster: string; storyboard: string } };
    const [, grant = ''] = /\/play\/([^/]+)\//.exec(pictures.poster) ?? [];
    t.match(await server.grants.verdict(grant, hidden, 'pictures', from), { ok: true, shared: false });
    t.match(await server.grants.verdict(grant, hidden, 'media', from), { ok: false });
    t.ok(pictures.storyboard.includes(`/${grant}/`));
    t.same((await get(hidden, token)).body['pictures'], pictures, 'the same addresses as long as they show the same');
  }
  const byLink = async (audiences?: readonly string[]) => {
    const made = await server.ask(`/api/v1/videos/${hidden}/grants`, { method: 'POST', token: ann.token, body: { ...(audiences && { audiences }) } });
    const grant = String(made.body['page']).split('#grant=')[1] ?? '';
    return { grant, pictures: (await server.ask(`/api/v1/videos/${hidden}`, { headers: { 'millrace-grant': grant } })).body['pictures'] as { poster: string } | null };
  };
  const link = await byLink();
  t.ok(link.pictures?.poster.includes(`/play/${link.grant}/`), 'a link opens them itself');
  t.equal((await byLink(['media'])).pictures, null, 'unless it is for media alone');
});

t.test('an owner chooses among those that there are, and what has been cut away is in none of them', async (t) => {
  const { server, eve, root, film, get, patch } = await stage(t, { remove: async (id) => (await server.catalog.videos.changePictures(id, (before) => (before.own ? { ...before, own: null } : null))) !== null });
  const id = await film('public');
  t.match(await patch(id, { poster: 2 }), { status: 200, body: { pictures: { chosen: 2, poster: new RegExp(`poster\\.jpg\\?v=${version}2$`) } } });
  t.match(await patch(id, { poster: 2, title: 'Another' }), { status: 200, body: { title: 'Another', pictures: { chosen: 2 } } });
  t.match(await patch(id, { poster: 3 }), { status: 400, body: { code: 'validation', detail: 'There are 3 posters to choose from, counted from 0.', errors: [{ field: 'poster' }] } });
  t.match(await patch(id, { poster: 3, title: 'No' }), { status: 400 });
  t.match((await get(id)).body, { title: 'Another' }, 'then nothing is changed');
  for (const poster of [-1, 6, 1.5, '1', null]) t.match(await patch(id, { poster }), { status: 400, body: { code: 'validation' } }, String(poster));
  t.match(await patch(id, { poster: 0 }, eve.token), { status: 403, body: { code: 'not-yours' } });
  t.match(await patch(id, { poster: 0 }, root.token), { status: 200 });
  t.match(await patch(await film('public', null), { poster: 0 }), { status: 400, body: { detail: /no posters/ } });
  await server.catalog.videos.changePictures(id, (before) => ({ ...before, own: { version: 'feedfeedfeedfeed', height: 100 } }));
  t.match((await get(id)).body, { pictures: { chosen: 'own', poster: /v=feedfeedfeedfeed$/, posters: { length: 3 } } });
  t.match(await patch(id, { poster: 1 }), { status: 200, body: { pictures: { chosen: 1, poster: new RegExp(`${version}1$`) } } }, 'his own goes');
  t.match(await patch(id, { trim: { in: 10 } }), { status: 200, body: { pictures: null } });
  t.match(await patch(id, { poster: 1 }), { status: 400 });
  await server.catalog.videos.changePictures(id, (before) => ({ ...before, posters: [...before.posters, { version, height: 360, count: 1, chosen: 0, inMs: 10_000, outMs: null }] }));
  t.match((await get(id)).body, { pictures: { chosen: 0, posters: { length: 1 }, storyboard: null } });
  t.match(await patch(id, { trim: null }), { status: 200, body: { pictures: { storyboard: /vtt/, chosen: 1 } } }, 'and comes back with the trim');
});

t.test('chapters are the owner’s to name, in order and within what is shown', async (t) => {
  const { eve, film, get, patch, server } = await stage(t);
  const id = await film('public');
  const two = [{ start: 0, title: ' One ' }, { start: 12.5, end: 70, title: 'Two & <b>' }];
  const stored = [{ start: 0, end: 12.5, title: 'One' }, { start: 12.5, end: 60, title: 'Two & <b>' }];
  t.match(await patch(id, { chapters: two }), { status: 200, body: { chapters: stored } });
  t.same((await get(id)).body['chapters'], stored);
  t.match(await patch(id, { chapters: [] }, eve.token), { status: 403 });
  const wrong: readonly (readonly [object[], RegExp])[] = [
    [[{ start: 5, title: 'a' }, { start: 4, title: 'b' }], /`chapters\.0` ends before it begins/],
    [[{ start: 0, end: 9, title: 'a' }, { start: 4, title: 'b' }], /`chapters\.1` begins before the one ahead of it ends/],
    [[{ start: 60, title: 'a' }], /`chapters\.0` begins behind the end: the video is 60 s long/],
    [[{ start: 3, end: 3, title: 'a' }], /`chapters\.0` ends before it begins/],
    [[{ start: -1, title: 'a' }], /start/],
    [[{ start: 1e9, title: 'a' }], /start/],
    [[{ start: 0, title: '' }], /title/],
    [[{ start: 0, title: 'a\nb' }], /title/],
    [[{ start: 0, title: 'a'.repeat(201) }], /title/],
    [[{ start: 0 }], /title/],
    [Array.from({ length: 1001 }, (_, index) => ({ start: index / 20, title: 'x' })), /chapters/],
  ];
  for (const [chapters, detail] of wrong) t.match(await patch(id, { chapters }), { status: 400, body: { code: 'validation', detail } }, JSON.stringify(chapters).slice(0, 60));
  t.same((await get(id)).body['chapters'], stored);
  t.match(await patch(id, { chapters: Array.from({ length: 1000 }, (_, index) => ({ start: index / 20, title: '가'.repeat(20) })) }), { status: 200 });
  await patch(id, { chapters: two });
  t.match(await patch(id, { trim: { in: 10, out: 50 } }), { status: 200, body: { chapters: [{ start: 0, end: 2.5 }, { start: 2.5, end: 40 }] } }, 'on the clock of what is shown');
  t.match(await patch(id, { chapters: [{ start: 30, title: 'Late' }] }), { status: 200, body: { chapters: [{ start: 30, end: 40, title: 'Late' }] } });
  t.match(await patch(id, { trim: null }), { body: { chapters: [{ start: 0, end: 10, title: 'One' }, { start: 40, end: 50, title: 'Late' }, { start: 50, end: 60, title: 'Two & <b>' }] } }, 'what lay in what was cut away is there as it was');
  t.match(await patch(id, { chapters: [] }), { status: 200, body: { chapters: [] } });
  const unknown = await someUpload(server.catalog, { ownerId: (await server.catalog.videos.get(id))?.ownerId ?? '' });
  t.match(await patch(unknown, { chapters: two }), { status: 400, body: { detail: /nobody knows yet how long/ } });
});

t.test('a poster is sent as it is: of three types, by who may, no larger than 10 MB', async (t) => {
  const got: number[] = [];
  const outcomes = ['put', 'not-a-picture', 'too-many-pixels', 'no-room', 'busy', 'not-available', 'no-video'] as const;
  let outcome: (typeof outcomes)[number] = 'put';
  const { server, eve, root, film, send, ann } = await stage(t, { put: async (_, bytes) => (got.push(bytes.length), outcome) });
  const id = await film('public');
  const bytes = Buffer.from('ffd8ff', 'hex');
  for (const type of ['image/jpeg', 'image/png', 'IMAGE/WebP; q=1']) t.match(await send(id, type, bytes), { status: 200, body: { id } }, type);
  t.match(await send(id, 'image/jpeg', bytes, root.token), { status: 200 });
  t.same(got, [3, 3, 3, 3]);
  t.match(await send(id, 'image/jpeg', bytes, null), { status: 401 });
  t.match(await send(id, 'image/jpeg', bytes, eve.token), { status: 403, body: { code: 'not-yours' } });
  for (const type of ['image/gif', 'image/svg+xml', 'application/json', 'text/plain', null]) t.match(await send(id, type, bytes), { status: 422, body: { code: 'not-a-picture' } }, String(type));
  t.match(await send(id, 'image/jpeg', Buffer.alloc(10_000_001)), { status: 413, body: { code: 'too-large' } });
  t.match(await send('abcdefgh12345678', 'image/jpeg', bytes), { status: 404 });
  t.match(await send(await someUpload(server.catalog, { ownerId: ann.id }), 'image/jpeg', bytes), { status: 409, body: { code: 'not-playable' } });
  t.same(got.length, 4);
  const statuses = { put: 200, 'not-a-picture': 422, 'too-many-pixels': 422, 'no-room': 507, busy: 503, 'not-available': 422, 'no-video': 404 } as const;
  for (outcome of outcomes) t.match(await send(id, 'image/png', bytes), { status: statuses[outcome] }, outcome);
  t.match(await server.ask('/api/v1/channels', { method: 'POST', token: ann.token, raw: 'x', headers: { 'content-type': 'image/png' } }), { status: 415, body: { code: 'not-json' } }, 'and nowhere else');
  t.match(await server.ask(`/api/v1/videos/${id}/poster`, { method: 'DELETE', token: ann.token }), { status: 200, body: { pictures: { chosen: 1 } } });
  t.match(await server.ask(`/api/v1/videos/${id}/poster`, { method: 'DELETE', token: eve.token }), { status: 403 });
});

t.test('no more than a few files lie in memory at once', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let under = 0;
  const { film, send } = await stage(t, { put: async () => ((under += 1), await promise, 'put') });
  const id = await film('public');
  const bytes = Buffer.from('ffd8ff', 'hex');
  const first = Array.from({ length: 8 }, () => send(id, 'image/jpeg', bytes));
  while (under < 8) await new Promise((next) => setImmediate(next));
  t.match(await send(id, 'image/jpeg', bytes), { status: 503, body: { code: 'busy' } });
  resolve();
  t.same((await Promise.all(first)).map(({ status }) => status), Array(8).fill(200));
  t.match(await send(id, 'image/jpeg', bytes), { status: 200 });
});

t.test('who goes before it is known whether he may holds no place', async (t) => {
  const { server, ann, film, send } = await stage(t, { put: async () => 'put' });
  const id = await film('public');
  const { videos } = server.catalog;
  const { get } = videos;
  const { port } = new URL(server.base);
  for (let turn = 0; turn < 9; turn += 1) {
    const looked = Promise.withResolvers<void>();
    const connected = once(server.server, 'connection') as Promise<[Socket]>;
    const headers = { 'content-type': 'image/png', authorization: `Bearer ${ann.token}`, 'content-length': '1000' };
    const asked = request({ host: '127.0.0.1', port, path: `/api/v1/videos/${id}/poster`, method: 'PUT', headers, agent: false }).on('error', () => undefined);
    videos.get = async (video) => {
      const [socket] = await connected;
      asked.destroy();
      await new Promise((closed) => socket.once('close', closed));
      // When whoever else waits for that has heard of it.
      await new Promise((next) => setImmediate(next));
      looked.resolve();
      return get(video);
    };
    asked.write('a little of it');
    await looked.promise;
  }
  videos.get = get;
  await new Promise((next) => setImmediate(next));
  t.match(await send(id, 'image/png', Buffer.from('a picture')), { status: 200 });
});

t.test('pictures that change while others do are lost to nobody', async (t) => {
  const { server, film } = await stage(t);
  const id = await film('public', null);
  const { videos } = server.catalog;
  await Promise.all([
    ...Array.from({ length: 5 }, (_, index) => videos.changePictures(id, (before) => ({ ...before, storyboards: [...before.storyboards, { version, height: index, sheets: 1, ...shown }] }))),
    videos.changePictures(id, (before) => ({ ...before, own: { version, height: 1 } })),
    videos.changePictures(id, (before) => ({ ...before, previews: kept.previews })),
  ]);
  t.match((await videos.get(id))?.pictures, { ...noPictures, own: { version }, previews: [{ version }], storyboards: { length: 5 } });
});

t.test('whoever may not give a video a poster is told so before he sends it, and holds no place of those who may', async (t) => {
  const { server, ann, eve, film, send } = await stage(t);
  const id = await film('public');
  const begin = (video: string, token: string): Promise<{ status: number; asked: ClientRequest }> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'image/png', authorization: `Bearer ${token}`, 'content-length': '1000' };
      const asked = request({ host: '127.0.0.1', port: new URL(server.base).port, path: `/api/v1/videos/${video}/poster`, method: 'PUT', headers }, (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode ?? 0, asked });
      });
      asked.on('error', reject);
      asked.write('a little of it');
    });
  const slow = await Promise.all(Array.from({ length: 12 }, () => begin(id, eve.token)));
  t.same(new Set(slow.map(({ status }) => status)), new Set([403]), 'without the rest');
  for (const [video, status] of [['0123456789abcdef', 404], ['no-id', 404]] as const) {
    const { asked, ...answer } = await begin(video, ann.token);
    t.same(answer, { status }, video);
    asked.on('error', () => undefined).destroy();
  }
  t.equal((await send(id, 'image/png', Buffer.from('a picture'))).status, 200);
  for (const { asked } of slow) asked.on('error', () => undefined).destroy();
});
