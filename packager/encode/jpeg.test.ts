import t from 'tap';
import { run } from '../../test/support/encoded.ts';
import { Random } from '../../test/support/random.ts';
import { readJpeg } from './jpeg.ts';

const made = await run(['-f', 'lavfi', '-i', 'testsrc2=size=48x30', '-frames:v', '1', '-f', 'mjpeg', 'pipe:1']);

t.test('a JPEG says how large it is', async (t) => {
  t.match(readJpeg(made), { width: 48, height: 30, bytes: made });
});

t.test('what is none, or not all of one, is nothing', async (t) => {
  for (const bytes of [Buffer.alloc(0), Buffer.from([0xff, 0xd8]), Buffer.from([0xff, 0xd8, 0xff, 0xd9]), Buffer.from('GIF89a......'), made.subarray(0, -1), made.subarray(2), Buffer.concat([made, made.subarray(0, 9)])]) {
    t.equal(readJpeg(bytes), null);
  }
});

t.test('no bytes at all make it throw', async (t) => {
  const random = new Random(1);
  let read = 0;
  for (let count = 0; count < 20_000; count += 1) if (readJpeg(count % 2 ? random.mutate(made) : Buffer.concat([made.subarray(0, random.below(40)), random.bytes(random.below(64)), made.subarray(-2)]))) read += 1;
  t.ok(read > 100 && read < 15_000, `${read} were still JPEGs`);
});
