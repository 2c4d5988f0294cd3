import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sql, type Kysely } from 'kysely';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { openCatalog } from './catalog.ts';
import { first } from './migrations/001-first.ts';
import { migrations } from './migrations/all.ts';
import type { Migration } from './migrations/migration.ts';
import { channelOf, quiet, someAccount, testCatalog, testFolder } from './testing.ts';

const opening = (folder: string, migrations?: readonly Migration[]) =>
  openCatalog({ folder, clock: new FakeClock(), log: quiet, ...(migrations ? { migrations } : {}) });

const newest = migrations.at(-1)?.id ?? 0;
const next: Migration = { id: newest + 1, name: 'next', up: async (db) => void (await db.schema.createTable('more').addColumn('id', 'text').execute()) };
const broken: Migration = {
  id: newest + 2,
  name: 'broken',
  async up(db) {
    await db.schema.createTable('half').addColumn('id', 'text').execute();
    throw new Error('the plug was pulled');
  },
};

t.test('a second server on the same data folder is refused in words, and the first goes on', async (t) => {
  const { catalog, folder } = await testCatalog(t);
  await t.rejects(opening(folder), { code: 'in-use', message: /Another Millrace is running on the data folder/ });
  await someAccount(catalog);
  await catalog.close();
  await (await opening(folder)).close();
});

t.test('a catalog from the future is refused, and left as it is', async (t) => {
  const folder = await testFolder(t);
  await (await opening(folder, [...migrations, next])).close();
  await t.rejects(opening(folder), { code: 'from-the-future', message: new RegExp(`newer Millrace \\(its version is ${newest + 1}; this program knows ${newest}\\)`) });
  await (await opening(folder, [...migrations, next])).close();
});

t.test('an upgrade that fails half way changes nothing at all', async (t) => {
  const folder = await testFolder(t);
  await (await opening(folder)).close();
  await t.rejects(opening(folder, [...migrations, next, broken]), /the plug was pulled/);
  const catalog = await opening(folder);
  t.teardown(() => catalog.close());
  const tables = new Set((await catalog.db.introspection.getTables()).map((table) => table.name));
  t.notOk(tables.has('more') || tables.has('half'), 'no table of either step');
  t.same(await catalog.db.selectFrom('migrations').select('id').execute(), migrations.map(({ id }) => ({ id })));
});

t.test('an upgrade keeps what was there', async (t) => {
  const folder = await testFolder(t);
  const before = await opening(folder);
  const owner = await someAccount(before);
  await before.close();
  const after = await opening(folder, [...migrations, next]);
  t.teardown(() => after.close());
  t.equal((await after.accounts.get(owner))?.id, owner);
});

t.test('jobs that were queued before jobs had videos belong to theirs, and are done', async (t) => {
  const folder = await testFolder(t);
  const before = await opening(folder, migrations.filter(({ id }) => id < 9));
  await sql`insert into accounts ("id", "username", "usernameKey", "role", "passwordHash", "createdAt", "updatedAt") values ('ann', 'ann', 'ann', 'creator', 'x', 1, 1)`.execute(before.db);
  await sql`insert into videos ("id", "ownerId", "title", "description", "state", "visibility", "latency", "bytes", "createdAt", "updatedAt") values ('v', 'ann', 'A film', '', 'processing', 'public', 'low', 0, 1, 1)`.execute(before.db);
  for (const [id, payload, state] of [['a', '{"video":"v"}', 'queued'], ['b', '{"video":"gone"}', 'done'], ['c', 'null', 'dead'], ['d', '{"video":"v"}', 'done']]) {
    await sql`insert into jobs ("id", "uniqueKey", "class", "kind", "payload", "priority", "state", "attempts", "maxAttempts", "runAt", "fence", "createdAt", "updatedAt") values (${id}, ${`inspect:${id}`}, 'inspect', 'inspect', ${payload}, 0, ${state}, 0, 3, 1, 0, 1, 1)`.execute(before.db);
  }
  await before.close();
  const { jobs, videos, close } = await opening(folder);
  t.teardown(close);
  t.same((await jobs.ofVideo('v')).map(({ id, done }) => [id, done]).sort(), [['a', 0], ['d', 1]]);
  t.match([await jobs.byKey('inspect:b'), await jobs.byKey('inspect:c')], [{ videoId: null, done: 1 }, { videoId: null, state: 'dead' }]);
  const lease = await jobs.lease(['inspect'], 'w', 1000);
  t.equal(lease?.job.id, 'a');
  t.equal(lease && (await jobs.complete(lease.token)), true);
  await videos.remove('v');
  t.equal(await jobs.get('a'), null);
});

