import t from 'tap';
import { channelOf, liveOn } from '../catalog/testing.ts';
import { testApi } from './testing.ts';

t.test('how far back, which captions, and whether to download are the channel’s to say, and are shown', async (t) => {
  const server = await testApi(t);
  const { token } = await server.person('ann', 'creator');
  const made = await server.ask('/api/v1/channels', { method: 'POST', token, body: { name: 'one', title: 'One' } });
  t.match(made.body, { dvr: null, captions: [], downloads: true });
  const two = await server.ask('/api/v1/channels', { method: 'POST', token, body: { name: 'two', title: 'Two', dvr: 0, captions: ['ko', 'en-gb'], downloads: false } });
  t.match(two.body, { dvr: 0, captions: ['ko', 'en-GB'], downloads: false });
  const change = (body: object) => server.ask('/api/v1/channels/@two', { method: 'PATCH', token, body });
  t.match((await change({ dvr: 1_800 })).body, { dvr: 1_800, captions: ['ko', 'en-GB'], downloads: false }, 'what is not named stays');
  t.match((await change({ dvr: null, captions: [], downloads: true })).body, { dvr: null, captions: [], downloads: true });
  t.match(await change({ captions: ['xx-invalid-'] }), { status: 400 });
  t.match((await server.ask('/api/v1/channels/@two')).body, { dvr: null, captions: [], downloads: true }, 'whoever sees the channel sees them');
});

t.test('a new channel goes as far back as the operator says, unless it says so itself', async (t) => {
  const server = await testApi(t, { dvrSeconds: 600 });
  const { token } = await server.person('ann', 'creator');
  const make = async (name: string, more: object) => (await server.ask('/api/v1/channels', { method: 'POST', token, body: { name, title: 'T', ...more } })).body['dvr'];
  t.same([await make('a', {}), await make('b', { dvr: null }), await make('c', { dvr: 30 })], [600, null, 30]);
});

