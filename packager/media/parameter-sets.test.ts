/** Several parameter sets inside the pictures: kept by their numbers, replaced by them, and never more than a record can hold. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { decodeErrors, encodedFlv, run, scratch } from '../../test/support/encoded.ts';
import { boxOf } from '../../test/support/coded-frames.ts';
import { fragment } from '../cmaf/fragment.ts';
import { initSegment } from '../cmaf/init.ts';
import { BitWriter } from './bits.ts';
import { parseAvcConfig } from './h264.ts';
import { parseHevcConfig, type HevcConfig } from './hevc-config.ts';
import { encodeHevcConfig } from './hevc-encode.ts';
import { normaliseHevc } from './hevc-picture.ts';
import { pictureFacts } from './picture-facts.ts';
import { inBandHevcSets } from './parameter-sets.ts';
import { pictureReader, type Picture, type PictureReader } from './picture.ts';
import type { VideoConfig } from './unit.ts';

t.before(() => mkdir(scratch, { recursive: true }));
t.teardown(() => rm(scratch, { recursive: true }));

const wrap = (...nals: readonly Buffer[]): Buffer =>
  Buffer.concat(
    nals.flatMap((nal) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(nal.length);
      return [length, nal];
    }),
  );
const ue = (bits: BitWriter, value: number): BitWriter => {
  const length = Math.floor(Math.log2(value + 1));
  return bits.bits(0, length).bits(value + 1, length + 1);
};

/** Constrained Baseline, so many macroblocks on a side (ISO 14496-10, 7.3.2.1.1). */
const sps = (id: number, macroblocks = 20): Buffer => {
  const bits = new BitWriter().bits(0x67, 8).bits(0x42c0_1e, 24);
  for (const value of [id, 0, 2, 1]) ue(bits, value);
  bits.bits(0, 1);
  for (const side of [macroblocks, 12]) ue(bits, side - 1);
  return bits.bits(0b1100, 4).bits(0b1000, 4).bytes();
};
/** `mark` tells sets of one number apart. */
const pps = (id: number, of = 0, mark = 0): Buffer => ue(ue(ue(new BitWriter().bits(0x68, 8), id), of), mark).bits(1, 1).bytes();
/** A slice that names its PPS: the first macroblock, an I picture. */
const slice = (named: number, type = 0x65): Buffer => ue(ue(ue(new BitWriter().bits(type, 8), 0), 7), named).bits(0xffff, 16).bytes();

/** Feeds pictures to a reader as a show does it: a new configuration has a new reader. */
const following = (codec: VideoConfig['codec'] = 'h264') => {
  let read: PictureReader = pictureReader(codec, null);
  const it = {
    config: null as VideoConfig | null,
    changes: 0,
    take: (data: Buffer): Picture => {
      const picture = read(data);
      if (picture.config) {
        it.changes += 1;
        it.config = picture.config;
        read = pictureReader(codec, picture.config);
      }
      return picture;
    },
    sets: () => parseAvcConfig(it.config?.config ?? Buffer.alloc(0)),
    width: () => it.config && pictureFacts(it.config).size?.width,
  };
  return it;
};

t.test('a set takes the place of the one with its number, and the others stay', async (t) => {
  const it = following();
  it.take(wrap(sps(0), pps(0), slice(0)));
  it.take(wrap(pps(1), slice(1, 0x41)));
  t.same([it.sets().sps, it.sets().pps], [[sps(0)], [pps(0), pps(1)]]);
  it.take(wrap(pps(0), pps(1), slice(1)));
  t.equal(it.changes, 2, 'what is known is no change');
  it.take(wrap(pps(1, 0, 5), slice(0)));
  t.same(it.sets().pps, [pps(0), pps(1, 0, 5)]);
  it.take(wrap(sps(3), slice(0)));
  t.same([it.sets().sps, it.sets().pps], [[sps(0), sps(3)], [pps(0), pps(1, 0, 5)]], 'an SPS that no picture leans on yet comes behind');
  it.take(wrap(pps(7, 9), slice(0)));
  t.notOk(it.sets().pps.some((set) => set.equals(pps(7, 9))), 'one that leans on an SPS which nobody has sent is nothing to decode with');
  const changes = it.changes;
  for (const more of [[], [pps(0)], [pps(1, 0, 5)]]) it.take(wrap(sps(0), ...more, pps(7, 9), slice(0)));
  t.equal(it.changes, changes, 'nor a change, however often it comes');
});

t.test('an encoder that begins anew with fewer sets takes its old ones with it', async (t) => {
  const it = following();
  it.take(wrap(sps(0), pps(0), pps(1), pps(2), slice(0)));
  it.take(wrap(sps(0, 30), slice(0)));
  t.same(it.sets().pps, [pps(0), pps(1), pps(2)], 'a changed SPS by itself leaves what leans on it');
  it.take(wrap(sps(0, 40), pps(0, 0, 1), slice(0)));
  t.same([it.sets().sps, it.sets().pps], [[sps(0, 40)], [pps(0, 0, 1)]]);
});

t.test('what players are told is that of the SPS which the picture is decoded with', async (t) => {
  const it = following();
  it.take(wrap(sps(0, 40), sps(1, 20), pps(0, 0), pps(1, 1), slice(1)));
  t.equal(it.width(), 320);
  it.take(wrap(sps(0, 40), pps(0, 0), slice(0)));
  t.equal(it.width(), 640, 'another size is another configuration, although every set is known');
  it.take(wrap(sps(1, 20), pps(1, 1), slice(1)));
  t.same([it.width(), it.changes], [320, 3]);
  const same = following();
  same.take(wrap(sps(0), sps(1), pps(0, 0), pps(1, 1), slice(0)));
  same.take(wrap(sps(1), pps(1, 1), slice(1)));
  t.equal(same.changes, 1, 'and one of the same size is none');
});

