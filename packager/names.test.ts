import t from 'tap';
import { captionsName, initName, keyName, parseMediaName, partName, segmentName, type MediaName } from './names.ts';

const run = 'k3v9x0a2b7';

const spelt = (name: MediaName): string => {
  switch (name.kind) {
    case 'segment':
      return segmentName(name.run, name.msn);
    case 'part':
      return partName(name.run, name.msn, name.part);
    case 'init':
      return initName(name.run, name.epoch, name.slot);
    case 'key':
      return keyName(name.run, name.msn);
    case 'captions':
      return captionsName(name.run, name.msn);
  }
};

t.test('what is made can be parsed, and says the same', async (t) => {
  for (const msn of [0, 7, 4_294_967_295]) {
    t.same(parseMediaName(segmentName(run, msn)), { kind: 'segment', run, msn });
    t.same(parseMediaName(keyName(run, msn)), { kind: 'key', run, msn });
    t.same(parseMediaName(captionsName(run, msn)), { kind: 'captions', run, msn });
    for (const part of [0, 12, 99_999]) t.same(parseMediaName(partName(run, msn, part)), { kind: 'part', run, msn, part });
  }
  t.same(parseMediaName(initName(run, 31)), { kind: 'init', run, epoch: 31, slot: null });
  for (const slot of [0, 12, 4_294_967_295]) t.same(parseMediaName(initName(run, 31, slot)), { kind: 'init', run, epoch: 31, slot });
});

t.test('one object has one name: other spellings are nothing', async (t) => {
  const wrong = [
    '', '.', '..', 'index.m3u8', run, `${run}-`, `${run}-1`, `${run}-1.mp4`, `${run}-k1.vtt`, `${run}-k1-0.m4s`, `${run}-1-0.vtt`, `${run}-k01.m4s`, `${run}-k.m4s`, `${run}-i1.m4s`, `${run}-01.m4s`, `${run}-1-00.m4s`,
    `${run}--1.m4s`, `${run}-+1.m4s`, `${run}-1e3.m4s`, `${run}-0x1.m4s`, `${run}-1-2-3.m4s`, `${run}-1.m4s\n`, ` ${run}-1.m4s`,
    `${run}-12345678901.m4s`, `${run}-1-123456.m4s`, `${run}-i1234567.mp4`, `${run}-i1-.mp4`, `${run}-i1-01.mp4`, `${run}-i1-2-3.mp4`, `${run}-i1-12345678901.mp4`, `${run.toUpperCase()}-1.m4s`, 'short-1.m4s',
    `${'a'.repeat(33)}-1.m4s`, `${run}%2d1.m4s`, `../${run}-1.m4s`, `${run}-１.m4s`, `${run}-1.m4s\0`, 'a'.repeat(100_000),
  ];
  for (const name of wrong) t.equal(parseMediaName(name), null, JSON.stringify(name.slice(0, 60)));
});

t.test('100,000 random and mutated names never throw, and what parses is spelt exactly so', async (t) => {
  let state = 0x9e3779b9;
  const random = (below: number): number => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state % below;
  };
  const alphabet = '-.0123456789abcikm4sptv%/\\A\0é ';
  let parsed = 0;
  for (let round = 0; round < 100_000; round++) {
    const made = [segmentName(run, random(1e6)), partName(run, random(1e6), random(100)), initName(run, random(50)), keyName(run, random(1e6)), captionsName(run, random(1e6))][random(5)] ?? '';
    const at = random(made.length);
    const name = random(4) === 0 ? made : made.slice(0, at) + (alphabet[random(alphabet.length)] ?? '') + made.slice(at + random(2));
    const found = parseMediaName(name);
    if (!found) continue;
    parsed++;
    const again = spelt(found);
    if (again !== name) t.fail(`${JSON.stringify(name)} was read as ${again}`);
  }
  t.ok(parsed > 20_000 && parsed < 100_000, `${parsed} parsed`);
});
