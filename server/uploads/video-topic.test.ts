import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import type { Who } from '../auth/auth.ts';
import type { Received } from '../api/hooks.ts';
import type { EventOf, EventType } from '../events/types.ts';
import type { Progress } from '../intake/types.ts';
import type { JobShare } from '../jobs/queue.ts';
import type { TopicKind } from '../ws/topics.ts';
import { VideoTopic } from './video-topic.ts';

const stage = (t: { teardown(run: () => unknown): void }) => {
  const clock = new FakeClock();
  const faults: unknown[] = [];
  const told: { topic: string; data: Record<string, unknown> }[] = [];
  const video: Record<string, unknown> | null = { id: 'video000', ownerId: 'ann', visibility: 'private', state: 'uploading', durationMs: null, cutInMs: null, cutOutMs: null, errorCode: null, errorMessage: null };
  const at = { heard: ['video000'], video: video as typeof video | null, received: null as Received | null, progress: null as Progress | null, rechecked: [] as string[] };
  let kind: TopicKind | null = null;
  const shares: JobShare[] = [];
  let worked: (video: string | null) => void = () => undefined;
  let hear: (event: EventOf<EventType>) => unknown = () => undefined;
  const topic = new VideoTopic({
    sockets: {
      topics: { define: (_name: string, made: TopicKind) => (kind = made) } as never,
      publish: (name: string, _type: string, data: unknown) => told.push({ topic: name, data: data as Record<string, unknown> }),
      recheck: async (name) => void at.rechecked.push(name),
      heard: () => at.heard,
      isHeard: (name) => at.heard.includes(name.slice('video:'.length)),
    },
    catalog: { videos: { get: async () => at.video } as never, jobs: { sharesOf: async () => shares, onChange: (listener) => ((worked = listener), () => undefined) } },
    events: { subscribe: (_pattern: string, handle: never) => ((hear = handle), () => undefined) },
    uploads: { received: () => at.received, progress: () => at.progress },
    clock,
    failed: (error) => void faults.push(error),
  });
  t.teardown(() => {
    topic.stop();
    if (faults.length > 0) throw faults[0];
  });
  const received = (bytes: number): Received => ({ received: bytes, size: 100, expiresAt: 1, fingerprint: null });
  return { clock, told, at, topic, received, shares, worked: (video: string | null) => worked(video), kind: () => kind as TopicKind | null, hear: (event: EventOf<EventType>) => hear(event) };
};

const updated = (changed: string[]): EventOf<'video.updated'> => ({ type: 'video.updated', videoId: 'video000', channelId: null, visibility: 'private', changed });

t.test('whoever may see a video hears how far it is, and nobody else', async (t) => {
  const { kind, at, received } = stage(t);
  const who = (accountId: string, role = 'creator'): Who => ({ accountId, role }) as Who;
  t.equal(await kind()?.authorise('video000', who('ann'), null), 'video000');
  t.equal(await kind()?.authorise('video000', who('boss', 'admin'), null), 'video000');
  t.equal(await kind()?.authorise('video000', who('bob'), null), null);
  t.equal(await kind()?.authorise('video000', null, null), null);
  at.received = received(40);
  at.progress = { step: 'import', done: 0.4 };
  t.same(await kind()?.snapshot('video000', null), { state: 'uploading', duration: null, error: null, progress: { step: 'import', done: 0.4 }, upload: { received: 40, size: 100 }, tasks: { done: null, tasks: [] } });
  at.received = null;
  at.video = { ...at.video, state: 'failed', errorCode: 'not-a-video', errorMessage: 'No.', durationMs: 1_500 };
  t.match(await kind()?.snapshot('video000', null), { state: 'failed', duration: 1.5, error: { code: 'not-a-video', message: 'No.' }, upload: null });
});

t.test('however often something changes, it is told at once and then twice a second, and the last is never missing', async (t) => {
  const { clock, told, at, topic, received } = stage(t);
  for (let bytes = 1; bytes <= 100; bytes += 1) {
    at.received = received(bytes);
    topic.changed('video000');
    await turn();
    clock.advance(20);
    await turn();
  }
  clock.advance(500);
  await turn();
  t.ok(told.length >= 4 && told.length <= 6, `${told.length} in two seconds and a half`);
  t.match(told[0]?.data, { upload: { received: 1 } });
  t.match(told.at(-1)?.data, { upload: { received: 100 } });
  const before = told.length;
  clock.advance(5_000);
  await turn();
  t.equal(told.length, before, 'and nothing while nothing changes');
});

t.test('work that goes on without events is told too', async (t) => {
  const { clock, told, at } = stage(t);
  for (const done of [null, 0.25, 0.5, 0.5]) {
    at.progress = { step: 'remux', done };
    clock.advance(500);
    await turn();
  }
  t.same(told.map(({ data }) => data['progress']), [null, 0.25, 0.5].map((done) => ({ step: 'remux', done })));
});

t.test('a state is told the moment that it is one; what nobody hears costs nothing', async (t) => {
  const { clock, told, at, hear, kind } = stage(t);
  await kind()?.snapshot('video000', null);
  clock.advance(10_000);
  await turn();
  t.same(told, [], 'whoever has seen how it is hears nothing until it is otherwise');
  at.video = { ...at.video, state: 'ready' };
  await hear(updated(['state', 'tracks']));
  await turn();
  t.match(told, [{ topic: 'video:video000', data: { state: 'ready' } }]);
  t.same(at.rechecked, []);
  at.heard = [];
  await hear(updated(['state']));
  clock.advance(10_000);
  await turn();
  t.equal(told.length, 1);
});

t.test('hidden or removed, it is asked again who may hear', async (t) => {
  const { at, hear, told } = stage(t);
  await hear(updated(['visibility']));
  at.video = null;
  await hear({ type: 'video.deleted', videoId: 'video000', channelId: null });
  await turn();
  t.same(at.rechecked, ['video:video000', 'video:video000']);
  t.ok(told.length <= 1);
});

t.test('why a task failed is for its owner, and not for whoever may see the video', async (t) => {
  const { shares, kind } = stage(t);
  shares.push({ task: 'sound', kind: 'sound', state: 'dead', waits: false, jobs: 1, weight: 1, done: 0, reason: 'no-room: The disk at /var/lib/millrace has no room.' });
  const told = await kind()?.snapshot('video000', null);
  t.match(told, { tasks: { tasks: [{ name: 'sound', state: 'failed', reason: null }] } });
  t.notMatch(JSON.stringify(told), /no-room|disk/);
});

t.test('how far its tasks are is told when its jobs change, and no more often than all else', async (t) => {
  const { clock, told, shares, worked, at } = stage(t);
  shares.push({ task: 'rungs', kind: 'encode', state: 'leased', waits: false, jobs: 1, weight: 10, done: 0, reason: null });
  for (let count = 1; count <= 10; count += 1) {
    shares[0] = { ...shares[0], done: count } as JobShare;
    worked('video000');
    worked('another0');
    worked(null);
    await turn();
    clock.advance(100);
    await turn();
  }
  clock.advance(500);
  await turn();
  t.ok(told.length >= 2 && told.length <= 4, `${told.length} in a second and a half`);
  t.match(told.at(-1)?.data, { tasks: { done: 0.999, tasks: [{ name: 'rungs', state: 'running' }] } });
  at.heard = [];
  worked('video000');
  clock.advance(5_000);
  await turn();
  t.ok(told.length <= 4, 'nobody listens');
});
