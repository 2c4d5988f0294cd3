import { randomBytes } from 'node:crypto';
import t from 'tap';
import { keyRing } from './key-ring.ts';

const secret = Buffer.alloc(32, 7);

t.test('keys follow from the secret and the slot alone, and none follows from another', async (t) => {
  const ring = keyRing(secret, 10);
  const again = keyRing(Buffer.from(secret), 10);
  const seen = new Set<string>();
  for (const slot of [0, 1, 2, 255, 256, 65_535, 2 ** 31, 2 ** 32 - 1]) {
    const one = ring.key(slot);
    t.same(one, again.key(slot));
    for (const [what, bytes] of Object.entries({ kid: one.kid, key: one.key, iv: one.iv })) {
      t.equal(bytes.length, 16, what);
      seen.add(bytes.toString('hex'));
    }
  }
  t.equal(seen.size, 24, 'no two are equal');
  t.not(ring.key(1).key.toString('hex'), keyRing(randomBytes(32), 10).key(1).key.toString('hex'));
  for (const slot of [-1, 0.5, Number.NaN, 2 ** 32]) t.throws(() => ring.key(slot), RangeError);
});

t.test('a key is found by its id, and by nothing like it', async (t) => {
  const ring = keyRing(secret, 10);
  const one = ring.key(77);
  t.same(ring.withId(one.kid), one);
  for (let bit = 0; bit < 128; bit += 1) {
    const other = Buffer.from(one.kid);
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    t.equal(ring.withId(other), null, `bit ${bit}`);
  }
  for (const size of [0, 15, 17]) t.equal(ring.withId(Buffer.alloc(size)), null);
  t.equal(ring.withId(keyRing(randomBytes(32), 10).key(77).kid), null, 'of another video');
});

t.test('a show of 60,000 keys is nothing to wait for', (t) => {
  const ring = keyRing(secret, 1);
  const slots = { first: 0, last: 60_000, growing: true, scheme: 'cbcs' } as const;
  t.equal(ring.prepare(slots), null);
  const { kid } = ring.key(60_000);
  t.equal(ring.find([kid, randomBytes(16)], slots), null);
  t.same(ring.withId(kid)?.kid, kid);
  t.end();
});
