import { promisify } from 'node:util';
import t from 'tap';
import { isPublicAddress } from './public-address.ts';
import { SourceGuard, type Resolve } from './source-guard.ts';

const inside = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
  ...['192.0.0.8', '192.0.2.1', '192.88.99.1', '192.168.0.1', '198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.9', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1', '::127.0.0.1', '::ffff:0:7f00:1', '64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::1', '100::1'],
  ...['2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2001:2::1', '2001:10::1', '2001:20::1', '2001:db8::1', '2002:7f00:1::', '2002:808:808::1', '3fff::1', '5f00::1'],
  ...['fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%lo', 'febf::1', 'fec0::1', 'ff02::1', '2606:4700::1%eth0'],
  ...['', 'localhost', '1.2.3', '1.2.3.4.5', '8.8.8.8/8', '0x7f000001'],
];
const outside = ['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.1', '169.253.255.255', '172.15.255.255', '172.32.0.0', '192.0.1.0', '198.17.255.255', '198.20.0.0', '223.255.255.255', '2606:4700:4700::1111', '2a00:1450:4001::1', '2001:4860:4860::8888', '2003::1'];

t.test('what is not public is known as such, up to the borders of each class', async (t) => {
  for (const address of inside) t.equal(isPublicAddress(address), false, address);
  for (const address of outside) t.equal(isPublicAddress(address), true, address);
});

const judged = (guard: SourceGuard, text: string): string => {
  try {
    guard.mustBeAllowed(new URL(text));
    return 'allowed';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

t.test('an address that says where it leads is judged before anybody is asked, however it is spelt', async (t) => {
  const guard = new SourceGuard([]);
  const spellings = ['127.0.0.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '127.0.0.1.', '0', '[::1]', '[::ffff:127.0.0.1]', '[0:0:0:0:0:ffff:7f00:1]', '[::ffff:7f00:1]', '①②⑦.⓪.⓪.①', '127。0。0。1', '%31%32%37.0.0.1', '169.254.169.254', '[64:ff9b::a9fe:a9fe]', '[fd00::1]'];
  for (const host of spellings) t.match(judged(guard, `http://${host}:8080/x`), /leads to no public address/, host);
  for (const url of ['https://8.8.8.8/', 'http://[2606:4700::1111]:1234/', 'http://files.example.org/', 'http://localhost/']) t.equal(judged(guard, url), 'allowed', url);
  t.match(judged(guard, 'ftp://8.8.8.8/'), /http and https only/);
  t.match(judged(guard, 'http://a:b@8.8.8.8/'), /name or a password/);
});

const resolving = (guard: SourceGuard) => promisify<string, { all: true }, unknown>((host, options, done) => guard.lookup(host, options, done as never));

t.test('a name leads to those of its addresses that may be connected to, and to nothing else', async (t) => {
  const names: Record<string, string[]> = { 'out.example': ['8.8.8.8', '2606:4700::1'], 'in.example': ['127.0.0.1', '::1', '10.0.0.1'], 'both.example': ['10.0.0.1', '8.8.8.8', '169.254.169.254'] };
  const resolve: Resolve = async (host) => {
    const found = names[host];
    if (!found) throw Object.assign(new Error('getaddrinfo'), { code: host === 'slow.example' ? 'EAI_AGAIN' : 'ENOTFOUND' });
    return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  const lookup = resolving(new SourceGuard([], { resolve }));
  t.same(await lookup('out.example', { all: true }), [{ address: '8.8.8.8', family: 4 }, { address: '2606:4700::1', family: 6 }]);
  t.same(await lookup('both.example', { all: true }), [{ address: '8.8.8.8', family: 4 }]);
  const why = (host: string) => lookup(host, { all: true }).catch((error: Error) => error);
  t.match(await why('in.example'), { message: 'in.example leads to no public address.', passing: false });
  t.match(await why('nothing.example'), { message: 'nothing.example leads to no public address.', passing: false }, 'in the same words');
  t.match(await why('slow.example'), { passing: true });
  const guard = new SourceGuard([], { resolve });
  const one = await new Promise((done) => guard.lookup('both.example', {}, (_error, address, family) => done([address, family])));
  t.same(one, ['8.8.8.8', 4], 'also for those who ask for one');
});

t.test('the system’s own names for itself lead nowhere', async (t) => {
  const lookup = resolving(new SourceGuard([]));
  await t.rejects(lookup('localhost', { all: true }), /leads to no public address/);
  await t.rejects(lookup('localhost.', { all: true }), /public address|found out/);
});

t.test('this server is not asked for files by itself, at whatever public address it has', async (t) => {
  const resolve: Resolve = async () => [{ address: '198.20.0.7', family: 4 }, { address: '2a00:1450::7', family: 6 }, { address: '198.20.0.8', family: 4 }];
  const own = { resolve, ownHost: 'video.example', ownAddresses: () => ['127.0.0.1', '198.20.0.7', '2a00:1450::7'] };
  const guard = new SourceGuard([], own);
  for (const host of ['198.20.0.7', '3323199495', '[2a00:1450:0::7]', '[2A00:1450::0007]']) t.match(judged(guard, `http://${host}:8080/x`), /leads to no public address/, host);
  t.equal(judged(guard, 'http://198.20.0.8/'), 'allowed');
  t.same(await resolving(guard)('other.example', { all: true }), [{ address: '198.20.0.8', family: 4 }], 'of a name, what leads elsewhere');
  for (const name of ['video.example', 'VIDEO.example.']) await t.rejects(resolving(guard)(name, { all: true }), /leads to no public address/, name);
  t.match(judged(new SourceGuard([], { ownHost: '198.20.0.9' }), 'http://198.20.0.9:8080/'), /no public address/, 'behind a router that translates');
  t.same(await resolving(new SourceGuard(['video.example', '198.20.0.7'], own))('video.example', { all: true }).then((found) => (found as unknown[]).length), 3, 'unless the operator says so');
  t.equal(judged(new SourceGuard(['198.20.0.7'], own), 'http://198.20.0.7/'), 'allowed');
});

t.test('what the operator allows is allowed, and no more than that', async (t) => {
  const resolve: Resolve = async () => [{ address: '10.1.2.3', family: 4 }, { address: 'fd00::5', family: 6 }];
  const hosts = resolving(new SourceGuard(['nas.local'], { resolve }));
  t.same(await hosts('NAS.local.', { all: true }), [{ address: '10.1.2.3', family: 4 }, { address: 'fd00::5', family: 6 }]);
  await t.rejects(hosts('other.local', { all: true }));
  await t.rejects(hosts('evil.nas.local', { all: true }));
  const networks = new SourceGuard(['10.1.0.0/16', '192.168.7.7', 'fd00::/120'], { resolve });
  t.same(await resolving(networks)('any.local', { all: true }), [{ address: '10.1.2.3', family: 4 }, { address: 'fd00::5', family: 6 }]);
  for (const [url, said] of [['http://10.1.255.1/', 'allowed'], ['http://10.2.0.1/', /no public/], ['http://192.168.7.7/', 'allowed'], ['http://192.168.7.8/', /no public/], ['http://[fd00::ff]/', 'allowed'], ['http://[fd00::1:0]/', /no public/]] as const) {
    t.match(judged(networks, url), said, url);
  }
});
