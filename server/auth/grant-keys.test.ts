import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import type { GrantKey } from '../catalog/grant-keys.ts';
import { testCatalog } from '../catalog/testing.ts';
import { GrantKeys, longestGrantMs, mostKeys } from './grant-keys.ts';
import { readGrant, writeGrant, type Grant } from './grant-token.ts';

const day = 86_400_000;
const grant: Grant = {
  ...{ id: 'jr1xp67vwmr07r9f', opens: { kind: 'video', id: 'b27pp67vwmr07r9f' }, account: '6c0mp8qcmgg9d65y', expiresAt: Date.UTC(2027, 10, 22), notBefore: null },
  ...{ audiences: ['media'], maxHeight: null, mayDownload: false, own: false, streams: null, networks: [], rules: [], device: null, viewer: null },
};

const setUp = async (t: Parameters<typeof testCatalog>[0]) => {
  const { catalog, clock } = await testCatalog(t);
  const failures: unknown[] = [];
  const open = async (running = false) => {
    const keys = await GrantKeys.open({ store: catalog.grantKeys, clock, signsForMs: 30 * day, failed: (error) => failures.push(error) });
    if (running) t.teardown(() => keys.stop());
    else keys.stop();
    return keys;
  };
  return { catalog, clock, open, failures };
};

t.test('the first start makes a key, the next one signs with the same, and it lies in the catalog sealed', async (t) => {
  const { catalog, open } = await setUp(t);
  const { signing } = await open();
  t.same((await open()).signing, signing);
  const rows = await catalog.db.selectFrom('grantKeys').selectAll().execute();
  t.equal(rows.length, 1);
  t.notOk(JSON.stringify(rows).includes(signing.secret.toString('base64url')));
});

t.test('what a rotated key signed is good until none of its grants can be left', async (t) => {
  const { catalog, clock, open } = await setUp(t);
  const keys = await open();
  const before = writeGrant(keys.signing, grant);
  const { id } = keys.signing;
  await keys.rotate();
  t.not(keys.signing.id, id);
  const after = writeGrant(keys.signing, grant);
  t.not(after, before);
  t.same([readGrant(keys.find, before), readGrant(keys.find, after)], [grant, grant]);
  t.same([...keys.list()].map(({ retiredAt }) => retiredAt === null), [true, false]);
  t.same(readGrant((await open()).find, before), grant, 'after a restart too');
  clock.advance(longestGrantMs);
  t.same([readGrant(keys.find, before), readGrant(keys.find, after)], ['grant-key-unknown', grant]);
  await catalog.sweep();
  t.same((await catalog.grantKeys.all()).map((key) => key.id), [keys.signing.id], 'and then it is forgotten');
});

t.test('a key that leaked is removed with all that it signed, and never the one that signs', async (t) => {
  const { open } = await setUp(t);
  const keys = await open();
  const { id } = keys.signing;
  const text = writeGrant(keys.signing, grant);
  t.equal(await keys.remove(id), false);
  t.same(readGrant(keys.find, text), grant);
  await keys.rotate();
  t.equal(await keys.remove(id), true);
  t.equal(readGrant(keys.find, text), 'grant-key-unknown');
  t.equal(await keys.remove(id), false);
});

t.test('a key signs for its time, whether or not the server is started anew', async (t) => {
  const { clock, open, failures } = await setUp(t);
  const keys = await open();
  const first = keys.signing.id;
  clock.advance(29 * day);
  t.equal((await open()).signing.id, first);
  clock.advance(day);
  const late = await open();
  t.not(late.signing.id, first);
  t.equal(late.list().length, 2);
  t.same(failures, []);
});

t.test('while the server runs, a key that has signed for its time is followed by one other', async (t) => {
  const { clock, open, catalog, failures } = await setUp(t);
  const keys = await open(true);
  const first = keys.signing.id;
  clock.advance(31 * day);
  while (keys.signing.id === first) await new Promise((turn) => setImmediate(turn));
  t.equal((await catalog.grantKeys.all()).length, 2);
  t.same(failures, []);
});

t.test('what a new key signs is good before all keys have been read again', async (t) => {
  const { catalog, clock } = await setUp(t);
  let read = Promise.resolve();
  const store = {
    ...catalog.grantKeys,
    all: async () => {
      await read;
      return catalog.grantKeys.all();
    },
  };
  const keys = await GrantKeys.open({ store, clock, signsForMs: 30 * day, failed: (error) => t.fail(String(error)) });
  t.teardown(() => keys.stop());
  const first = keys.signing.id;
  const reading = Promise.withResolvers<void>();
  read = reading.promise;
  const rotating = keys.rotate();
  while (keys.signing.id === first) await new Promise((turn) => setImmediate(turn));
  t.same(readGrant(keys.find, writeGrant(keys.signing, grant)), grant);
  reading.resolve();
  await rotating;
  t.same(keys.list().map(({ retiredAt }) => retiredAt === null), [true, false]);
});

t.test('where too many keys are kept the last one signs on, and somebody is told; until some of them have gone', async (t) => {
  const clock = new FakeClock();
  const key = (id: number): GrantKey => ({ id, createdAt: clock.wall(), retiredAt: id === 1 ? null : clock.wall(), goodUntil: id === 1 ? null : clock.wall() + longestGrantMs, secret: Buffer.alloc(32, id) });
  let kept = Array.from({ length: mostKeys }, (_, index) => key(index + 1));
  const rotate = async (): Promise<GrantKey> => {
    const made = { ...key(mostKeys + 1), retiredAt: null, goodUntil: null };
    kept = [made, ...kept];
    return made;
  };
  const told: unknown[] = [];
  const store = { all: async () => kept, rotate, remove: async () => false, sweep: async () => undefined };
  const keys = await GrantKeys.open({ store, clock, signsForMs: 0, failed: (error) => told.push(error) });
  t.teardown(() => keys.stop());
  t.match(told.map(String), [/1000 keys/]);
  t.equal(keys.signing.id, 1);
  t.equal(await keys.rotate(), null);
  kept = kept.slice(0, 10);
  t.match(await keys.rotate(), { id: mostKeys + 1 });
  t.equal(keys.list().length, 11);
});
