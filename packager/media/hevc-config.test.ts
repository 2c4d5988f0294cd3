import t from 'tap';
import { CodecError } from './codec-error.ts';
import { completeHevcConfig, hevcCodecString, parseHevcConfig } from './hevc-config.ts';

const set = (type: number, ...bytes: number[]): number[] => [0x80 | type, 0, 1, 0, bytes.length + 1, type << 1, ...bytes];
const record = (...arrays: number[][]): Buffer =>
  Buffer.from([
    ...[1, 0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f],
    ...[arrays.length, ...arrays.flat()],
  ]);
const main = record(set(32, 1), set(33, 2, 3), set(34, 4));

t.test('a record tells profile, depth, length of lengths and the parameter sets', async (t) => {
  const config = parseHevcConfig(main);
  t.match(config, { profile: 1, highTier: false, level: 93, bitDepth: 8, chromaFormat: 1, lengthSize: 4 });
  t.same([config.vps, config.sps, config.pps].map((sets) => sets.map((nal) => nal.length)), [[2], [3], [2]]);
});

t.test('the codec string is that of ISO 14496-15', async (t) => {
  t.equal(hevcCodecString(parseHevcConfig(main)), 'hvc1.1.6.L93.90');
  const high = Buffer.from(main);
  high[1] = 0x22; // Main 10, high tier
  high.writeUInt32BE(0x2000_0000, 2);
  high[6] = 0xb0;
  t.equal(hevcCodecString(parseHevcConfig(high)), 'hvc1.2.4.H93.B0');
  high[1] = 0x62;
  high[6] = 0;
  t.equal(hevcCodecString(parseHevcConfig(high)), 'hvc1.A2.4.H93');
});

t.test('a record for hvc1 says that its parameter sets are all that there are', async (t) => {
  const open = Buffer.from(main);
  for (const at of [23, 30, 38]) open[at] = (open[at] ?? 0) & 0x7f;
  t.not(open.equals(main), true);
  t.same(completeHevcConfig(open), main);
  t.same(completeHevcConfig(main), main);
  t.throws(() => completeHevcConfig(Buffer.concat([main.subarray(0, 22), Buffer.from([1, 32, 0xff, 0xff]), Buffer.alloc(10 << 20)])), { code: 'limit' });
});

t.test('whatever is cut off or turned is refused, or read', async (t) => {
  for (let length = 0; length < main.length; length += 1) t.throws(() => parseHevcConfig(main.subarray(0, length)), CodecError);
  for (let at = 0; at < main.length; at += 1) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const bytes = Buffer.from(main);
      bytes[at] = value;
      try {
        hevcCodecString(parseHevcConfig(bytes));
      } catch (error) {
        t.type(error, CodecError);
      }
    }
  }
  t.throws(() => parseHevcConfig(Buffer.alloc(20_000, 1)), { code: 'limit' });
});
