import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { createVault } from '../catalog/vault.ts';
import { readUploadToken, writeUploadToken } from './upload-token.ts';

const vault = createVault(Buffer.alloc(32, 7));
const token = { video: 'b27pp67vwmr07r9f', expiresAt: Date.UTC(2026, 10, 22, 10, 30, 1) };

t.test('a token reads as it was written, also far in the future, and is a plain step of a path', async (t) => {
  const text = writeUploadToken(vault, token);
  t.match(text, /^[A-Za-z0-9_-]{52}$/);
  t.same(readUploadToken(vault, text), token);
  const late = { ...token, expiresAt: Date.UTC(2126, 0, 1) };
  t.same(readUploadToken(vault, writeUploadToken(vault, late)), late);
  t.throws(() => writeUploadToken(vault, { ...token, video: 'short' }), RangeError);
});

t.test('with any one bit changed it is no token, wherever the bit is', async (t) => {
  const bytes = Buffer.from(writeUploadToken(vault, token), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    t.equal(readUploadToken(vault, changed.toString('base64url')), null, `bit ${bit}`);
  }
});

t.test('one token has one text, and none of another server or purpose opens anything', async (t) => {
  const text = writeUploadToken(vault, token);
  for (let length = 0; length < text.length; length += 1) t.equal(readUploadToken(vault, text.slice(0, length)), null);
  for (const other of [`${text}A`, `${text}=`, ` ${text}`, `${text}\n`, text.repeat(2), '', 'x'.repeat(100_000)]) t.equal(readUploadToken(vault, other), null);
  t.equal(readUploadToken(createVault(Buffer.alloc(32, 8)), text), null);
  t.equal(readUploadToken(vault, writeUploadToken({ mac: (_purpose, bytes) => vault.mac('grant', bytes) }, token)), null);
});

t.test('damaged and made-up tokens are refused, none breaks the reader', async (t) => {
  const random = new Random(39);
  const valid = Buffer.from(writeUploadToken(vault, token), 'base64url');
  const text = valid.toString('base64url');
  const accepted: string[] = [];
  for (let count = 0; count < 20_000; count += 1) {
    const bytes = count % 2 === 0 ? random.mutate(valid) : random.bytes(random.below(60));
    const input = count % 3 === 0 ? bytes.toString('latin1') : bytes.toString('base64url');
    if (input !== text && readUploadToken(vault, input) !== null) accepted.push(input);
  }
  t.same(accepted, []);
});