t.test('every number there is, one after the other: never more than the record counts', async (t) => {
  const it = following();
  for (let turn = 0; turn < 600; turn += 1) it.take(wrap(sps(turn % 32), pps(turn % 256, turn % 32, turn), slice(turn % 256)));
  const { sps: all, pps: others } = it.sets();
  t.ok(all.length <= 31 && all.length >= 30 && others.length <= 255, `${all.length} SPS, ${others.length} PPS`);
  t.same(all[0], sps(599 % 32));
  const large = (id: number): Buffer => Buffer.concat([pps(id), Buffer.alloc(3000, 0x55)]);
  for (let id = 0; id < 40; id += 1) it.take(wrap(sps(0), large(id), slice(id)));
  t.ok((it.config?.config.length ?? 0) < 16 * 1024, 'nor more than it holds');
  t.ok(it.sets().pps.some((set) => set.equals(large(39))));
});

t.test('numbers beyond those there are, and sets that end before theirs, are refused', async (t) => {
  const read = pictureReader('h264', null);
  for (const bad of [wrap(sps(32), pps(0), slice(0)), wrap(sps(0), pps(256), slice(0)), wrap(sps(0), pps(0, 32), slice(0)), wrap(sps(0), Buffer.from('6800', 'hex'), slice(0))]) {
    t.throws(() => read(bad), { name: 'CodecError' });
  }
});

const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=4', '-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '30', '-bf', '0'];
t.test('two real encoders whose sets have two numbers, turn by turn, each set sent once: ffmpeg decodes every picture', async (t) => {
  const clips = await Promise.all(['sps-id=0', 'sps-id=5:cabac=0:8x8dct=0'].map((own) => encodedFlv([...source, '-x264-params', `scenecut=0:${own}`])));
  const it = following();
  const samples = [0, 1, 2, 3].flatMap((group) => {
    const clip = clips[group % 2];
    const { sps: sent = [], pps: sentToo = [] } = group < 2 && clip?.avcConfig ? parseAvcConfig(clip.avcConfig) : {};
    return (clip?.units ?? []).slice(group * 30, group * 30 + 30).map(({ data }, index) => {
      const { data: sample, key } = it.take(index === 0 ? Buffer.concat([wrap(...sent, ...sentToo), data]) : data);
      return { duration: 3000, size: sample.length, key, compositionOffset: 0, data: sample };
    });
  });
  t.same([it.changes, it.sets().sps.length, it.sets().pps.length], [2, 2, 2]);
  const init = initSegment({ kind: 'video', codec: 'h264', config: it.config?.config ?? Buffer.alloc(0), timescale: 90_000, width: 320, height: 180 });
  const file = join(scratch, 'two-encoders.mp4');
  await writeFile(file, [init, ...fragment({ sequence: 1, baseDecodeTime: 0, kind: 'video', samples })]);
  t.equal(await decodeErrors(['-xerror', '-err_detect', 'explode', '-i', file]), '');
  const hashes = await run(['-i', file, '-f', 'framehash', '-']);
  t.equal(hashes.toString().split('\n').filter((line) => line.startsWith('0,')).length, 120);
});

t.test('the same of HEVC, and sets of other layers are for nobody', async (t) => {
  const x265 = ['-c:v', 'libx265', '-x265-params', 'log-level=error', '-tag:v', 'hvc1'];
  const first = parseHevcConfig(await boxOf('hvcC', ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30', '-frames:v', '2', ...x265]));
  const hevcPps = (id: number, mark = 0): Buffer => ue(ue(ue(new BitWriter().bits(0x4401, 16), id), 0), mark).bits(1, 1).bytes();
  const slice = Buffer.from('2601afff', 'hex');
  let known: HevcConfig | null = null;
  const take = (...nals: readonly Buffer[]): boolean => {
    const sets = inBandHevcSets(known, normaliseHevc(wrap(...nals, slice)));
    if (sets) known = parseHevcConfig(encodeHevcConfig(sets));
    return sets !== null;
  };
  t.equal(take(...first.vps, ...first.sps, ...first.pps), true);
  t.equal(take(hevcPps(3)), true);
  t.same(known, { ...first, pps: [...first.pps, hevcPps(3)] });
  t.equal(take(...first.pps, hevcPps(3)), false);
  t.equal(take(hevcPps(3, 4)), true);
  t.same(known, { ...first, pps: [...first.pps, hevcPps(3, 4)] });
  t.equal(take(Buffer.from('4209ffff', 'hex'), Buffer.from('4409ff', 'hex')), false);
  t.throws(() => take(hevcPps(64)), { name: 'CodecError' });
  const lost = ue(ue(new BitWriter().bits(0x4401, 16), 5), 9).bits(1, 1).bytes();
  t.equal(take(...first.pps, lost), false, 'a PPS of an SPS that nobody has sent');
  // As `hvcC` of a sender may have them: of another layer, and without a header.
  const layered = Buffer.from('4209ff', 'hex');
  known = { ...first, vps: [...first.vps, Buffer.from('40', 'hex')], sps: [...first.sps, layered, Buffer.alloc(0)], pps: [...first.pps, Buffer.from('4409ff', 'hex')] };
  t.equal(take(...first.sps, ...first.pps), false);
  t.equal(take(hevcPps(3)), true);
  t.same(known, { ...first, pps: [...first.pps, hevcPps(3)] });
});
