import { createHmac } from 'node:crypto';
import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { readGrant, writeGrant, type Grant, type SigningKey } from './grant-token.ts';

const key: SigningKey = { id: 7, secret: Buffer.alloc(32, 7) };
const find = (id: number): Buffer | null => (id === key.id ? key.secret : null);
const grant: Grant = {
  ...{ id: 'jr1xp67vwmr07r9f', opens: { kind: 'video', id: 'b27pp67vwmr07r9f' }, account: '6c0mp8qcmgg9d65y', expiresAt: Date.UTC(2026, 10, 22, 10, 30, 1), notBefore: null },
  ...{ audiences: ['media', 'keys'], maxHeight: null, mayDownload: false, own: false, streams: null, networks: [], rules: [], device: null, viewer: null },
};
const rich: Grant = {
  ...grant,
  ...{ notBefore: Date.UTC(2026, 10, 20), maxHeight: 720, mayDownload: true, own: true, streams: 2, device: 'MRbGv2-mark_0001', viewer: '학생 한 명' },
  networks: ['192.0.2.0/24', '2001:db8::/32'],
  rules: [{ action: 'block', networks: ['192.0.2.7'] }, { action: 'allow', networks: [] }],
};

/** The same for the shows of a channel. */
const ofChannel: Grant = { ...grant, opens: { kind: 'channel', id: 'b27pp67vwmr07r9f' } };

t.test('a grant reads as it was written, is short, and is a plain step of a path', async (t) => {
  t.match(writeGrant(key, grant), /^[A-Za-z0-9_-]{108}$/);
  for (const one of [grant, rich, ofChannel]) {
    const text = writeGrant(key, one);
    t.match(text, /^[A-Za-z0-9_-]{108,1024}$/);
    t.same(readGrant(find, text), one);
    t.equal(writeGrant(key, one), text);
  }
  t.not(writeGrant(key, ofChannel), writeGrant(key, grant), 'that of a video is not that of a channel');
  t.throws(() => writeGrant(key, { ...grant, opens: { kind: 'video', id: 'short' } }), RangeError);
  t.throws(() => writeGrant(key, { ...grant, account: `${grant.account}0` }), RangeError);
  t.throws(() => writeGrant(key, { ...grant, networks: Array.from({ length: 60 }, (_, at) => `2001:db8:${at}::/48`) }), RangeError);
});

t.test('with any one bit changed it is no grant, wherever the bit is', async (t) => {
  for (const one of [grant, rich]) {
    const bytes = Buffer.from(writeGrant(key, one), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const read = readGrant(find, changed.toString('base64url'));
      const [byte] = [bit >> 3];
      const expected = byte === 0 || byte === 63 || byte === 64 ? 'grant-malformed' : byte === 1 || byte === 2 ? 'grant-key-unknown' : 'grant-signature';
      t.equal(read, expected, `bit ${bit}`);
    }
  }
});

t.test('one grant has one text: no other spelling, no shorter and no longer one', async (t) => {
  for (const one of [grant, rich]) {
    const text = writeGrant(key, one);
    for (let length = 0; length < text.length; length += 1) t.equal(readGrant(find, text.slice(0, length)), 'grant-malformed', `the first ${length}`);
    for (const other of [`${text}A`, `${text}AAAA`, `${text}=`, ` ${text}`, `${text}\n`, text.replaceAll('-', '+').replaceAll('_', '/').replace(/^./, '+'), text.repeat(2)]) {
      t.equal(readGrant(find, other), 'grant-malformed');
    }
    for (const at of Array.from(text).keys()) t.equal(readGrant(find, `${text.slice(0, at)}%${text.slice(at + 1)}`), 'grant-malformed');
  }
});

t.test('another server’s key, and what is signed without a key, are refused', async (t) => {
  t.equal(readGrant(find, writeGrant({ id: 7, secret: Buffer.alloc(32, 8) }, grant)), 'grant-signature');
  t.equal(readGrant(find, writeGrant({ id: 8, secret: key.secret }, grant)), 'grant-key-unknown');
  const unsigned = Buffer.from(writeGrant(key, grant), 'base64url');
  unsigned.fill(0, unsigned.length - 16);
  t.equal(readGrant(find, unsigned.toString('base64url')), 'grant-signature');
});

t.test('what is genuine and makes no sense opens nothing', async (t) => {
  const facts = Buffer.from(writeGrant(key, rich), 'base64url').subarray(0, -16);
  facts.write('{"n":[1]}', 65, 'latin1');
  const mac = createHmac('sha256', key.secret).update(facts).digest().subarray(0, 16);
  t.equal(readGrant(find, Buffer.concat([facts, mac]).toString('base64url')), 'grant-malformed');
});

t.test('damaged and made-up grants are refused, none breaks the reader', async (t) => {
  const random = new Random(54);
  for (const one of [grant, rich]) {
    const valid = Buffer.from(writeGrant(key, one), 'base64url');
    const text = valid.toString('base64url');
    const accepted: string[] = [];
    for (let count = 0; count < 20_000; count += 1) {
      const bytes = count % 2 === 0 ? random.mutate(valid) : random.bytes(random.below(200));
      const input = count % 3 === 0 ? bytes.toString('latin1') : bytes.toString('base64url');
      if (input !== text && typeof readGrant(find, input) !== 'string') accepted.push(input);
    }
    t.same(accepted, []);
  }
});
