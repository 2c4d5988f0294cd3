import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, SignJWT } from 'jose';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { Random } from '../../test/support/random.ts';
import { testFolder } from '../catalog/testing.ts';
import { ForeignTokens } from './foreign-tokens.ts';
import { coolDownMs, goodMs, keptMs } from './issuer-keys.ts';

const video = 'b27pp67vwmr07r9f';
const issuer = 'https://school.example';
const audience = 'https://video.example';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const setUp = async (t: Parameters<typeof testFolder>[0], algorithms: readonly string[] = ['ES256', 'RS256']) => {
  const clock = new FakeClock();
  const file = join(await testFolder(t), 'keys.json');
  const put = async (...keys: [string, KeyObject, string][]) => {
    const set = await Promise.all(keys.map(async ([kid, key, alg]) => ({ ...(await exportJWK(key)), kid, alg, use: 'sig' })));
    await writeFile(file, JSON.stringify({ keys: set }));
  };
  await put(['ec-1', ec.publicKey, 'ES256'], ['rsa-1', rsa.publicKey, 'RS256']);
  const failures: unknown[] = [];
  const tokens = new ForeignTokens({ issuer, audience, algorithms, keys: file }, clock, (error) => failures.push(error));
  const now = Math.floor(clock.wall() / 1000);
  const claims = { iss: issuer, aud: audience, sub: 'kim', exp: now + 3600, video };
  const signed = (change: object = {}, header: object = {}, key: KeyObject = ec.privateKey) =>
    new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'ES256', kid: 'ec-1', ...header }).sign(key);
  const codeOf = async (token: string, of = video) => {
    const read = await tokens.read(token, of);
    return read.kind === 'refused' ? read.code : read.kind;
  };
  return { clock, tokens, claims, signed, codeOf, put, file, failures, now };
};

const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

t.test('what the issuer says of a viewer is taken', async (t) => {
  const { tokens, signed, now, codeOf } = await setUp(t);
  const plain = { viewer: 'kim', expiresAt: (now + 3600) * 1000, maxHeight: null, mayDownload: false, streams: null, networks: [] };
  t.same(await tokens.read(await signed(), video), { kind: 'vouched', by: plain });
  const rich = { maxHeight: 720, downloads: true, streams: 2, networks: ['192.0.2.0/24'] };
  t.same(await tokens.read(await signed(rich), video), { kind: 'vouched', by: { ...plain, maxHeight: 720, mayDownload: true, streams: 2, networks: ['192.0.2.0/24'] } });
  t.equal(await codeOf(await signed({ video: ['another', video] })), 'vouched');
  t.equal(await codeOf(await signed({ video: '*' })), 'vouched');
  t.equal(await codeOf(await signed({ aud: ['https://elsewhere.example', audience] })), 'vouched');
  t.equal(await codeOf(await signed({}, { alg: 'RS256', kid: 'rsa-1' }, rsa.privateKey)), 'vouched');
});

