import { createServer, type AddressInfo } from 'node:net';
import t from 'tap';
import { listenAt } from './listening.ts';

const said: unknown[] = [];
const log = { error: (facts: unknown) => void said.push(facts) } as never;

t.test('a connection that cannot be taken, as no descriptor is left, does not end the server', async (t) => {
  const server = createServer();
  t.teardown(() => server.close());
  const port = await listenAt(server, { host: '127.0.0.1', port: 0, variable: 'X' }, log);
  t.equal(port, (server.address() as AddressInfo).port);
  const failed = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
  t.ok(server.emit('error', failed), 'somebody hears it');
  t.same(said, [{ err: failed, port }]);
});

t.test('a port that is taken ends the start, with words and no line', async (t) => {
  const first = createServer();
  t.teardown(() => first.close());
  const port = await listenAt(first, { host: '127.0.0.1', port: 0, variable: 'X' }, log);
  said.length = 0;
  await t.rejects(listenAt(createServer(), { host: '127.0.0.1', port, variable: 'MILLRACE_X' }, log), /is taken: .* MILLRACE_X/);
  t.same(said, []);
});
