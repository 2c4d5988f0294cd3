import t from 'tap';
import { ascii, box, encode, fullBox, u16, u24, u32, u64, u8, zeros } from './box.ts';
import { CmafError } from './cmaf-error.ts';

t.test('a box is its size, its type and its parts', async (t) => {
  const tfdt = fullBox('tfdt', 1, 0, [u64(2 ** 33 + 5)]);
  t.equal(tfdt.size, 20);
  t.equal(encode(tfdt).toString('hex'), '0000001474666474010000000000000200000005');
  const nested = box('moof', [box('traf', [tfdt, zeros(2)]), u8(1), u16(2), u24(3), u32(0xffff_ffff), ascii('end')]);
  const bytes = encode(nested, u8(9));
  t.equal(bytes.length, nested.size + 1);
  t.equal(bytes.subarray(0, 16).toString('latin1'), '\0\0\0\x33moof\0\0\0\x1etraf');
  t.equal(bytes.subarray(38).toString('hex'), '010002000003ffffffff656e6409');
});

t.test('what does not fit its field is refused and not wrapped', async (t) => {
  for (const make of [() => u8(256), () => u16(-1), () => u24(2 ** 24), () => u32(2 ** 32), () => u64(2 ** 53), () => u32(1.5), () => u32(Number.NaN)]) {
    t.throws(make, CmafError);
    t.throws(make, { code: 'range' });
  }
});

t.test('ten thousand parts cost ten thousand steps, not their square', async (t) => {
  const deep = (levels: number) => {
    let inner = box('free', [zeros(4)]);
    for (let i = 0; i < levels; i += 1) inner = box('free', [inner]);
    return inner;
  };
  t.equal(encode(deep(2000)).length, 8 * 2001 + 4);
  t.equal(encode(box('mdat', Array.from({ length: 100_000 }, (_, i) => u32(i)))).length, 400_008);
});
