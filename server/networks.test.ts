import t from 'tap';
import { networkList, plainAddress } from './networks.ts';

t.test('an IPv4 address is one however a socket of both families tells it', (t) => {
  t.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(plainAddress(' ::FFFF:192.0.2.1 '), '192.0.2.1');
  t.equal(plainAddress('::ffff:10.0.0.0/104'), '10.0.0.0/8');
  t.equal(plainAddress('2001:db8::1'), '2001:db8::1');
  t.equal(plainAddress('::ffff:999.0.2.1'), '::ffff:999.0.2.1');
  t.end();
});

t.test('addresses and networks of both families', (t) => {
  const contains = networkList(['192.0.2.7', '10.0.0.0/8', '2001:db8:1::/48', 'fd00::7', '::ffff:198.51.100.0/120']);
  for (const inside of ['192.0.2.7', '10.255.0.1', '::ffff:10.1.2.3', '2001:db8:1:ffff::1', '2001:DB8:1::1', 'fd00::7', '198.51.100.200', 'fd00::7%eth0']) t.ok(contains(inside), inside);
  for (const outside of ['192.0.2.8', '11.0.0.1', '2001:db8:2::1', 'fd00::8', '198.51.101.1', '::1', '', 'unknown', '10.0.0', '10.0.0.1/8']) t.notOk(contains(outside), outside);
  t.end();
});

t.test('everything, and nothing', (t) => {
  const everything = networkList(['0.0.0.0/0', '::/0']);
  t.ok(everything('203.0.113.9') && everything('2001:db8::9'));
  t.notOk(networkList([])('203.0.113.9'));
  for (const wrong of ['my house', '10.0.0.0/', '10.0.0.0/ ', '::ffff:10.0.0.0/', '10.0.0.0/1e1', '10.0.0.0/-1', '10.0.0.0/33', '10.0.0.0/8/8', '/8']) t.throws(() => networkList([wrong]), RangeError, wrong);
  t.end();
});
