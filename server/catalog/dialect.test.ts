import t from 'tap';
import { must, also } from './ground.ts';
import { Turnstile, TurnstileFull } from './turnstile.ts';
import { testCatalog } from './testing.ts';

const put = (name: string) => ({ name, value: 'v' });

t.test('a read outside a transaction neither waits for it nor sees inside it', async (t) => {
  const { catalog } = await testCatalog(t);
  const { db } = catalog;
  const inside = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const transaction = db.transaction().execute(async (trx) => {
    await trx.insertInto('meta').values(put('a')).execute();
    t.equal((await trx.selectFrom('meta').selectAll().where('name', '=', 'a').execute()).length, 1, 'it sees its own');
    inside.resolve();
    await finish.promise;
  });
  await inside.promise;
  const find = () => db.selectFrom('meta').selectAll().where('name', '=', 'a').execute();
  t.same(await find(), []);
  finish.resolve();
  await transaction;
  t.equal((await find()).length, 1);
});

t.test('a write waits for the transaction before it, and is no part of it', async (t) => {
  const { catalog } = await testCatalog(t);
  const { db } = catalog;
  const inside = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const transaction = db.transaction().execute(async (trx) => {
    await trx.insertInto('meta').values(put('undone')).execute();
    inside.resolve();
    await finish.promise;
    throw new Error('changed my mind');
  });
  await inside.promise;
  const write = db.insertInto('meta').values(put('kept')).execute();
  finish.resolve();
  await t.rejects(transaction, /changed my mind/);
  await write;
  const names = (await db.selectFrom('meta').select('name').where('value', '=', 'v').execute()).map(({ name }) => name);
  t.same(names, ['kept']);
});

t.test('concurrent transactions take turns, so a counter loses nothing', async (t) => {
  const { catalog } = await testCatalog(t);
  const { db } = catalog;
  await db.insertInto('meta').values({ name: 'n', value: '0' }).execute();
  const add = () =>
    db.transaction().execute(async (trx) => {
      const { value } = await trx.selectFrom('meta').select('value').where('name', '=', 'n').executeTakeFirstOrThrow();
      await trx.updateTable('meta').set({ value: String(Number(value) + 1) }).where('name', '=', 'n').execute();
    });
  await Promise.all(Array.from({ length: 20 }, add));
  t.equal((await db.selectFrom('meta').select('value').where('name', '=', 'n').executeTakeFirstOrThrow()).value, '20');
});

t.test('a step that must touch a row and does not undoes the steps before it', async (t) => {
  const { catalog } = await testCatalog(t);
  const owner = await catalog.accounts.create({ username: 'a', role: 'admin', passwordHash: 'x' });
  const token = 'no-such-token';
  t.equal(await catalog.links.redeemReset(token, owner.id, 'changed'), false);
  t.equal((await catalog.accounts.get(owner.id))?.passwordHash, 'x');
  t.same([must, also].map((kind) => kind({ compile: () => ({}) as never }).must), [true, false]);
});

t.test('a turnstile lets as many through as it is wide, in order, and sends away whoever is too many', async (t) => {
  const turnstile = new Turnstile(1, 1);
  const leave = await turnstile.enter();
  const order: string[] = [];
  const second = turnstile.enter().then((out) => {
    order.push('second');
    return out;
  });
  await t.rejects(turnstile.enter(), TurnstileFull);
  t.same(order, []);
  leave();
  leave();
  (await second)();
  (await turnstile.enter())();
  t.same(order, ['second']);
});
