import t from 'tap';
import { createVault } from './vault.ts';

const vault = createVault(Buffer.alloc(32, 7));

t.test('what was sealed opens again, never twice the same, and only under its purpose and its place', async (t) => {
  const sealed = vault.seal('stream-key', 'row 1', '비밀 key');
  t.equal(vault.open('stream-key', 'row 1', sealed), '비밀 key');
  t.not(vault.seal('stream-key', 'row 1', '비밀 key'), sealed);
  t.throws(() => vault.open('stream-key', 'row 2', sealed), 'a row’s secret cannot be moved to another row');
  t.throws(() => vault.open('srt-passphrase', 'row 1', sealed));
  t.throws(() => createVault(Buffer.alloc(32, 8)).open('stream-key', 'row 1', sealed));
});

t.test('a sealed secret with any bit changed, or cut short, does not open', async (t) => {
  const sealed = Buffer.from(vault.seal('answer', 'x', 'secret'), 'base64url');
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = Buffer.from(sealed);
    const at = bit >> 3;
    changed.writeUInt8(changed.readUInt8(at) ^ (1 << (bit & 7)), at);
    t.throws(() => vault.open('answer', 'x', changed.toString('base64url')), `bit ${bit}`);
  }
  for (let length = 0; length < sealed.length; length += 1) t.throws(() => vault.open('answer', 'x', sealed.subarray(0, length).toString('base64url')), `${length} bytes`);
});

t.test('each purpose looks up by a hash of its own', async (t) => {
  t.same(vault.mac('stream-key', 'a'), vault.mac('stream-key', 'a'));
  t.notSame(vault.mac('stream-key', 'a'), vault.mac('grant', 'a'));
});
