import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { clientAddresses } from './client-address.ts';

const from = (remoteAddress: string, forwarded?: string): IncomingMessage => ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as never;

t.test('only trusted proxies are believed, as far back as they go', async (t) => {
  const address = clientAddresses(['127.0.0.0/8', '::1/128', '10.1.2.3']);
  t.equal(address(from('203.0.113.9')), '203.0.113.9');
  t.equal(address(from('203.0.113.9', '127.0.0.1')), '203.0.113.9', 'anybody can write a header');
  t.equal(address(from('127.0.0.1', '198.51.100.7')), '198.51.100.7');
  t.equal(address(from('::ffff:127.0.0.1', '6.6.6.6, 198.51.100.7, 10.1.2.3')), '198.51.100.7');
  t.equal(address(from('::1', '2001:db8::5')), '2001:db8::5');
  t.equal(address(from('127.0.0.1', 'unknown')), '127.0.0.1');
  t.equal(address(from('127.0.0.1')), '127.0.0.1');
  t.equal(address(from('127.0.0.1', `${'6.6.6.6, '.repeat(40)}198.51.100.7`)), '198.51.100.7', 'what a client made up does not push the truth out');
  t.throws(() => clientAddresses(['somewhere']), /somewhere/);
});
