/** Over real connections: every answer is over once, whichever way it ends. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import t from 'tap';
import { whenOver } from './when-over.ts';

type Test = { teardown: (run: () => unknown) => void };
type Asked = { readonly request: IncomingMessage; readonly response: ServerResponse };

const setUp = async (t: Test) => {
  const asked: Asked[] = [];
  let more = (): void => undefined;
  const server = createServer((request, response) => {
    asked.push({ request, response });
    more();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const open = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  /** The last of so many requests sent at once. */
  const ask = async (socket: Socket, count = 1): Promise<Asked> => {
    const before = asked.length;
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count));
    while (asked.length < before + count) await new Promise<void>((resolve) => (more = resolve));
    const last = asked.at(-1);
    if (!last) throw new Error('nothing was asked');
    return last;
  };
  return { open, ask };
};

/** Resolves with what is said first; a second time is a fault. */
const over = (t: { fail: (why: string) => unknown }, { request, response }: Asked): Promise<boolean> =>
  new Promise((resolve) => {
    let times = 0;
    whenOver(request, response, (wasThere) => {
      times += 1;
      if (times > 1) t.fail('over twice');
      resolve(wasThere);
    });
  });

t.test('an answer that was taken, one after the other on one connection', async (t) => {
  const { open, ask } = await setUp(t);
  const socket = await open();
  for (let count = 0; count < 3; count += 1) {
    const asked = await ask(socket);
    const done = over(t, asked);
    asked.response.end('all of it');
    t.equal(await done, true);
  }
  socket.destroy();
});

t.test('a peer that leaves was there, one that is sent away was not', async (t) => {
  const { open, ask } = await setUp(t);
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const socket = await open();
    const done = over(t, await ask(socket));
    socket[leave]();
    t.equal(await done, true, leave);
  }
  const asked = await ask(await open());
  const done = over(t, asked);
  asked.response.destroy();
  t.equal(await done, false);
});

t.test('a peer that takes nothing of a long answer, and is sent away, was not there', async (t) => {
  const { open, ask } = await setUp(t);
  const socket = (await open()).pause();
  const asked = await ask(socket);
  const done = over(t, asked);
  asked.response.end(Buffer.alloc(64 << 20));
  t.not(asked.response.socket?.writableLength, 0);
  asked.response.destroy();
  t.equal(await done, false);
});

t.test('it is over at once for whoever wants to know of it later', async (t) => {
  const { open, ask } = await setUp(t);
  const socket = await open();
  const left = await ask(socket);
  socket.destroy();
  await once(left.request.socket, 'close');
  let said: boolean | null = null;
  whenOver(left.request, left.response, (wasThere) => (said = wasThere));
  t.equal(said, true);
  const broken = await ask(await open());
  broken.response.destroy();
  whenOver(broken.request, broken.response, (wasThere) => (said = wasThere));
  t.equal(said, false);
});

t.test('answers that wait for another one on their connection are over with it', async (t) => {
  const { open, ask } = await setUp(t);
  const [socket, other] = [await open(), await open()];
  const [waits, waited] = [over(t, await ask(socket, 30)), await ask(other, 2)];
  socket.destroy();
  t.equal(await waits, true);
  other.destroy();
  await once(waited.request.socket, 'close');
  t.equal(await over(t, waited), true, 'also when that was before');
});
