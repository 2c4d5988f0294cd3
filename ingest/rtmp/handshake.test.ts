import { createHmac } from 'node:crypto';
import t from 'tap';
import type { RtmpError } from './errors.ts';
import { digest, digestSchemes, handshakeKeys, ServerHandshake } from './handshake.ts';
import { Random } from './test-random.ts';

const random = new Random(3);
const plain = (): Buffer => {
  const hello = random.bytes(1537);
  hello[0] = 3;
  return hello.fill(0, 5, 9);
};

t.test('a plain client gets its own bytes back, whatever the cuts, and what follows C2 is not lost', async (t) => {
  const hello = plain();
  const bytes = Buffer.concat([hello, random.bytes(1536), Buffer.from('next')]);
  for (const cut of [1, 2, 1536, 1537, 1538, 3072, 3073]) {
    const handshake = new ServerHandshake();
    const steps = [bytes.subarray(0, cut), bytes.subarray(cut)].map((part) => handshake.push(part));
    const replies = steps.flatMap(({ reply }) => (reply ? [reply] : []));
    t.equal(replies.length, 1);
    t.equal(replies[0]?.length, 3073);
    t.equal(replies[0]?.[0], 3);
    t.ok(replies[0]?.subarray(1537).equals(hello.subarray(1)));
    const rest = cut === 3073 ? steps[0]?.rest : steps[1]?.rest;
    t.equal(rest?.toString(), cut === 3073 ? '' : 'next');
  }
  t.equal(new ServerHandshake().push(bytes).rest?.toString(), 'next');
});

t.test('a client that signs, in either place, gets signed packets', async (t) => {
  for (const scheme of digestSchemes) {
    const hello = random.bytes(1537);
    hello.set([3, 0, 0, 0, 0, 9, 0, 124, 2]);
    const c1 = hello.subarray(1);
    const at = scheme.place(c1);
    const signed = digest(c1, at, handshakeKeys.player);
    signed.copy(c1, at);
    const { reply } = new ServerHandshake().push(hello);
    if (!reply) return t.fail('no reply');
    const s1 = reply.subarray(1, 1537);
    const place = scheme.place(s1);
    t.ok(digest(s1, place, handshakeKeys.server).equals(s1.subarray(place, place + 32)), 'S1');
    const tail = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');
    const key = createHmac('sha256', Buffer.concat([handshakeKeys.server, tail]))
      .update(signed)
      .digest();
    const s2 = reply.subarray(1537);
    t.ok(createHmac('sha256', key).update(s2.subarray(0, 1504)).digest().equals(s2.subarray(1504)), 'S2');
  }
});

t.test('what is no RTMP is named', async (t) => {
  const cases = { 'rtmpe': 6, 'rtmps-on-plain-port': 0x16, 'http-on-rtmp-port': 0x47, 'not-rtmp': 0 };
  for (const [fault, first] of Object.entries(cases)) {
    t.throws(() => new ServerHandshake().push(Buffer.from([first, 1, 2])), { fault } as RtmpError);
  }
});
