import t from 'tap';
import { channelOf, quiet, someAccount, testCatalog } from '../catalog/testing.ts';
import { EventDispatcher } from './dispatcher.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

t.test('events are handed out in order, to those who want them, and then forgotten', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log: quiet });
  t.teardown(() => events.stop());
  const all: string[] = [];
  const channels: string[] = [];
  events.subscribe('*', ({ type }) => all.push(type));
  events.subscribe('channel.', ({ type }) => channels.push(type));
  events.subscribe('channel.deleted', ({ name }) => channels.push(name));
  events.start();
  const owner = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(owner, { name: 'x' }));
  await catalog.channels.update(channel.id, { title: 'new' });
  await catalog.channels.remove(channel.id);
  await events.settled();
  t.same(all, ['account.created', 'channel.created', 'stream-key.created', 'channel.updated', 'channel.deleted']);
  t.same(channels, ['channel.created', 'channel.updated', 'channel.deleted', 'x']);
  t.same(await catalog.outbox.next(10), []);
});

t.test('what was not handed out before a stop is handed out after the next start', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const first = new EventDispatcher({ outbox: catalog.outbox, clock, log: quiet });
  first.subscribe('account.created', () => {
    throw new Error('not today');
  });
  first.start();
  await someAccount(catalog);
  while ((await catalog.outbox.next(1)).length === 0) await tick();
  await first.stop();
  const second = new EventDispatcher({ outbox: catalog.outbox, clock, log: quiet });
  t.teardown(() => second.stop());
  const heard: string[] = [];
  second.subscribe('account.created', ({ accountId }) => heard.push(accountId));
  second.start();
  await second.settled();
  t.equal(heard.length, 1);
});

t.test('a handler that fails is tried again, and given up at last, so that the others hear on', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const logged: string[] = [];
  const log = { warn: (_facts: object, text: string) => logged.push(text), error: (_facts: object, text: string) => logged.push(text) };
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log });
  t.teardown(() => events.stop());
  let tries = 0;
  const heard: string[] = [];
  events.subscribe('account.created', () => {
    tries += 1;
    throw new Error('never');
  });
  events.subscribe('*', ({ type }) => heard.push(type));
  events.start();
  await someAccount(catalog);
  const settled = events.settled();
  for (let turn = 0; turn < 10_000 && heard.length === 0; turn += 1) {
    clock.advance(100);
    await tick();
  }
  await settled;
  t.equal(tries, 8);
  t.same(heard, ['account.created']);
  t.match(logged.at(-1), /given up/);
});