t.test('a recording is trimmed as a view: viewers see how long it is now, its owner sees both', async (t) => {
  const server = await testApi(t);
  const ann = await server.person('ann', 'creator');
  const { channel } = await server.catalog.channels.create(channelOf(ann.id));
  const { id } = await server.catalog.videos.createLive(liveOn(channel.id, ann.id));
  const trim = (value: unknown) => server.ask(`/api/v1/videos/${id}`, { method: 'PATCH', token: ann.token, body: { trim: value } });
  t.match((await trim({ in: 1, out: null })).body, { code: 'video-is-live', detail: /Only a recording can be trimmed/ });
  t.equal((await trim(null)).status, 200, 'no trim is what a live one has');
  await server.catalog.videos.endLive(id, { endedAt: 5, durationMs: 60_500, bytes: 9, state: 'ready' });
  const before = await server.catalog.videos.get(id);
  for (const [value, detail] of [
    [{ in: -1 }, /`trim` must be {"in": seconds from the beginning or null, "out": the same}, or null/],
    [{ in: 'now' }, /`trim` must be {"in": seconds/],
    [{ in: 5, out: 5 }, /`trim.in` must lie before `trim.out`/],
    [{ in: 9, out: 3 }, /`trim.in` must lie before/],
    [{ in: 60.5 }, /`trim.in` lies behind the end: the recording is 60.5 s long/],
    [{ in: 0, out: 60.6 }, /`trim.out` lies behind the end: the recording is 60.5 s long/],
    [{ in: 60 }, /`trim.in` leaves less than 1 s/],
    [{ out: 0.5 }, /`trim.out` leaves less than 1 s/],
    [{ in: 1, to: 2 }, /`trim.to` is not known here/],
    ['all', /`trim` must be {"in": seconds/],
    [1e300, /`trim`/],
  ] as const) {
    t.match(await trim(value), { status: 400, body: { code: 'validation', detail } }, JSON.stringify(value));
  }
  t.same(await server.catalog.videos.get(id), before, 'nothing half done');
  t.match((await trim({ in: 10.0004, out: 30 })).body, { duration: 60.5, trim: { in: 10, out: 30 } });
  const seen = await server.ask(`/api/v1/videos/${id}`);
  t.match(seen.body, { duration: 20 });
  t.notOk('trim' in seen.body, 'what was cut off is nobody else’s business');
  t.match((await trim({ out: 30 })).body, { trim: { in: null, out: 30 } });
  t.match((await server.ask(`/api/v1/videos/${id}`)).body, { duration: 30 });
  t.match((await trim({ in: 0, out: null })).body, { trim: null }, 'from the beginning to the end is all of it');
  t.match((await trim(null)).body, { trim: null, duration: 60.5 });
});

t.test('a player is told where to begin, which span to play, and what to download', async (t) => {
  const files = [{ path: 'mp4/run00000-v0-a0.mp4', height: 720 }, { path: 'mp4/run00000-a0.mp4', height: null }];
  const server = await testApi(t, {}, { downloads: async () => files });
  const ann = await server.person('ann', 'creator');
  const { channel } = await server.catalog.channels.create(channelOf(ann.id));
  const { id } = await server.catalog.videos.createLive(liveOn(channel.id, ann.id, { title: 'A & B 쇼\ud800' }));
  const play = (body: object) => server.ask(`/api/v1/videos/${id}/playback`, { method: 'POST', body });
  const at = `${server.base}/play/-/${id}`;
  t.match((await play({ start: -30 })).body, { live: true, hls: `${at}/master.m3u8?start=-30`, dash: `${at}/manifest.mpd`, ts: `${at}/ts/master.m3u8?start=-30`, downloads: [] });
  t.match((await play({ in: 5, out: 9_000 })).body, { hls: `${at}/cut-5000-9000000/master.m3u8` }, 'how long it will be nobody knows');
  t.match(await play({ in: 5, out: 5.5 }), { status: 400, body: { detail: /`in` leaves less than 1 s/ } });
  await server.catalog.videos.endLive(id, { endedAt: 5, durationMs: 60_000, bytes: 9, state: 'ready' });
  t.match((await play({ start: 0, in: null, out: null })).body, {
    ...{ live: false, hls: `${at}/master.m3u8?start=0`, dash: `${at}/manifest.mpd` },
    downloads: [{ url: `${at}/mp4/run00000-v0-a0.mp4?name=A%20%26%20B%20%EC%87%BC%EF%BF%BD`, height: 720 }, { url: `${at}/mp4/run00000-a0.mp4?name=A%20%26%20B%20%EC%87%BC%EF%BF%BD`, height: null }],
  });
  t.match((await play({ in: 12.5, out: 40, start: 1.23456 })).body, {
    hls: `${at}/cut-12500-40000/master.m3u8?start=1.235`,
    dash: `${at}/cut-12500-40000/manifest.mpd`,
    ts: `${at}/cut-12500-40000/ts/master.m3u8?start=1.235`,
  });
  t.match((await play({ in: 12.5 })).body, { hls: `${at}/cut-12500-end/master.m3u8` });
  t.match((await play({ out: 40 })).body, { hls: `${at}/cut-0-40000/master.m3u8` });
  for (const [span, detail] of [
    [{ in: 40, out: 12 }, /`in` must lie before `out`/],
    [{ in: 61 }, /`in` lies behind the end: the recording is 60 s long/],
    [{ out: 61 }, /`out` lies behind the end/],
    [{ start: 1e9 }, /`start` must be seconds/],
    [{ start: null }, /`start`/],
    [{ in: 1e7 }, /`in` must be seconds/],
  ] as const) {
    t.match(await play(span), { status: 400, body: { code: 'validation', detail } }, JSON.stringify(span));
  }
  await server.catalog.videos.update(id, { cutInMs: 10_000, cutOutMs: 20_000, downloads: false });
  t.match(await play({ in: 19.5 }), { status: 400, body: { detail: /`in` leaves less than 1 s of what is shown/ } }, 'a cut goes no further than the trim');
  t.match(await play({ out: 10.5 }), { status: 400 });
  t.match((await play({ in: 5, out: 30 })).body, { hls: `${at}/cut-5000-30000/master.m3u8`, downloads: [] }, 'and downloads only where they are allowed');
});
