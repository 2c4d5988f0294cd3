import t from 'tap';
import { channelOf, liveOn, quiet, someAccount, testCatalog } from '../catalog/testing.ts';
import type { Visibility } from '../catalog/schema.ts';
import { EventDispatcher } from '../events/dispatcher.ts';
import { createGatekeeper } from './gatekeeper.ts';

const from = { address: '192.0.2.1', agent: 'a player' };

const setUp = async (t: Parameters<typeof testCatalog>[0]) => {
  const { catalog, clock } = await testCatalog(t);
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log: quiet });
  t.teardown(() => events.stop());
  const gate = createGatekeeper(catalog.videos, events);
  events.start();
  const owner = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(owner));
  const video = async (visibility: Visibility) => (await catalog.videos.createLive(liveOn(channel.id, owner, { visibility }))).id;
  return { catalog, events, gate, video, channel };
};

t.test('the open grant opens what is public or unlisted; anything else is as if it were not there', async (t) => {
  const { gate, video } = await setUp(t);
  for (const visibility of ['public', 'unlisted'] as const) t.match(await gate.verdict('-', await video(visibility), 'media', from), { ok: true, shared: true });
  const absent = { ok: false, status: 404, code: 'not-found' };
  for (const visibility of ['private', 'members', 'list', 'password'] as const) t.same(await gate.verdict('-', await video(visibility), 'media', from), absent);
  for (const name of ['nosuchvideo12345', '../../etc/passwd', '', 'x'.repeat(10_000)]) t.same(await gate.verdict('-', name, 'media', from), absent);
});

t.test('any other grant is invalid until somebody verifies grants', async (t) => {
  const { gate, video, catalog, events } = await setUp(t);
  const id = await video('public');
  t.same(await gate.verdict('made-up', id, 'media', from), { ok: false, status: 403, code: 'grant-malformed' });
  const asked: unknown[] = [];
  const verifier = { verdict: (...ask: unknown[]) => (asked.push(ask), { ok: true, shared: false, expiresAt: 5, maxHeight: null, mayDownload: false } as const) };
  t.match(await createGatekeeper(catalog.videos, events, verifier).verdict('token', id, 'keys', from), { ok: true, shared: false });
  t.same(asked, [['token', id, 'keys', from]]);
});

t.test('the second verdict is immediate, and a change is heard', async (t) => {
  const { gate, video, catalog, events, channel } = await setUp(t);
  const id = await video('public');
  await events.settled();
  t.ok(gate.verdict('-', id, 'media', from) instanceof Promise);
  await gate.verdict('-', id, 'media', from);
  t.notOk(gate.verdict('-', id, 'media', from) instanceof Promise);
  await catalog.videos.update(id, { visibility: 'private' });
  await events.settled();
  t.match(await gate.verdict('-', id, 'media', from), { status: 404 });
  await catalog.videos.update(id, { visibility: 'unlisted' });
  await events.settled();
  t.match(await gate.verdict('-', id, 'media', from), { ok: true });
  await catalog.channels.update(channel.id, { visibility: 'private' });
  await events.settled();
  t.match(await gate.verdict('-', id, 'media', from), { status: 404 }, 'with its channel, while it is live');
});

t.test('a verdict that was being read while the video changed is not kept', async (t) => {
  const { events } = await setUp(t);
  const reading = Promise.withResolvers<void>();
  let visibility: Visibility = 'public';
  const videos = {
    get: async () => {
      const seen = visibility;
      await reading.promise;
      return { visibility: seen } as never;
    },
  };
  const gate = createGatekeeper(videos, events);
  const early = gate.verdict('-', 'abcdefgh12345678', 'media', from);
  visibility = 'private';
  gate.forget('abcdefgh12345678');
  reading.resolve();
  await early;
  t.match(await gate.verdict('-', 'abcdefgh12345678', 'media', from), { status: 404 });
});
