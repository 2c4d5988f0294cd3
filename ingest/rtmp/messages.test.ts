import t from 'tap';
import { encodeAmf0 } from './amf0.ts';
import type { RtmpError } from './errors.ts';
import { defaultLimits } from './limits.ts';
import { interpret, messageType } from './messages.ts';
import type { Meaning } from './messages.ts';
import { hex } from './test-fault.ts';

const read = (type: number, payload: Buffer, timestamp = 0): Meaning =>
  interpret({ type, streamId: 1, timestamp, payload }, defaultLimits);

t.test('an aggregate message is its tags, with times that begin at its own', async (t) => {
  const tags = hex(
    '08 000002 000064 00 000000 af01 0000000d  09 000001 000085 00 000000 17 0000000c  08 000000 000086 00 000000',
  );
  t.strictSame(read(messageType.aggregate, tags, 0xfffffff0), {
    kind: 'aggregate',
    messages: [
      { type: 8, streamId: 1, timestamp: 0xfffffff0, payload: hex('af01') },
      { type: 9, streamId: 1, timestamp: 17, payload: hex('17') },
      { type: 8, streamId: 1, timestamp: 18, payload: hex('') },
    ],
  });
  t.throws(() => read(messageType.aggregate, tags.subarray(0, 12)), { fault: 'aggregate-broken' } as RtmpError);
  t.throws(() => read(messageType.aggregate, tags.subarray(0, 20)), { fault: 'aggregate-broken' } as RtmpError);
});

t.test('the AMF3 types carry AMF0 behind a zero', async (t) => {
  const amf = encodeAmf0('createStream', 4, null);
  const want = { kind: 'command', command: { name: 'createStream', transaction: 4, values: [null], streamId: 1 } };
  t.same(read(messageType.command, amf), want);
  t.same(read(messageType.commandAmf3, Buffer.concat([hex('00'), amf])), want);
  t.same(read(messageType.dataAmf3, hex('00 05')), { kind: 'data', amf: hex('05'), timestamp: 0 });
});

t.test('commands without a name, control messages without their bytes', async (t) => {
  for (const payload of [hex(''), encodeAmf0(null), encodeAmf0(''), encodeAmf0(1, 2)]) {
    t.throws(() => read(messageType.command, payload), { fault: 'command-name' } as RtmpError);
  }
  t.match(read(messageType.command, encodeAmf0('x', Number.NaN)), { command: { transaction: 0 } });
  for (const type of [3, 4, 5, 6]) {
    t.throws(() => read(type, hex('00')), { fault: 'control-too-short' } as RtmpError);
  }
  t.same(read(4, hex('0006 00000001')), { kind: 'ping', token: 1 });
  t.same(read(4, hex('0003')), { kind: 'ignored' });
  t.same(read(16, hex('')), { kind: 'ignored' });
});
