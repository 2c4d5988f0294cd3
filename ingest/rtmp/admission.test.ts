/** Who may publish, who is sent away, and what they are told. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import type { PublishRequest, PublishVerdict } from '../../packager/media/publish.ts';
import { PublishRefused, RtmpTestClient } from './test-client.ts';
import { fingerprint, sessionBytes } from './test-messages.ts';
import { stage } from './test-stage.ts';
import { exchange, picture, video } from './test-units.ts';

t.test('nobody hears Publish.Start before the desk has answered, or at all when it refuses', async (t) => {
  const { desk, port } = await stage(t);
  const answers: Record<string, RegExp> = { 'unknown-key': /BadName/, 'busy': /BadName/, 'slow-down': /Denied/ };
  for (const code of ['unknown-key', 'busy', 'slow-down'] as const) {
    desk.decide = () => ({ ok: false, code, message: `because of ${code}` });
    const heard = await exchange(port, sessionBytes({ app: 'live', key: 'bad' }, [], []));
    t.notOk(heard.includes('Publish.Start'), 'not one byte of it');
    t.match(heard.toString('latin1'), answers[code]);
    const refused = await RtmpTestClient.connect({ port, key: 'x' }).catch((error: unknown) => error);
    t.ok(refused instanceof PublishRefused);
    t.match(refused, { status: { level: 'error', description: `because of ${code}` } });
  }
});

t.test('while the desk thinks nothing is read; what was sent meanwhile is not lost', async (t) => {
  const { desk, port } = await stage(t);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<PublishVerdict>();
  desk.decide = () => {
    asked.resolve();
    return answer.promise;
  };
  const units = Array.from({ length: 200 }, (_, index) => picture(index * 33, 5_000));
  const talk = exchange(port, sessionBytes({ app: 'live', key: 'k' }, [video], units));
  await asked.promise;
  answer.resolve(desk.welcome());
  const heard = await talk;
  t.ok(heard.includes('NetStream.Publish.Start'));
  t.strictSame(desk.sinks[0]?.units.map(fingerprint), units.map(fingerprint));
  t.strictSame(desk.sinks[0]?.ends, ['announced']);
});

t.test('a sender that left while the desk was thinking leaves an ended sink', async (t) => {
  const clock = new FakeClock();
  const { desk, port, logged } = await stage(t, { clock });
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<PublishVerdict>();
  desk.decide = () => {
    asked.resolve();
    return answer.promise;
  };
  const closed = logged('rtmp.closed');
  const talk = exchange(port, sessionBytes({ app: 'live', key: 'k' }, [], []));
  await asked.promise;
  t.equal(desk.requests[0]?.left?.aborted, false);
  clock.advance(10_000);
  t.match(await closed, { fault: 'admission-timeout' });
  t.equal(desk.requests[0]?.left?.aborted, true, 'nobody has to make room for it any more');
  answer.resolve(desk.welcome());
  await desk.sinks[0]?.ended;
  t.strictSame(desk.sinks[0]?.ends, ['timeout']);
  clock.advance(10_000);
  t.notOk((await talk).includes('Publish.Start'));
});

t.test('a sender that hangs up while the desk thinks is noticed at once, and leaves its place', async (t) => {
  // The clock stands still: nothing here waits for a time-out.
  const { desk, port, server, logged } = await stage(t, { clock: new FakeClock(), limits: { strangersPerAddress: 1 } });
  const answers: PromiseWithResolvers<PublishVerdict>[] = [];
  for (const way of ['end', 'resetAndDestroy', 'destroy'] as const) {
    const asked = Promise.withResolvers<PublishRequest>();
    const answer = Promise.withResolvers<PublishVerdict>();
    answers.push(answer);
    desk.decide = (request) => {
      asked.resolve(request);
      return answer.promise;
    };
    const closed = logged('rtmp.closed');
    const socket = connect(port, '127.0.0.1');
    socket.resume().on('error', () => undefined);
    socket.write(sessionBytes({ app: 'live', key: 'k' }, [video], []));
    const request = await asked.promise;
    // Some say more before they have been let in, and that is no reason to miss their end.
    socket.write(Buffer.alloc(20_000));
    t.equal(server.sessions, 1);
    t.equal(request.left?.aborted, false);
    socket[way]();
    t.match(await closed, { end: 'lost', state: 'admission' }, way);
    t.equal(request.left?.aborted, true, 'nobody has to think about it any more');
    t.equal(server.sessions, 0);
  }
  t.equal(server.counters.turnedAway, 0, 'each found the only place free');
  for (const answer of answers) answer.resolve(desk.welcome());
  for (const sink of desk.sinks) t.equal(await sink.ended, 'lost', 'a yes that comes too late is over at once');
});

t.test('a desk that fails costs only this publisher', async (t) => {
  const { desk, port, lines } = await stage(t);
  desk.decide = () => Promise.reject(new Error('the catalog is gone'));
  const refused = await RtmpTestClient.connect({ port, key: 'x' }).catch((error: unknown) => error);
  t.match(refused, { status: { code: 'NetStream.Failed' } });
  t.match(lines.at(-1), { level: 'error', err: { message: 'the catalog is gone' } });
});

t.test('every reason to be sent away has its words', async (t) => {
  const { desk, port } = await stage(t);
  for (const reason of [
    'taken-over',
    'key-revoked',
    'ended-by-owner',
    'channel-deleted',
    'shutting-down',
    'fault',
  ] as const) {
    const client = await RtmpTestClient.connect({ port, key: 'good' });
    desk.requests.at(-1)?.evict(reason);
    desk.requests.at(-1)?.evict('fault');
    await client.closed;
    t.match(client.statuses.at(-1), { level: 'error', description: /\w+ \w+ \w+/ });
    t.strictSame(desk.sinks.at(-1)?.ends, ['evicted']);
  }
});

t.test('closing the server sends everybody away and resolves when they have gone', async (t) => {
  const { desk, port, server } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const stranger = connect(port, '127.0.0.1');
  await once(stranger, 'connect');
  server.stopAccepting();
  t.equal(desk.sinks[0]?.ends.length, 0, 'who is there goes on');
  await t.rejects(RtmpTestClient.connect({ port, key: 'good' }));
  await server.close();
  t.equal(server.sessions, 0);
  t.strictSame(desk.sinks[0]?.ends, ['evicted']);
  await client.closed;
  stranger.destroy();
});
