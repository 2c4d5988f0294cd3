/** How a video is protected, changed by the API when the video is there already. */
import t from 'tap';
import type { NewLive } from '../catalog/videos.ts';
import { liveOn, someUpload } from '../catalog/testing.ts';
import { testApi } from './testing.ts';

const setUp = async (t: Parameters<typeof testApi>[0]) => {
  const anew: string[] = [];
  const server = await testApi(t, {}, { shownAnew: async (video) => void anew.push(video) });
  const owner = await server.person('ann', 'creator');
  const made = await server.ask('/api/v1/channels', { method: 'POST', token: owner.token, body: { name: 'mill', title: 'Mine' } });
  const show = async (change: Partial<NewLive> = {}): Promise<string> => (await server.catalog.videos.createLive(liveOn(String(made.body['id']), owner.id, change))).id;
  const end = (video: string) => server.catalog.videos.endLive(video, { endedAt: 2_000, durationMs: 1_000, bytes: 1, state: 'ready' });
  const patch = (video: string, body: object, token = owner.token) => server.ask(`/api/v1/videos/${video}`, { method: 'PATCH', token, body });
  const names = async (video: string) => (await server.catalog.videos.get(video))?.names;
  return { server, owner, anew, show, end, patch, names };
};

const hevc: NewLive['tracks'] = liveOn('', '').tracks.map((track) => (track.kind === 'video' ? { ...track, codec: 'hevc' } : track));

t.test('a recording is protected, and is no longer: what is played of it follows, and its files get other names each time', async (t) => {
  const { server, anew, show, end, patch, names } = await setUp(t);
  const video = await show();
  await end(video);
  t.equal(await names(video), null);
  t.match(await patch(video, { title: 'Another' }), { status: 200, body: { protection: 'none', title: 'Another' } });
  t.match(await patch(video, { protection: 'none' }), { status: 200, body: { protection: 'none' } });
  t.same([await names(video), anew], [null, []], 'nothing has changed');

  t.match(await patch(video, { protection: 'aes-128', title: 'Sealed' }), { status: 200, body: { protection: 'aes-128', title: 'Sealed' } });
  const first = await names(video);
  t.match(first, /^[a-z0-9]{16,}$/);
  t.same(anew, [video]);
  t.match(await server.ask(`/api/v1/videos/${video}/playback`, { method: 'POST', body: {} }), { status: 200, body: { dash: null, downloads: [] } });
  t.match(await patch(video, { protection: 'cbcs' }), { status: 200, body: { protection: 'cbcs' } });
  t.match(await server.ask(`/api/v1/videos/${video}/playback`, { method: 'POST', body: {} }), { status: 200, body: { dash: /manifest\.mpd$/, ts: null } });
  t.match(await patch(video, { protection: 'none' }), { status: 200 });
  t.equal(new Set([first, await names(video)]).size, 2);
  t.equal(anew.length, 3);
});

t.test('what is live stays as it began, what cbcs cannot carry is not put under it, and others change nothing: each in words, at the field', async (t) => {
  const { server, anew, show, end, patch, names } = await setUp(t);
  const live = await show();
  t.match(await patch(live, { title: 'New', protection: 'aes-128' }), { status: 409, body: { code: 'video-is-live', detail: /when the show has ended/, errors: [{ field: 'protection' }] } });
  t.match(await patch(live, { protection: 'none' }), { status: 200 }, 'as it is');
  t.match(await server.ask(`/api/v1/videos/${live}`), { body: { title: 'A show', protection: 'none' } });
  const modern = await show({ tracks: hevc });
  await end(modern);
  t.match(await patch(modern, { protection: 'cbcs' }), { status: 422, body: { code: 'cbcs-not-carried', detail: /this video is hevc, aac\. `aes-128`/, errors: [{ field: 'protection' }] } });
  t.same([await names(live), await names(modern), anew], [null, null, []]);
  const other = await server.person('bob', 'creator');
  t.match(await patch(modern, { protection: 'aes-128' }, other.token), { status: 403, body: { code: 'not-yours' } });
  t.match(await patch(modern, { protection: 'drm' }), { status: 400, body: { code: 'validation', errors: [{ field: 'protection' }] } });
  t.match(await patch(modern, { protection: 'aes-128' }), { status: 200 });
});

t.test('an upload may be protected before its first byte, and a server that cannot protect says so', async (t) => {
  const { server, owner, patch } = await setUp(t);
  const video = await someUpload(server.catalog, { ownerId: owner.id });
  t.match(await patch(video, { protection: 'cbcs' }), { status: 200, body: { state: 'uploading', protection: 'cbcs' } });
  const plain = await testApi(t, { abilities: { visibilities: ['public', 'private'], protections: ['none'], ladders: { live: ['source'], files: ['source'] } } });
  const ann = await plain.person('ann', 'creator');
  const own = await someUpload(plain.catalog, { ownerId: ann.id });
  t.match(await plain.ask(`/api/v1/videos/${own}`, { method: 'PATCH', token: ann.token, body: { protection: 'aes-128' } }), { status: 422, body: { code: 'not-available', errors: [{ field: 'protection' }] } });
});

t.test('the catalog refuses to change a show that has become live meanwhile', async (t) => {
  const { server, show } = await setUp(t);
  const video = await show();
  t.equal(await server.catalog.videos.update(video, { protection: 'cbcs' }), null);
  t.match(await server.catalog.videos.update(video, { title: 'New' }), { title: 'New', protection: 'none' });
});
