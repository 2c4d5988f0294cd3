import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import { BatchMemory } from './batch-memory.ts';
import { crc32c } from './crc32c.ts';
import { DigestThread } from './digest-thread.ts';

const KiB = 1024;
const MiB = KiB * KiB;

const shared = (bytes: Buffer): SharedArrayBuffer => {
  const memory = new SharedArrayBuffer(bytes.length + 10);
  Buffer.from(memory).fill(bytes, 0, bytes.length);
  return memory;
};

t.test('many digests side by side, each of its own bytes', async (t) => {
  const thread = new DigestThread();
  t.teardown(() => thread.close());
  const pieces = Array.from({ length: 9 }, (_, at) => randomBytes(10_000 + at));
  const whole = Buffer.concat(pieces);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(whole));
  const expected = { 'sha-1': createHash('sha1').update(whole).digest(), 'sha-256': createHash('sha256').update(whole).digest(), crc32c: crc } as const;
  const all = (['sha-1', 'sha-256', 'crc32c', 'sha-256', 'crc32c'] as const).map(async (name, at) => {
    const digest = thread.start(name);
    for (const piece of pieces) await digest.update(shared(piece), piece.length);
    if (at === 3) return digest.drop();
    t.ok((await digest.value()).equals(expected[name]), name);
    digest.drop();
  });
  await Promise.all(all);
});

t.test('a thread that ends takes its digests with it, and another one takes its place', async (t) => {
  const thread = new DigestThread();
  const digest = thread.start('sha-256');
  const bytes = Buffer.alloc(MiB);
  await digest.update(shared(bytes), bytes.length);
  const asked = digest.update(shared(bytes), bytes.length).then(
    () => 'done',
    () => 'ended',
  );
  await thread.close();
  t.match(await asked, /done|ended/);
  await t.rejects(digest.value(), /has ended/);
  const next = thread.start('crc32c');
  await next.update(shared(Buffer.from('123456789')), 9);
  t.equal((await next.value()).toString('hex'), 'e3069283');
  await thread.close();
});

t.test('memory is used again, bounded, never refused, and mostly given back when it is quiet', async (t) => {
  const memory = new BatchMemory(24 * MiB);
  const taken = Array.from({ length: 512 }, () => memory.take());
  t.same([taken[0]?.bytes.length, taken[511]?.bytes.length], [768 * KiB, 64 * KiB], 'whoever comes late gets less');
  t.ok(memory.taken < 56 * MiB, `${memory.taken}`);
  for (const batch of taken) memory.give(batch);
  t.equal(memory.taken, 0);
  const one = memory.take();
  memory.give(one);
  t.equal(memory.take(), one, 'what was given back is used again');
});
