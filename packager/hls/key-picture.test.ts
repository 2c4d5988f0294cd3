import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { CmafError } from '../cmaf/cmaf-error.ts';
import { fragment, type Sample } from '../cmaf/fragment.ts';
import { readFragments } from '../cmaf/reader.ts';
import { keyPicture } from './key-picture.ts';

const sample = (size: number, key: boolean, compositionOffset: number): Sample => ({ duration: 3000, size, key, compositionOffset, data: Buffer.alloc(size, size) });
const made = (samples: readonly Sample[]): Buffer => Buffer.concat(fragment({ sequence: 7, baseDecodeTime: 90_000, kind: 'video', samples }));

t.test('the first sample alone, at its place, shown when it was shown, for as long as the segment', async (t) => {
  const first = made([sample(500, true, -3000), sample(70, false, 6000), sample(60, false, 0)]);
  const picture = keyPicture(first, 180_000);
  const [facts, ...more] = readFragments(picture);
  t.equal(more.length, 0);
  t.match(facts, { sequence: 7, baseDecodeTime: 90_000, duration: 180_000 });
  t.match(facts?.samples, [{ size: 500, cts: -3000, key: true }]);
  t.equal(facts?.samples.length, 1);
  const [{ offset = 0 } = {}] = facts?.samples ?? [];
  t.ok(picture.subarray(offset).equals(Buffer.alloc(500, 500)));
});

t.test('events ahead of the fragment stay where they are', async (t) => {
  const emsg = Buffer.from('00000010656d73670100000000000000', 'hex');
  t.ok(keyPicture(Buffer.concat([emsg, made([sample(9, true, 0)])]), 1).equals(keyPicture(made([sample(9, true, 0)]), 1)));
});

t.test('what does not begin with a key picture, and what is no fragment, is refused with a code', async (t) => {
  t.throws(() => keyPicture(made([sample(9, false, 0)]), 1), { name: 'CmafError', code: 'invalid' });
  t.throws(() => keyPicture(Buffer.alloc(0), 1), CmafError);
  const good = made([sample(300, true, 0), sample(40, false, 3000)]);
  const random = new Random(3);
  for (let round = 0; round < 20_000; round++) {
    const damaged = Buffer.concat([random.mutate(good.subarray(0, 160)), good.subarray(160)]);
    try {
      keyPicture(damaged, 180_000);
    } catch (error) {
      if (!(error instanceof CmafError)) t.fail(String(error));
    }
  }
});
