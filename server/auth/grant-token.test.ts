import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { createVault } from '../catalog/vault.ts';
import { readGrant, writeGrant } from './grant-token.ts';

const vault = createVault(Buffer.alloc(32, 7));
const grant = { video: 'b27pp67vwmr07r9f', account: '6c0mp8qcmgg9d65y', expiresAt: Date.UTC(2026, 10, 22, 10, 30, 1) };

t.test('a grant reads as it was written, is short, and is a plain step of a path', async (t) => {
  const text = writeGrant(vault, grant);
  t.match(text, /^[A-Za-z0-9_-]{72}$/);
  t.same(readGrant(vault, text), grant);
  t.equal(writeGrant(vault, grant), text);
  t.throws(() => writeGrant(vault, { ...grant, video: 'short' }), RangeError);
  t.throws(() => writeGrant(vault, { ...grant, account: `${grant.account}0` }), RangeError);
});

t.test('with any one bit changed it is no grant, wherever the bit is', async (t) => {
  const bytes = Buffer.from(writeGrant(vault, grant), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    t.equal(readGrant(vault, changed.toString('base64url')), null, `bit ${bit}`);
  }
});

t.test('one grant has one text: no other spelling, no shorter and no longer one', async (t) => {
  const text = writeGrant(vault, grant);
  for (let length = 0; length < text.length; length += 1) t.equal(readGrant(vault, text.slice(0, length)), null);
  for (const other of [`${text}A`, `${text}=`, ` ${text}`, `${text}\n`, text.replaceAll('-', '+').replaceAll('_', '/').replace(/^./, '+'), text.repeat(2)]) {
    t.equal(readGrant(vault, other), null);
  }
  const again = [...text].map((_, at) => `${text.slice(0, at)}%${text.slice(at + 1)}`);
  for (const other of again) t.equal(readGrant(vault, other), null);
});

t.test('another server’s grant, and what was signed here for another purpose, are no grants', async (t) => {
  t.equal(readGrant(createVault(Buffer.alloc(32, 8)), writeGrant(vault, grant)), null);
  const elsewhere = writeGrant({ mac: (_purpose, text) => vault.mac('stream-key', text) }, grant);
  t.equal(readGrant(vault, elsewhere), null);
});

t.test('damaged and made-up grants are refused, none breaks the reader', async (t) => {
  const random = new Random(54);
  const valid = Buffer.from(writeGrant(vault, grant), 'base64url');
  const text = valid.toString('base64url');
  const accepted: string[] = [];
  for (let count = 0; count < 20_000; count += 1) {
    const bytes = count % 2 === 0 ? random.mutate(valid) : random.bytes(random.below(80));
    const input = count % 3 === 0 ? bytes.toString('latin1') : bytes.toString('base64url');
    if (input !== text && readGrant(vault, input) !== null) accepted.push(input);
  }
  t.same(accepted, []);
});
