import { chown, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { quiet, testCatalog } from '../catalog/testing.ts';
import { adminReset } from './admin-reset.ts';
import { Auth } from './auth.ts';

const cost = { memoryKiB: 64, passes: 1, lanes: 1 };
const origin = { userAgent: 'test', address: '192.0.2.1' };

const setUp = async (t: Parameters<typeof testCatalog>[0]) => {
  const parts = await testCatalog(t);
  const auth = await Auth.create({ catalog: parts.catalog, clock: parts.clock, log: quiet, cost });
  return { ...parts, auth };
};

t.test('the first link makes the admin, once', async (t) => {
  const { auth, catalog } = await setUp(t);
  t.equal(await auth.setupNeeded(), true);
  const old = await auth.setupLink();
  const link = await auth.setupLink();
  if (!old || !link) return t.fail('no link');
  t.match(await auth.redeem(old.token, 'ann', 'password1', origin), { kind: 'invalid' }, 'a newer link replaces it');
  t.match(await auth.redeem(link.token, undefined, 'password1', origin), { kind: 'username-missing' });
  const both = await Promise.all([auth.redeem(link.token, 'ann', 'password1', origin), auth.redeem(link.token, 'bob', 'password2', origin)]);
  t.same(both.map(({ kind }) => kind).sort(), ['in', 'invalid'], 'two at once make one admin');
  t.equal(await auth.setupNeeded(), false);
  t.equal(await auth.setupLink(), null);
  t.match(await auth.redeem(link.token, 'eve', 'password3', origin), { kind: 'invalid' });
  t.equal((await catalog.accounts.list({ limit: 9, after: null })).items.length, 1);
});

t.test('a link expires, and is worth nothing when there is an admin by other means', async (t) => {
  const { auth, clock, catalog } = await setUp(t);
  const link = await auth.setupLink();
  if (!link) return t.fail('no link');
  t.equal(await catalog.links.find('something else'), null);
  clock.advance(link.expiresAt - clock.wall());
  t.match(await auth.redeem(link.token, 'ann', 'password1', origin), { kind: 'invalid' });
  const next = await auth.setupLink();
  await auth.ensureAdmin('from the environment');
  t.match(await auth.redeem(next?.token ?? '', 'ann', 'password1', origin), { kind: 'invalid' });
});

t.test('the password of the configuration is the admin’s, whatever was before, and setting it again logs nobody out', async (t) => {
  const { auth, catalog } = await setUp(t);
  await auth.ensureAdmin('first password');
  const login = await auth.login('ADMIN', 'first password', origin);
  if (login.kind !== 'in') return t.fail('not in');
  t.equal(login.account.role, 'admin');
  await auth.ensureAdmin('first password');
  t.match(await auth.who(login.token), { username: 'admin', role: 'admin' });
  await auth.ensureAdmin('second password');
  t.equal(await auth.who(login.token), null, 'a changed password ends sessions');
  t.equal((await auth.login('admin', 'first password', origin)).kind, 'refused');
  t.equal((await auth.login('admin', 'second password', origin)).kind, 'in');
  t.equal((await catalog.accounts.list({ limit: 9, after: null })).items.length, 1);
});

t.test('logging in costs the same work whether or not the account exists', async (t) => {
  const { auth } = await setUp(t);
  await auth.ensureAdmin('a password');
  const costOf = async (username: string) => {
    const before = auth.passwords.hashed;
    t.equal((await auth.login(username, 'wrong', origin)).kind, 'refused');
    return auth.passwords.hashed - before;
  };
  t.equal(await costOf('admin'), 1);
  t.equal(await costOf('nobody'), 1);
});

t.test('guessing is slowed down by the clock, also for accounts that do not exist', async (t) => {
  const { auth, clock } = await setUp(t);
  await auth.ensureAdmin('a password');
  for (const username of ['admin', 'nobody']) {
    for (let guess = 0; guess < 6; guess += 1) t.equal((await auth.login(username, `guess ${guess}`, origin)).kind, 'refused');
    const hashed = auth.passwords.hashed;
    t.match(await auth.login(username, 'a password', origin), { kind: 'slow-down', waitMs: 60_000 });
    t.equal(auth.passwords.hashed, hashed, 'a refused try costs nothing');
  }
  clock.advance(60_000);
  t.equal((await auth.login('admin', 'a password', origin)).kind, 'in');
});

t.test('a reset written into the data folder lets the admin back in, once, and ends all sessions', async (t) => {
  const { auth, clock, folder } = await setUp(t);
  await auth.ensureAdmin('forgotten');
  const before = await auth.login('admin', 'forgotten', origin);
  const { token } = await adminReset(folder, clock);
  const path = join(folder, 'admin-reset.json');
  t.equal((await stat(path)).mode & 0o777, 0o600);
  t.notMatch(await readFile(path, 'utf8'), token, 'only a hash lies there');
  const copy = await readFile(path);
  t.match(await auth.redeem('wrong', undefined, 'new password', origin), { kind: 'invalid' });
  const both = await Promise.all([auth.redeem(token, undefined, 'new password', origin), auth.redeem(token, undefined, 'new password', origin)]);
  t.same(both.map(({ kind }) => kind).sort(), ['in', 'invalid'], 'once, also when it comes twice at once');
  await t.rejects(stat(path), { code: 'ENOENT' });
  t.equal(before.kind === 'in' && (await auth.who(before.token)), null);
  t.equal((await auth.login('admin', 'new password', origin)).kind, 'in');
  await writeFile(path, copy);
  t.match(await auth.redeem(token, undefined, 'a thief’s', origin), { kind: 'invalid' }, 'not even when the file comes back');
});

t.test('a reset expires, and a broken request file is none', async (t) => {
  const { auth, clock, folder } = await setUp(t);
  await auth.ensureAdmin('forgotten');
  const { token, expiresAt } = await adminReset(folder, clock);
  clock.advance(expiresAt - clock.wall());
  t.match(await auth.redeem(token, undefined, 'new password', origin), { kind: 'invalid' });
  await writeFile(join(folder, 'admin-reset.json'), '{"tokenHash":');
  t.match(await auth.redeem(token, undefined, 'new password', origin), { kind: 'invalid' });
});

t.test('strangers with wrong links cannot keep the owner from using the right one', async (t) => {
  const { auth, clock, folder } = await setUp(t);
  await auth.ensureAdmin('forgotten');
  const { token } = await adminReset(folder, clock);
  const tries = Array.from({ length: 200 }, (_, guess) => auth.redeem(`wrong ${guess}`, undefined, 'new password', { userAgent: '', address: `198.51.100.${guess}` }));
  t.match((await Promise.all(tries)).at(-1), { kind: 'slow-down' });
  t.match(await auth.redeem(token, undefined, 'new password', origin), { kind: 'in' });
});

t.test('a request that root wrote can be read by whoever owns the folder', { skip: process.getuid?.() !== 0 && 'only root can give a file away' }, async (t) => {
  const { clock, folder } = await setUp(t);
  await chown(folder, 12_345, 12_346);
  await adminReset(folder, clock);
  t.match(await stat(join(folder, 'admin-reset.json')), { uid: 12_345, gid: 12_346 });
});

t.test('before there is an admin, a reset link makes one', async (t) => {
  const { auth, clock, folder } = await setUp(t);
  const { token } = await adminReset(folder, clock);
  t.match(await auth.redeem(token, 'ann', 'new password', origin), { kind: 'in', account: { username: 'ann', role: 'admin' } });
});
