import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { HookCaller } from './call.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

const receiver = async (test: { teardown(end: () => unknown): void }, handle: Handle) => {
  const server = createServer((request, response) => handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const clock = new FakeClock(1_700_000_000_000);
  const url = `http://127.0.0.1:${port}/hook?a=b`;
  const caller = new HookCaller({ url, secret: 'sixteen letters!', timeoutMs: 2_000, clock, userAgent: 'Millrace/test', atOnce: 2 });
  return { caller, clock, url };
};

t.test('what is sent is signed together with its time', async (t) => {
  let seen: { readonly headers: IncomingMessage['headers']; readonly url: string | undefined; readonly body: string } | null = null;
  const { caller } = await receiver(t, async (request, response) => {
    seen = { headers: request.headers, url: request.url, body: await text(request) };
    response.end('{"allow":true}');
  });
  t.same(await caller.call('publish', 'id1', '{"a":"ü"}'), { kind: 'answered', status: 200, body: '{"allow":true}' });
  const mac = createHmac('sha256', 'sixteen letters!').update('1700000000.{"a":"ü"}').digest('hex');
  t.match(seen, {
    url: '/hook?a=b',
    body: '{"a":"ü"}',
    headers: { 'content-type': 'application/json; charset=utf-8', 'millrace-event': 'publish', 'millrace-id': 'id1', 'millrace-signature': `t=1700000000,v1=${mac}`, 'user-agent': 'Millrace/test' },
  });
});

t.test('a redirect is an answer, and is not followed', async (t) => {
  let asked = 0;
  const { caller } = await receiver(t, (request, response) => {
    asked += 1;
    response.writeHead(307, { location: '/elsewhere' }).end();
    request.resume();
  });
  t.match(await caller.call('publish', 'id', '{}'), { kind: 'answered', status: 307 });
  t.equal(asked, 1);
});

t.test('an answer that does not end is read no further than 16 KiB', async (t) => {
  const closed = Promise.withResolvers<void>();
  const { caller } = await receiver(t, (_, response) => {
    const more = (): void => {
      while (response.write(Buffer.alloc(4096, 0x20)));
    };
    response.on('drain', more).on('close', closed.resolve);
    more();
  });
  t.match(await caller.call('publish', 'id', '{}'), { kind: 'failed', why: /larger than 16384/ });
  await closed.promise;
});

t.test('who waits for his turn waits no longer than for an answer', async (t) => {
  const held: ServerResponse[] = [];
  const two = Promise.withResolvers<void>();
  const { caller, clock } = await receiver(t, (_, response) => {
    if (held.push(response) === 2) two.resolve();
  });
  const calls = [1, 2, 3].map((n) => caller.call('publish', `id${n}`, '{}'));
  await two.promise;
  clock.advance(1_999);
  held[0]?.end();
  t.match(await calls[0], { kind: 'answered' });
  clock.advance(1);
  t.match(await Promise.all(calls.slice(1)), [{ kind: 'failed', why: 'no answer within 2000 ms' }, { kind: 'failed', why: 'no answer within 2000 ms' }]);
  // All turns have been given back.
  const again = caller.call('publish', 'id4', '{}');
  while (held.length < 3) await new Promise((resolve) => setImmediate(resolve));
  for (const response of held) response.end();
  t.match(await again, { kind: 'answered' });
});

t.test('nobody there, and a stop, are no answers', async (t) => {
  const { caller } = await receiver(t, () => undefined);
  const nobody = new HookCaller({ url: 'http://127.0.0.1:9/', secret: 's', timeoutMs: 2_000, clock: new FakeClock(), userAgent: 'x', atOnce: 1 });
  t.match(await nobody.call('publish', 'id', '{}'), { kind: 'failed', why: /refused|bad port/i });
  const waiting = caller.call('publish', 'id', '{}');
  caller.close();
  t.match(await waiting, { kind: 'failed' });
  t.match(await caller.call('publish', 'id', '{}'), { kind: 'failed', why: 'the server is stopping' });
});

t.test('a connection that breaks without an answer is tried once more', async (t) => {
  const ids: unknown[] = [];
  const { caller } = await receiver(t, (request, response) => {
    ids.push(request.headers['millrace-id']);
    if (ids.length === 1) request.socket.destroy();
    else response.end();
  });
  t.match(await caller.call('publish', 'id1', '{}'), { kind: 'answered', status: 200 });
  t.same(ids, ['id1', 'id1']);
});

t.test('what nobody waits for any more is given up at once, and its turn with it', async (t) => {
  const asked: IncomingMessage[] = [];
  const two = Promise.withResolvers<void>();
  const { caller } = await receiver(t, (request) => {
    if (asked.push(request) === 2) two.resolve();
  });
  const senders = [1, 2, 3].map(() => new AbortController());
  const calls = senders.map(({ signal }, n) => caller.call('publish', `id${n}`, '{}', signal));
  await two.promise;
  const hungUp = asked.map((request) => once(request.socket, 'close'));
  for (const sender of senders) sender.abort();
  t.match(await Promise.all(calls), senders.map(() => ({ kind: 'failed', why: /waits for its answer/ })));
  await Promise.all(hungUp);
  t.match(await caller.call('publish', 'id4', '{}', senders[0]?.signal), { kind: 'failed' });
  t.equal(asked.length, 2, 'who waited for his turn was never asked about');
  // Both turns are free again.
  const again = [5, 6].map((n) => caller.call('publish', `id${n}`, '{}'));
  while (asked.length < 4) await new Promise((resolve) => setImmediate(resolve));
  caller.close();
  t.match(await Promise.all(again), [{ kind: 'failed' }, { kind: 'failed' }]);
});
