import t from 'tap';
import { decodeAmf0, encodeAmf0 } from './amf0.ts';
import type { AmfValue } from './amf0.ts';
import { RtmpError } from './errors.ts';
import { Random } from './test-random.ts';
import { hex } from './test-fault.ts';

const limits = { amfDepth: 16, amfStringBytes: 65_536, amfValues: 4096 };
const decode = (text: string): AmfValue[] => decodeAmf0(hex(text), limits);
const fault = (bytes: Buffer): string => {
  try {
    decodeAmf0(bytes, limits);
    return 'none';
  } catch (error) {
    return error instanceof RtmpError ? error.fault : String(error);
  }
};

t.test('values come back as they went', async (t) => {
  const values: AmfValue[] = [
    'connect',
    1,
    { app: 'live', n: -0.5, deep: { list: [true, null, undefined, 'é한'] } },
    'x'.repeat(65_536),
  ];
  t.same(decodeAmf0(encodeAmf0(...values), limits), values);
});

t.test('what encoders send', async (t) => {
  t.same(decode('08 ffffffff 0001 61 00 3ff0000000000000 000009'), [{ a: 1 }], 'an ECMA array whose count is wrong');
  t.same(decode('0b 4000000000000000 0000'), [2], 'a date');
  t.same(decode('10 0001 41 0001 62 01 01 000009'), [{ b: true }], 'a typed object');
  t.same(decode('0c 00000002 6162  0f 00000001 63  0d 06 05  07 0001'), [
    'ab',
    'c',
    undefined,
    undefined,
    null,
    undefined,
  ]);
  t.same(decode('0a 00000002 05 0100'), [[null, false]]);
  t.same(decode(''), []);
  t.same(decode('03 0000 00 3ff0000000000000 000009'), [{ '': 1 }], 'an empty name with a value');
});

t.test('a sender chooses the names of members, and none of them means anything', async (t) => {
  const [object] = decodeAmf0(
    encodeAmf0(JSON.parse('{"__proto__":{"admin":true},"constructor":1}') as AmfValue),
    limits,
  );
  t.equal(Object.getPrototypeOf(object), null);
  t.equal(({} as Record<string, unknown>)['admin'], undefined);
});

t.test('lies and excesses are refused', async (t) => {
  t.equal(fault(hex('02 ffff 61')), 'amf-truncated');
  t.equal(fault(hex('0c ffffffff 61')), 'amf-string-too-long');
  t.equal(fault(hex('0a ffffffff')), 'amf-truncated');
  t.equal(fault(hex('03 0001 61')), 'amf-truncated');
  t.equal(fault(hex('00 00')), 'amf-truncated');
  t.equal(fault(hex('11 01')), 'amf-type', 'AMF3');
  t.equal(fault(hex('09')), 'amf-type');
  t.equal(fault(Buffer.concat(Array.from({ length: 100_000 }, () => hex('03 0001 61')))), 'amf-too-deep');
  t.equal(fault(Buffer.concat(Array.from({ length: 100_000 }, () => hex('0a 00000001')))), 'amf-too-deep');
  t.equal(fault(Buffer.alloc(100_000, 5)), 'amf-too-many-values');
  t.equal(fault(Buffer.concat([hex('0a ffffffff'), Buffer.alloc(100_000, 5)])), 'amf-too-many-values');
});

t.test('100,000 damaged inputs: values or an RtmpError', async (t) => {
  const random = new Random(7);
  const good = encodeAmf0(
    'connect',
    1,
    { app: 'live', list: [1, { a: 'b' }, null], tcUrl: 'rtmp://h/live', yes: true },
    'end',
  );
  let faults = 0;
  for (let round = 0; round < 100_000; round += 1) {
    const bytes = round % 4 === 0 ? random.bytes(random.below(40)) : random.spoil(good);
    try {
      decodeAmf0(bytes, limits);
    } catch (error) {
      faults += 1;
      if (!(error instanceof RtmpError)) throw error;
    }
  }
  t.ok(faults > 10_000, `${faults} were refused`);
});
