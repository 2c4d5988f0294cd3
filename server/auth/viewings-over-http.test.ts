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
