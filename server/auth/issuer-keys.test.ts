/** Keys of an issuer over real connections: slow, broken, huge, elsewhere, changed, and asked for by many at once. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK } from 'jose';
import t, { type Test } from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { coolDownMs, goodMs, IssuerKeys, keptMs, KeysUnavailable, mostBytes, patienceMs } from './issuer-keys.ts';

const [first, second] = [generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey];
const setOf = async (keys: Record<string, KeyObject>): Promise<string> =>
  JSON.stringify({ keys: await Promise.all(Object.entries(keys).map(async ([kid, key]) => ({ ...(await exportJWK(key)), kid, alg: 'ES256', use: 'sig' }))) });

type Answer = (response: ServerResponse) => void;
const gives = (text: string): Answer => (response) => void response.end(text);

const setUp = async (t: Test, answer: Answer) => {
  const issuer = { answer, asked: 0, elsewhere: 0 };
  let more = (): void => undefined;
  const server = createServer((request, response) => {
    if (request.url !== '/keys') {
      issuer.elsewhere += 1;
      response.end();
      return;
    }
    issuer.asked += 1;
    issuer.answer(response);
    more();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const clock = new FakeClock();
  const told: string[] = [];
  const keys = new IssuerKeys(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`, clock, (error) => told.push(String(error)));
  /** `good`, or the name of what was wrong. */
  const find = async (kid: string): Promise<string> => {
    try {
      await keys.find({ alg: 'ES256', kid }, { payload: '', signature: '' });
      return 'good';
    } catch (error) {
      return error instanceof KeysUnavailable ? 'unavailable' : error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
  };
  const wasAsked = async (times: number): Promise<void> => {
    while (issuer.asked < times) await new Promise<void>((resolve) => (more = resolve));
  };
  return { issuer, clock, told, find, wasAsked };
};

const unknown = 'ERR_JWKS_NO_MATCHING_KEY';

t.test('a thousand who come at once ask once, and a new key is found by the first token that names it', async (t) => {
  const { issuer, clock, find, told } = await setUp(t, gives(await setOf({ first })));
  t.same(new Set(await Promise.all(Array.from({ length: 1000 }, () => find('first')))), new Set(['good']));
  t.equal(issuer.asked, 1);
  issuer.answer = gives(await setOf({ first, second }));
  t.equal(await find('second'), unknown, 'not twice within ten seconds');
  t.equal(issuer.asked, 1);
  clock.advance(coolDownMs);
  t.same(new Set(await Promise.all(Array.from({ length: 1000 }, (_, index) => find(index % 2 ? 'first' : 'second')))), new Set(['good']));
  t.equal(issuer.asked, 2);
  for (let made = 0; made < 500; made += 1) t.equal(await find(`made up ${made}`), unknown);
  t.equal(issuer.asked, 2, 'key ids that somebody makes up cost the issuer nothing');
  t.same(told, []);
});

t.test('a key that the issuer has taken back is not taken after ten minutes', async (t) => {
  const { issuer, clock, find } = await setUp(t, gives(await setOf({ first, second })));
  t.equal(await find('first'), 'good');
  issuer.answer = gives(await setOf({ second }));
  clock.advance(keptMs - 1);
  t.equal(await find('first'), 'good');
  clock.advance(1);
  t.same([await find('first'), await find('second')], [unknown, 'good']);
});

const broken: readonly (readonly [string, Answer, RegExp])[] = [
  ['breaks', (response) => void response.writeHead(500).end('{"keys":[]}'), /500/],
  ['says that it is elsewhere', (response) => void response.writeHead(302, { location: '/elsewhere' }).end(), /302/],
  ['says nothing', (response) => void response.writeHead(204).end(), /204/],
  ['sends no JSON', gives('keys'), /JSON/],
  ['sends no keys', gives('{"keys":7}'), /JSON Web Key Set/i],
  ['sends more than anybody has keys', gives(`{"keys":[],"more":"${'x'.repeat(mostBytes)}"}`), /larger/],
  ['sends without end', (response) => {
    const more = (): void => void (response.destroyed || response.write('x'.repeat(65_536), more));
    more();
  }, /larger/],
  ['breaks off', (response) => void response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy()), /./],
];

for (const [what, answer, why] of broken) {
  t.test(`where the issuer ${what} there are no keys, and it is asked again after a while`, async (t) => {
    const { issuer, clock, find, told } = await setUp(t, answer);
    t.same(new Set(await Promise.all(Array.from({ length: 50 }, () => find('first')))), new Set(['unavailable']));
    t.equal(await find('first'), 'unavailable');
    t.equal(issuer.asked, 1, 'it is not asked for each token');
    t.equal(issuer.elsewhere, 0);
    t.equal(told.length, 1);
    t.match(told[0], why);
    issuer.answer = gives(await setOf({ first }));
    clock.advance(coolDownMs);
    t.equal(await find('first'), 'good');
  });
}

t.test('where the issuer does not answer, or not to the end, nobody waits for longer than five seconds', async (t) => {
  for (const answer of [() => undefined, (response: ServerResponse) => void response.write('{"keys":')] as const) {
    const { clock, find, told, wasAsked } = await setUp(t, answer);
    const asked = find('first');
    await wasAsked(1);
    clock.advance(patienceMs);
    t.equal(await asked, 'unavailable');
    t.match(told, [/no answer within 5 s/]);
  }
});

t.test('an outage of the issuer is none here for an hour, and an hour later it is', async (t) => {
  const { issuer, clock, find, told } = await setUp(t, gives(await setOf({ first })));
  t.equal(await find('first'), 'good');
  issuer.answer = (response) => void response.destroy();
  for (let passed = 0; passed + keptMs < goodMs; passed += keptMs) {
    clock.advance(keptMs);
    t.equal(await find('first'), 'good');
  }
  t.equal(told.length, goodMs / keptMs - 1);
  t.equal(await find('second'), unknown);
  clock.advance(keptMs);
  t.equal(await find('first'), 'unavailable');
  issuer.answer = gives(await setOf({ first }));
  clock.advance(coolDownMs);
  t.equal(await find('first'), 'good');
});
