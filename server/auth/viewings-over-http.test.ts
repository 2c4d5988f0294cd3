/** Viewings and the answers that they are given, over real connections. */
import { connect } from 'node:net';
import { once } from 'node:events';
import t from 'tap';
import { FakePresentation } from '../delivery/fake-presentation.ts';
import type { Gatekeeper, WhenOver } from '../delivery/presentation.ts';
import { run, TestServer } from '../delivery/test-server.ts';
import { silenceMs, Viewings, type Seat } from './viewings.ts';

const account = '6c0mp8qcmgg9d65y';
const grant = (id: string, video: string): Seat => ({ id, video, account, expiresAt: Date.UTC(2030, 0, 1), own: true, streams: null, viewer: null });

/** One may watch. `over`: for each answer that is over, whether its peer was there. */
const setUp = async (t: { teardown: (run: () => unknown) => void }) => {
  const over: boolean[] = [];
  const gatekeeper: Gatekeeper = {
    verdict: (text, video, _audience, { address, agent, wantsMedia = false, onOver, breakOff = () => undefined }) => {
      const listen = (run: WhenOver): void =>
        onOver?.((wasThere) => {
          run(wasThere);
          over.push(wasThere);
        });
      const from = { address, agent, breakOff, onOver: listen };
      const turned = wantsMedia ? viewings.take(grant(text, video), from) : null;
      return turned ? { ok: false, status: 403, code: turned } : { ok: true, shared: false, expiresAt: null, maxHeight: null, mayDownload: false };
    },
  };
  const server = await TestServer.start({ gatekeeper });
  t.teardown(() => server.stop());
  const viewings = new Viewings(server.clock, { perAccount: 1, whenFull: 'refuse-new' });
  return { server, viewings, over };
};
const segment = (by: string, msn: number): string => `/play/${by}/video-00000001/v0/${run}-${msn}.m4s`;
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((turn) => setImmediate(turn));
};

t.test('a player that stops reading loses its place a minute after it asked', async (t) => {
  const { server, over } = await setUp(t);
  server.presentations.add(new FakePresentation({ partBytes: 8 << 20 })).do((stream) => stream.part().close());
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET ${segment('one', 1)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await until(() => server.delivery.stats().slowPeers.sending === 1);
  server.clock.advance(21_000);
  t.match(server.delivery.stats().slowPeers, { sending: 0, dropped: 1 });
  await until(() => over.length > 0);
  t.same(over, [false]);
  const other = async () => (await server.ask(segment('two', 1), { method: 'HEAD' })).status;
  t.equal(await other(), 403);
  server.clock.advance(silenceMs - 21_000);
  t.equal(await other(), 200);
});

type Server = Awaited<ReturnType<typeof setUp>>['server'];
const part = (by: string, msn: number, number: number): string => `/play/${by}/video-00000001/v0/${run}-${msn}-${number}.m4s`;
/** However a player crashes, without a word: what it had asked for, and how it is known that the answer is stuck, or waits. */
const crashes: readonly (readonly [string, (server: Server) => string[], (server: Server) => boolean])[] = [
  ['in a large segment', (server) => {
    server.presentations.add(new FakePresentation({ partBytes: 8 << 20 })).do((stream) => stream.part().close());
    return [segment('one', 1)];
  }, ({ delivery }) => delivery.stats().slowPeers.sending === 1],
  ['in a segment that is being written', (server) => {
    server.presentations.add(new FakePresentation({ partBytes: 8 << 20 })).do((stream) => stream.segment(1).part());
    return [segment('one', 2)];
  }, ({ delivery }) => delivery.stats().slowPeers.sending === 1 && delivery.stats().flows === 1],
  ['in answers behind one another, each of one write', (server) => {
    server.presentations.add(new FakePresentation({ partBytes: 1000 << 10 })).do((stream) => stream.part().close());
    return Array.from({ length: 24 }, () => segment('one', 1));
  }, ({ delivery }) => delivery.stats().slowPeers.sending > 0],
  ['while it waits for a part', (server) => {
    server.live();
    return [part('one', 9, 2)];
  }, ({ delivery }) => delivery.stats().waiters === 1],
  ['in a segment of which nothing more comes', (server) => {
    server.live();
    return [segment('one', 9)];
  }, ({ delivery }) => delivery.stats().waiters === 1 && delivery.stats().flows === 1],
  ['behind an answer that was taken', (server) => {
    server.live();
    return [segment('one', 8)];
  }, ({ delivery }) => delivery.stats().requests.get('segment 200') === 1],
];

for (const [where, ask, isAt] of crashes) {
  t.test(`a player that crashes ${where} frees its place within 90 s`, async (t) => {
    const { server } = await setUp(t);
    const asked = ask(server);
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(asked.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
    await until(() => isAt(server));
    // What is complete: asking for it waits for nothing.
    const other = async (): Promise<number> => (await server.ask(segment('two', 1), { method: 'HEAD' })).status;
    let seconds = 0;
    for (; (await other()) === 403 && seconds < 120; seconds += 1) server.clock.advance(1000);
    t.ok(seconds >= silenceMs / 1000 && seconds <= 90, `${seconds} s`);
  });
}

t.test('a segment that is under way ends when its viewing is stopped, or its grant taken back', async (t) => {
  const { server, viewings, over } = await setUp(t);
  const video = server.live();
  const stop = (): void => void viewings.stop(account, viewings.ofAccount(account)[0]?.id ?? '');
  for (const [by, end] of [['one', stop], ['two', () => viewings.end('two')]] as const) {
    const asked = await server.follow(segment(by, 9));
    await server.waiting(1);
    end();
    t.equal(await asked.ended(), 'fault', by);
    await server.waiting(0);
  }
  t.same(over, [false, false]);
  t.equal(video.listeners, 0);
  t.equal((await server.ask(segment('one', 8))).status, 403, 'it was stopped');
});
