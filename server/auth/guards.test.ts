import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { clientKey } from './address.ts';
import { TokenBuckets } from './buckets.ts';
import { bearerToken, clearCookie, sessionCookie, setCookie } from './cookies.ts';
import { Passwords } from './passwords.ts';
import { judgeOrigin } from './same-origin.ts';
import { LoginThrottle, loginRules } from './throttle.ts';

t.test('a bucket gives its burst at once, then one at a time, and says how long to wait', async (t) => {
  const clock = new FakeClock();
  const buckets = new TokenBuckets({ burst: 2, refillMs: 1000 }, clock);
  t.same([buckets.take('a'), buckets.take('a'), buckets.take('a')], [0, 0, 1000]);
  t.equal(buckets.take('b'), 0, 'others have their own');
  clock.advance(600);
  t.equal(buckets.take('a'), 400);
  clock.advance(400);
  t.equal(buckets.take('a'), 0);
  clock.advance(1e9);
  t.same([buckets.take('a'), buckets.take('a'), buckets.take('a')], [0, 0, 1000], 'never more than the burst');
});

t.test('a million keys take no more memory than the bound', async (t) => {
  const buckets = new TokenBuckets({ burst: 2, refillMs: 1000 }, new FakeClock(), 100);
  for (let key = 0; key < 10_000; key += 1) buckets.take(`key ${key}`);
  t.equal(buckets.size, 100);
});

t.test('guessing one account from one address is stopped, and its owner elsewhere still gets in', async (t) => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle(clock);
  for (let guess = 0; guess < loginRules.pair.burst; guess += 1) t.equal(throttle.attempt('ann', '192.0.2.1').wait, 0);
  t.equal(throttle.attempt('ann', '192.0.2.1').wait, loginRules.pair.refillMs);
  t.equal(throttle.attempt('ann', '198.51.100.7').wait, 0);
  clock.advance(loginRules.pair.refillMs);
  t.equal(throttle.attempt('ann', '192.0.2.1').wait, 0);
});

t.test('guessing many accounts from one address is stopped, and so is one account from many addresses', async (t) => {
  const throttle = new LoginThrottle(new FakeClock());
  const fromOne = Array.from({ length: 100 }, (_, at) => throttle.attempt(`user ${at}`, '2001:db8::1').wait);
  t.equal(fromOne.filter((wait) => wait === 0).length, loginRules.address.burst);
  t.not(throttle.attempt('other', '2001:db8::ffff:1').wait, 0, 'one household, one client');
  const spread = Array.from({ length: 300 }, (_, at) => throttle.attempt('ann', `10.0.${at >> 8}.${at & 255}`).wait);
  t.equal(spread.filter((wait) => wait === 0).length, loginRules.account.burst);
});

t.test('whoever knows the password is never throttled by using it', async (t) => {
  const throttle = new LoginThrottle(new FakeClock());
  for (let login = 0; login < 500; login += 1) {
    const attempt = throttle.attempt('ann', '192.0.2.1');
    t.equal(attempt.wait, 0);
    if ('succeeded' in attempt) attempt.succeeded();
  }
});

t.test('the throttle does not grow without bound', async (t) => {
  const throttle = new LoginThrottle(new FakeClock(), 50);
  for (let at = 0; at < 1000; at += 1) throttle.attempt(`user ${at}`, `10.1.${at >> 8}.${at & 255}`);
  t.equal(throttle.size, 150);
});

t.test('one client is an IPv4 address or an IPv6 network', async (t) => {
  t.equal(clientKey('192.0.2.1'), '192.0.2.1');
  t.equal(clientKey('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(clientKey('2001:db8:1:2:3:4:5:6'), clientKey('2001:DB8:1:2::9'));
  t.not(clientKey('2001:db8:1:2::1'), clientKey('2001:db8:1:3::1'));
  t.equal(clientKey('fe80::1%eth0'), clientKey('fe80::2'));
  t.equal(clientKey('::1'), '0:0:0:0::/64');
});

t.test('a request of a browser is foreign unless it says that it comes from here', async (t) => {
  const judge = (origin: string | undefined, secFetchSite: string | undefined, publicUrl: string | null = null) =>
    judgeOrigin({ origin, secFetchSite, host: 'tv.example:8080', publicUrl });
  t.equal(judge('http://tv.example:8080', undefined), 'same');
  t.equal(judge('https://tv.example:8080', undefined), 'same', 'behind a proxy that ends TLS');
  t.equal(judge('http://tv.example', undefined), 'foreign', 'another port is another site');
  t.equal(judge('http://evil.example', undefined), 'foreign');
  t.equal(judge('null', undefined), 'foreign');
  t.equal(judge('http://tv.example:8080.evil.example', undefined), 'foreign');
  t.equal(judge('http://tv.example:8080', 'cross-site'), 'foreign', 'what the browser knows counts more');
  t.equal(judge('http://other.tv.example', 'same-site'), 'foreign');
  t.equal(judge(undefined, 'same-origin'), 'same');
  t.equal(judge(undefined, undefined), 'unknown');
  t.equal(judge('https://public.example', undefined, 'https://public.example/'), 'same');
});

t.test('cookies and tokens are read as they were written, and nothing else is', async (t) => {
  t.equal(sessionCookie(setCookie('abc', 1000, true).split(';')[0]), 'abc');
  t.equal(sessionCookie('a=b; millrace_session=x; millrace_session=y'), 'x');
  t.equal(sessionCookie('xmillrace_session=x'), null);
  t.equal(sessionCookie('millrace_session='), null);
  t.equal(sessionCookie(undefined), null);
  t.match(setCookie('t', 5000, true), /; Max-Age=5; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  t.notMatch(setCookie('t', 5000, false), /Secure/);
  t.match(clearCookie(false), /Max-Age=0/);
  t.equal(bearerToken('Bearer a-b_c'), 'a-b_c');
  t.equal(bearerToken('bearer   x'), 'x');
  for (const bad of [undefined, '', 'Basic abc', 'Bearer', 'Bearer a b', `Bearer ${'x'.repeat(600)}`]) t.equal(bearerToken(bad), null);
});

t.test('a password is kept as argon2id, salted, and only the right one fits', async (t) => {
  const passwords = new Passwords({ memoryKiB: 64, passes: 1, lanes: 1 });
  const phc = await passwords.hash('correct horse');
  t.match(phc, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[^$]+\$[^$]+$/);
  t.not(phc, await passwords.hash('correct horse'));
  t.equal(await passwords.verify('correct horse', phc), true);
  t.equal(await passwords.verify('correct horsf', phc), false);
  t.equal(await passwords.verify('cafe\u0301', await passwords.hash('caf\u00e9')), true, 'however the accent was typed');
  for (const broken of ['', 'x', '$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAA', phc.replace('m=64', 'm=99999999')]) {
    t.equal(await passwords.verify('correct horse', broken), false);
  }
});

t.test('at most two passwords are hashed at once, and too many waiting are sent away', async (t) => {
  const passwords = new Passwords({ memoryKiB: 64, passes: 1, lanes: 1 });
  const results = await Promise.allSettled(Array.from({ length: 100 }, () => passwords.hash('x')));
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 66);
  t.equal(passwords.hashed, 66);
});
