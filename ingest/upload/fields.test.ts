import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { crc32c } from './crc32c.ts';
import { parseContentDigest, parseUploadChecksum, type DigestVerdict } from './digest-fields.ts';
import { parseUploadPath, wholeNumber } from './path.ts';

const sha = createHash('sha256').update('x').digest();
const b64 = sha.toString('base64');
const crc = 'y+jRvQ==';

t.test('Content-Digest is read as RFC 9530 and 9651 write it', async (t) => {
  const good: readonly (readonly [string, 'sha-256' | 'crc32c'])[] = [
    [`sha-256=:${b64}:`, 'sha-256'],
    [`  sha-256=:${b64}:  `, 'sha-256'],
    [`crc32c=:${crc}:`, 'crc32c'],
    [`crc32c=:${crc}:, sha-256=:${b64}:`, 'sha-256'],
    [`sha-512=:AAAA:,\tcrc32c=:${crc}:`, 'crc32c'],
    [`sha-256=:AAAA:, sha-256=:${b64}:`, 'sha-256'],
    [`sha-256=:${b64}:;a=1;b="x\\"y, z";c;d=?0;e=-1.5;f=tok/en:x, md5=:AA==:`, 'sha-256'],
    [`a, b=1, crc32c=:${crc}:`, 'crc32c'],
  ];
  for (const [field, name] of good) t.match(parseContentDigest(field), { name, value: name === 'crc32c' ? Buffer.from(crc, 'base64') : sha }, field);
  t.equal(parseContentDigest('md5=:AAAA:, sha-512=:AAAA:'), 'unsupported');
  t.equal(parseContentDigest(`SHA-256=:${b64}:`), 'malformed', 'keys are written small');
  for (const field of ['', ' ', ',', 'sha-256', 'sha-256=', 'sha-256=::', `sha-256=${b64}`, `sha-256=:${b64}`, `sha-256=:${b64.slice(0, -4)}:`, `sha-256=:${b64}A:`, `sha-256 =:${b64}:`, `sha-256= :${b64}:`, `sha-256=:${b64}:,`, `sha-256=:${b64}: x`, `crc32c=:${crc}:,,a=1`, 'crc32c=:AAAAAAA=:', `crc32c="${crc}"`, 'crc32c=1', `crc32c=:${crc.replace('Q', 'R')}:`, `crc32c=:${'A'.repeat(2000)}:`, Array.from({ length: 9 }, (_, at) => `k${at}=1`).join(', ')]) {
    t.equal(parseContentDigest(field), 'malformed', field.slice(0, 60));
  }
});

t.test('Upload-Checksum: an algorithm, a space, base64', async (t) => {
  t.same(parseUploadChecksum(`sha256 ${b64}`), { name: 'sha-256', value: sha });
  t.same(parseUploadChecksum(`crc32c ${crc}`), { name: 'crc32c', value: Buffer.from(crc, 'base64') });
  t.equal(parseUploadChecksum('md5 AAAA'), 'unsupported');
  for (const field of ['', 'sha1', 'sha1 ', `sha256  ${b64}`, `sha256 ${b64} `, `sha256\t${b64}`, `SHA256 ${b64}`, 'sha1 AAAA', `sha256 ${b64},sha1 AAAA`]) t.equal(parseUploadChecksum(field), 'malformed', field);
});