t.test('what is no catalog is refused in words', async (t) => {
  const folder = await testFolder(t);
  await writeFile(join(folder, 'catalog.db'), 'this is not a database, but long enough to be looked at as if it were one');
  await t.rejects(opening(folder), { code: 'damaged' });
});

t.test('the master key is made once, for its owner only, and another one is refused', async (t) => {
  const { catalog, folder } = await testCatalog(t);
  const path = join(folder, 'master.key');
  t.equal((await stat(path)).mode & 0o777, 0o600);
  const key = await readFile(path);
  t.equal(key.length, 32);
  await catalog.close();
  await rm(path);
  await t.rejects(opening(folder), { code: 'wrong-key', message: /Put the master.key from the backup/ });
  await writeFile(path, 'short');
  await t.rejects(opening(folder), { code: 'wrong-key' });
  await writeFile(path, key);
  await (await opening(folder)).close();
});

t.test('a backup taken while the catalog is written to opens as a catalog', async (t) => {
  const { catalog, folder } = await testCatalog(t);
  const owner = await someAccount(catalog);
  const target = await testFolder(t);
  const writes = Array.from({ length: 50 }, () => catalog.channels.create(channelOf(owner)));
  await catalog.backup(join(target, 'catalog.db'));
  await Promise.all(writes);
  await writeFile(join(target, 'master.key'), await readFile(join(folder, 'master.key')));
  const copy = await opening(target);
  t.teardown(() => copy.close());
  t.equal((await copy.accounts.get(owner))?.id, owner);
});

t.test('an order that fails leaves the catalog working, and after its end orders fail instead of waiting', async (t) => {
  const { catalog } = await testCatalog(t);
  await t.rejects(catalog.db.insertInto('meta').values({ name: 'x', value: {} as string }).execute());
  t.ok(await catalog.accounts.list({ limit: 1, after: null }));
  await catalog.close();
  await t.rejects(catalog.accounts.get('x'));
});

const writer = `
  import { openCatalog } from ${JSON.stringify(new URL('./catalog.ts', import.meta.url).href)};
  import { systemClock } from ${JSON.stringify(new URL('../../packager/clock.ts', import.meta.url).href)};
  const catalog = await openCatalog({ folder: process.argv[1], clock: systemClock, log: { error() {} } });
  for (;;) {
    const made = await catalog.accounts.create({ username: 'u' + process.hrtime.bigint(), role: 'viewer', passwordHash: 'x' });
    const { channel } = await catalog.channels.create({ name: made.id, ownerId: made.id, title: 't', description: '', visibility: 'public', latency: 'low', ladder: 'source', protection: 'none', srtPassphrase: null, dvrSeconds: null, captions: [], downloads: true });
    process.stdout.write(made.id + ' ' + channel.id + '\\n');
  }`;