t.test('each thing that is wrong with a token has its own code', async (t) => {
  const { signed, codeOf, now, claims } = await setUp(t);
  const valid = await signed();
  const [head = '', body = '', signature = ''] = valid.split('.');
  const unsigned = (alg: string): string => `${part({ alg, kid: 'ec-1' })}.${part(claims)}.`;
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const hmac = (header: object, secret: string | Buffer): string => {
    const input = `${part(header)}.${part(claims)}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  };
  const wrong: [string, string, string][] = [
    ['no algorithm', unsigned('none'), 'jwt-unsigned'],
    ['no algorithm, in other letters', unsigned('nOnE'), 'jwt-unsigned'],
    ['no algorithm, with a signature', `${part({ alg: 'none' })}.${body}.${signature}`, 'jwt-unsigned'],
    ['a public key as a shared secret', hmac({ alg: 'HS256', kid: 'rsa-1' }, pem), 'jwt-algorithm'],
    ['the same, named as what is taken', hmac({ alg: 'RS256', kid: 'rsa-1' }, pem), 'jwt-signature'],
    ['an algorithm that is not taken', await signed({}, { alg: 'PS256', kid: 'rsa-1' }, rsa.privateKey), 'jwt-algorithm'],
    ['the key of another algorithm', await signed({}, { kid: 'rsa-1' }), 'jwt-key-unknown'],
    ['a key id that is a path', await signed({}, { kid: '../../../dev/null' }), 'jwt-key-unknown'],
    ['a key id that is a statement', await signed({}, { kid: "x' UNION SELECT 'key" }), 'jwt-key-unknown'],
    ['a key id that is no text', `${part({ alg: 'ES256', kid: ['ec-1'] })}.${body}.${signature}`, 'jwt-key-unknown'],
    ['a key id that is a flood', await signed({}, { kid: 'k'.repeat(5000) }), 'jwt-key-unknown'],
    ['a key that nobody has', await signed({}, { kid: 'ec-2' }), 'jwt-key-unknown'],
    ['a stranger’s signature', await signed({}, {}, stranger.privateKey), 'jwt-signature'],
    ['a key of its own', await signed({}, { jwk: await exportJWK(stranger.publicKey) }, stranger.privateKey), 'jwt-header'],
    ['an address for its key', await signed({}, { jku: 'https://elsewhere.example/keys' }, stranger.privateKey), 'jwt-header'],
    ['an address for its certificate', await signed({}, { x5u: 'https://elsewhere.example/chain' }, stranger.privateKey), 'jwt-header'],
    ['a certificate of its own', await signed({}, { x5c: ['MIIB'] }, stranger.privateKey), 'jwt-header'],
    ['all of that, with a good signature', await signed({}, { jku: `${issuer}/keys`, jwk: await exportJWK(ec.publicKey) }), 'jwt-header'],
    ['what must be understood', `${part({ alg: 'ES256', kid: 'ec-1', crit: ['b64'], b64: false })}.${body}.${signature}`, 'jwt-header'],
    ['a key id that is an address', await signed({}, { kid: 'https://elsewhere.example/keys' }, stranger.privateKey), 'jwt-key-unknown'],
    ['no key id, signed by a stranger', await signed({}, { kid: undefined }, stranger.privateKey), 'jwt-signature'],
    ['another algorithm, said twice', `${part('{"alg":"none","alg":"ES256","kid":"ec-1"}')}.${body}.${signature}`, 'jwt-signature'],
    ['no algorithm, said last', `${part('{"alg":"ES256","kid":"ec-1","alg":"none"}')}.${body}.${signature}`, 'jwt-unsigned'],
    ['other facts under the signature', `${head}.${part({ ...claims, sub: 'lee' })}.${signature}`, 'jwt-signature'],
    ['cut off', valid.slice(0, -10), 'jwt-signature'],
    ['without its signature', `${head}.${body}`, 'jwt-malformed'],
    ['nothing', '', 'jwt-malformed'],
    ['no token at all', 'abc.def.ghi', 'jwt-malformed'],
    ['another issuer', await signed({ iss: `${issuer}.elsewhere` }), 'jwt-issuer'],
    ['no issuer', await signed({ iss: undefined }), 'jwt-issuer'],
    ['another audience', await signed({ aud: 'https://elsewhere.example' }), 'jwt-audience'],
    ['no audience', await signed({ aud: undefined }), 'jwt-audience'],
    ['our audience said in passing', await signed({ aud: ['', `${audience}/`] }), 'jwt-audience'],
    ['over', await signed({ exp: now - 60 }), 'jwt-expired'],
    ['for ever', await signed({ exp: undefined }), 'jwt-claims'],
    ['too early', await signed({ nbf: now + 60 }), 'jwt-not-yet'],
    ['for nobody', await signed({ sub: undefined }), 'jwt-claims'],
    ['for somebody with a very long name', await signed({ sub: 'k'.repeat(65) }), 'jwt-claims'],
    ['of no video', await signed({ video: undefined }), 'jwt-claims'],
    ['of another video', await signed({ video: 'another00another' }), 'jwt-other-video'],
    ['networks that are none', await signed({ networks: ['nowhere'] }), 'jwt-claims'],
    ['a height that is none', await signed({ maxHeight: '720' }), 'jwt-claims'],
  ];
  for (const [what, token, code] of wrong) t.equal(await codeOf(token), code, what);
  t.equal(await codeOf(valid), 'vouched');
});

/** Signed by the key of the issuer, with claims that no object holds: one of them twice. */
const twice = (claims: object, more: string): string => {
  const input = `${part({ alg: 'ES256', kid: 'ec-1' })}.${part(JSON.stringify(claims).replace(/}$/, `,${more}}`))}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
};

t.test('of a claim that is there twice the last one holds, as for whoever signed it (RFC 7519, 4)', async (t) => {
  const { codeOf, claims, now } = await setUp(t);
  t.equal(await codeOf(twice(claims, `"exp":${now - 60}`)), 'jwt-expired');
  t.equal(await codeOf(twice({ ...claims, exp: now - 60 }, `"exp":${now + 60}`)), 'vouched');
  t.equal(await codeOf(twice(claims, '"video":"another00another"')), 'jwt-other-video');
  t.equal(await codeOf(twice(claims, '"aud":"https://elsewhere.example"')), 'jwt-audience');
  t.equal(await codeOf(twice(claims, '"__proto__":{"video":"*"}')), 'vouched', 'and what is no claim is nothing');
});

t.test('a token without a key id is good by the one key of its algorithm, and by none of several', async (t) => {
  const { signed, codeOf, put, clock } = await setUp(t);
  const token = await signed({ exp: Math.floor(clock.wall() / 1000) + 86_400 }, { kid: undefined });
  t.equal(await codeOf(token), 'vouched');
  await put(['ec-1', ec.publicKey, 'ES256'], ['ec-2', stranger.publicKey, 'ES256']);
  clock.advance(keptMs);
  t.equal(await codeOf(token), 'jwt-key-unknown');
});

t.test('keys are changed without a restart; where there are none, nothing is taken', async (t) => {
  const { signed, codeOf, put, file, clock, failures } = await setUp(t);
  const byStranger = await signed({ exp: Math.floor(clock.wall() / 1000) + 86_400 }, { kid: 'new' }, stranger.privateKey);
  t.equal(await codeOf(byStranger), 'jwt-key-unknown');
  await put(['new', stranger.publicKey, 'ES256']);
  clock.advance(coolDownMs);
  t.equal(await codeOf(byStranger), 'vouched', 'by the first token that names it');
  t.equal(await codeOf(await signed()), 'jwt-key-unknown', 'the old one is not taken any more');
  await writeFile(file, 'no keys');
  clock.advance(keptMs);
  t.equal(await codeOf(byStranger), 'vouched', 'by those that were there last');
  t.equal(failures.length, 1);
  clock.advance(goodMs - keptMs);
  t.equal(await codeOf(byStranger), 'no-keys');
  t.equal(failures.length, 2);
});

t.test('a key of the issuer that cannot be used is none, and whoever names it again and again is not heard of again and again', async (t) => {
  const { signed, codeOf, put, file, failures, claims, clock } = await setUp(t);
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  await put(['ec-1', ec.publicKey, 'ES256'], ['short', short.publicKey, 'RS256']);
  const { keys } = JSON.parse(await readFile(file, 'utf8')) as { keys: object[] };
  const broken = { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', alg: 'ES256', use: 'sig' };
  const odd = [{ ...broken, kid: 'broken' }, { ...broken, crv: 'P-0', kid: 'unheard-of' }, { kty: 'RSA', alg: 'RS256', use: 'sig', kid: 'empty' }];
  await writeFile(file, JSON.stringify({ keys: [...keys, ...odd] }));
  const exp = Math.floor(clock.wall() / 1000) + 86_400;
  const naming = (kid: string, alg: string): string => `${part({ alg, kid })}.${part({ ...claims, exp })}.${part('no signature')}`;
  const all = async () => {
    for (const [kid, alg] of [['short', 'RS256'], ['broken', 'ES256'], ['unheard-of', 'ES256'], ['empty', 'RS256']] as const) t.equal(await codeOf(naming(kid, alg)), 'jwt-key-unknown', kid);
  };
  for (let time = 0; time < 3; time += 1) await all();
  t.equal(failures.length, 1, 'told once');
  t.equal(await codeOf(await signed({ exp })), 'vouched', 'the others are good');
  clock.advance(keptMs);
  await all();
  t.equal(failures.length, 1, 'nor again while it is the same keys');
  await put(['short', short.publicKey, 'RS256']);
  clock.advance(keptMs);
  t.equal(await codeOf(naming('short', 'RS256')), 'jwt-key-unknown');
  t.equal(failures.length, 2);
});

t.test('damaged tokens are refused, and none breaks the reader', async (t) => {
  const { signed, tokens, failures } = await setUp(t);
  const random = new Random(7519);
  const valid = await signed();
  const parts = valid.split('.').map((one) => Buffer.from(one, 'base64url'));
  for (let count = 0; count < 1_000; count += 1) {
    const at = random.below(3);
    const changed = parts.map((one, index) => (index === at ? random.mutate(one) : one).toString('base64url')).join('.');
    const read = await tokens.read(count % 4 === 0 ? random.bytes(random.below(300)).toString('latin1') : changed, video);
    if (read.kind !== 'refused' && changed !== valid) t.fail(changed);
  }
  t.same(failures, []);
});