t.test('whatever comes as a field is judged at once, and only digests of the right length pass', async (t) => {
  const random = new Random(5);
  const valid = [`sha-256=:${b64}:`, `crc32c=:${crc}:;a="${'\\"'.repeat(40)}"`, `sha256 ${b64}`, `a=${'1'.repeat(15)}.123, ${'b;'.repeat(20)}`].map((text) => Buffer.from(text));
  const lengths = { 'sha-1': 20, 'sha-256': 32, crc32c: 4 };
  const fits = (verdict: DigestVerdict): boolean => typeof verdict === 'string' || verdict.value.length === lengths[verdict.name];
  const startedAt = performance.now();
  for (let count = 0; count < 60_000; count += 1) {
    const model = valid[count % valid.length] ?? Buffer.alloc(0);
    const field = (count % 3 === 0 ? random.bytes(random.below(200)) : random.mutate(model)).toString('latin1');
    if (!fits(parseContentDigest(field)) || !fits(parseUploadChecksum(field))) t.fail(JSON.stringify(field));
  }
  // Nothing that backtracks: each of these would take years.
  for (const field of [`a${';'.repeat(1000)}`, `a="${'\\"'.repeat(500)}`, `a${'; '.repeat(500)}`, `a=:${'A'.repeat(1000)}`, ' '.repeat(1020), `a${' '.repeat(1000)},`, `${'*'.repeat(1000)}=`, 'a, '.repeat(340)]) t.equal(parseContentDigest(field), 'malformed');
  t.ok(performance.now() - startedAt < 20_000);
});

t.test('addresses', async (t) => {
  const token = 'b27pp67vwmr07r9f_-XY';
  t.same(parseUploadPath(`/upload/${token}`), { kind: 'tus', token });
  t.same(parseUploadPath(`/upload/${token}?x=1`), { kind: 'tus', token }, 'clients may add what they like to an address of tus');
  t.same(parseUploadPath(`/upload/${token}/status`), { kind: 'status', token });
  t.same(parseUploadPath(`/upload/${token}/finish?`), { kind: 'finish', token });
  t.same(parseUploadPath(`/upload/${token}/parts/0`), { kind: 'part', token, part: 0, size: null });
  t.same(parseUploadPath(`/upload/${token}/parts/12?size=67108864`), { kind: 'part', token, part: 12, size: 67_108_864 });
  const random = new Random(9);
  const valid = [`/upload/${token}`, `/upload/${token}/parts/12?size=262144`, `/upload/${token}/status`].map((text) => Buffer.from(text));
  let accepted = 0;
  for (let count = 0; count < 60_000; count += 1) {
    const url = `/upload/${random.mutate(valid[count % 3] ?? Buffer.alloc(0)).toString('latin1').slice(8)}`;
    const path = parseUploadPath(url);
    if (!('token' in path)) continue;
    accepted += 1;
    if (!/^[A-Za-z0-9_-]{16,1024}$/.test(path.token) || (path.kind === 'part' && (!Number.isSafeInteger(path.part) || path.part < 0))) t.fail(JSON.stringify(url));
  }
  t.ok(accepted > 100);
  t.same(['0', '9007199254740991', '9007199254740992', '-0', '1 ', '1\n', '', undefined].map(wholeNumber), [0, 9_007_199_254_740_991, null, null, null, null, null, null]);
});

t.test('CRC-32C: the known values, in one piece or in many, wherever the bytes lie in memory', async (t) => {
  // RFC 3720, B.4.
  const known: readonly (readonly [Buffer, number])[] = [
    [Buffer.alloc(32), 0x8a91_36aa],
    [Buffer.alloc(32, 0xff), 0x62a8_ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd_794e],
    [Buffer.from('123456789'), 0xe306_9283],
    [Buffer.alloc(0), 0],
  ];
  for (const [bytes, value] of known) t.equal(crc32c(bytes), value);
  const bytes = randomBytes(5000);
  const slow = (data: Buffer): number => {
    let crc = ~0;
    for (const byte of data) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
    }
    return ~crc >>> 0;
  };
  const random = new Random(1);
  for (let count = 0; count < 300; count += 1) {
    const from = random.below(200);
    const data = bytes.subarray(from, from + random.below(400));
    const cut = random.below(data.length + 1);
    if (crc32c(data) !== slow(data) || crc32c(data.subarray(cut), crc32c(data.subarray(0, cut))) !== slow(data)) t.fail(`${from} ${data.length} ${cut}`);
  }
});