t.test('what was acknowledged before a kill -9 is there after it, and nothing is half there', async (t) => {
  const folder = await testFolder(t);
  const acknowledged: [string, string][] = [];
  for (const enough of [1, 17, 40]) {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', writer, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [account = '', channel = ''] = line.split(' ');
      if (channel.length === 16) acknowledged.push([account, channel]);
      seen += 1;
      if (seen === enough) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    t.equal(child.signalCode, 'SIGKILL');
    const catalog = await opening(folder);
    for (const [account, channel] of acknowledged) {
      t.ok(await catalog.accounts.get(account), 'account');
      t.equal((await catalog.channels.get(channel))?.ownerId, account);
      t.equal((await catalog.streamKeys.ofChannel(channel)).length, 1, 'a channel comes with its key');
    }
    const events = await catalog.outbox.next(100_000);
    const accounts = await catalog.db.selectFrom('accounts').select('id').execute();
    t.equal(events.filter(({ event }) => event.type === 'account.created').length, accounts.length, 'each account with its event, each event with its account');
    await catalog.close();
  }
});

t.test('a full disk is said as such, changes nothing, and is over when there is room', async (t) => {
  const { catalog } = await testCatalog(t);
  const pages = async (most: number): Promise<unknown> => sql`PRAGMA max_page_count = ${sql.lit(most)}`.execute(catalog.db);
  const big = (name: string) => catalog.db.insertInto('meta').values({ name, value: 'x'.repeat(1_000_000) });
  await pages(1);
  await t.rejects(catalog.db.transaction().execute((trx) => trx.insertInto('meta').values({ name: 'a', value: 'x'.repeat(1_000_000) }).execute()), { code: 'full' });
  await t.rejects(big('b').execute(), { code: 'full' });
  await pages(1_000_000);
  await big('c').execute();
  t.same((await catalog.db.selectFrom('meta').select('name').where('name', 'in', ['a', 'b', 'c']).execute()).map(({ name }) => name), ['c']);
});

/** A catalog as the version before made it, with a channel and a recording in it. */
const catalogOfVersionOne = async (folder: string): Promise<void> => {
  const before = await opening(folder, [first]);
  const owner = 'account0';
  const account = { id: owner, username: 'Ann', usernameKey: 'ann', role: 'creator', passwordHash: 'none', createdAt: 1, updatedAt: 1 };
  const row = { id: 'channel0', name: 'old', ownerId: owner, title: 'Old', description: '', createdAt: 1, updatedAt: 1 };
  const settings = { visibility: 'public', latency: 'low', ladder: 'source', protection: 'none', srtPassphraseSealed: null };
  const video = { id: 'video000', channelId: 'channel0', ownerId: owner, title: 'Show', description: '', createdAt: 1, updatedAt: 1 };
  const facts = { state: 'ready', visibility: 'private', latency: 'low', run: 'run00000', policy: null, bytes: 7, durationMs: 5_000 };
  // The rows of that time lack columns that Schema has now.
  const db = before.db as unknown as Kysely<Record<string, Record<string, unknown>>>;
  await db.insertInto('accounts').values(account).execute();
  await db.insertInto('channels').values({ ...row, ...settings }).execute();
  await db.insertInto('videos').values({ ...video, ...facts }).execute();
  await before.close();
};

t.test('a catalog of the first version opens with what it holds, and with what it could not say at its defaults', async (t) => {
  const folder = await testFolder(t);
  await catalogOfVersionOne(folder);
  const catalog = await opening(folder);
  t.teardown(() => catalog.close());
  t.match(await catalog.channels.byName('old'), { id: 'channel0', title: 'Old', dvrSeconds: null, captions: [], downloads: true });
  t.match(await catalog.videos.get('video000'), { title: 'Show', visibility: 'private', bytes: 7, durationMs: 5_000, cutInMs: null, cutOutMs: null, downloads: true });
  t.match(await catalog.videos.get('video000'), { source: 'live', ladder: 'source', filename: null, originalBytes: 0 });
  t.match(await catalog.accounts.byUsername('ann'), { id: 'account0', quotaBytes: null });
  t.match(await catalog.channels.update('channel0', { dvrSeconds: 30 }), { dvrSeconds: 30 });
});
