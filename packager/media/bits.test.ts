import t from 'tap';
import { BitReader, BitWriter } from './bits.ts';
import { CodecError } from './codec-error.ts';

t.test('numbers of any width come back as they were written, across bytes', async (t) => {
  const bytes = new BitWriter().bits(5, 3).bits(0xffff_ffff, 32).bits(0, 7).bits(0x1234_5678, 32).bits(1, 1).bytes();
  const bits = new BitReader(bytes);
  t.equal(bits.bits(3), 5);
  t.equal(bits.bits(32), 0xffff_ffff);
  t.equal(bits.bits(7), 0);
  t.equal(bits.bits(32), 0x1234_5678);
  t.equal(bits.flag(), true);
  t.equal(bits.left, 5);
});

t.test('Exp-Golomb codes are those of table 9-2', async (t) => {
  const codes: [string, number, number][] = [
    ['1', 0, 0],
    ['010', 1, 1],
    ['011', 2, -1],
    ['00100', 3, 2],
    ['00111', 6, -3],
    ['0001010', 9, 5],
    [`${'0'.repeat(31)}1${'1'.repeat(31)}`, 2 ** 32 - 2, -(2 ** 31 - 1)],
  ];
  for (const [code, unsigned, signed] of codes) {
    const out = new BitWriter();
    for (const digit of code) out.bits(Number(digit), 1);
    t.equal(new BitReader(out.bytes()).ue(), unsigned, code);
    t.equal(new BitReader(out.bytes()).se(), signed, code);
  }
});

t.test('reading past the end is a CodecError, for every way of reading', async (t) => {
  const empty = () => new BitReader(Buffer.alloc(0));
  const reads = [() => empty().bit(), () => empty().bits(1), () => empty().skip(1), () => empty().ue()];
  for (const read of reads) t.throws(read, { code: 'truncated' });
  t.throws(() => new BitReader(Buffer.alloc(64)).ue(), new CodecError('invalid', 'an Exp-Golomb code has more than 32 leading zeros'));
});

t.test('alignment goes to the next whole byte and stays on one', async (t) => {
  const bits = new BitReader(Buffer.from([0xff, 0x01]));
  bits.align();
  t.equal(bits.left, 16);
  bits.skip(1);
  bits.align();
  t.equal(bits.bits(8), 1);
});
