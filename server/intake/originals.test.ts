import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fullBox, u32 } from '../../packager/cmaf/box.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { crafted, mediaAt, rows, tablesOf } from '../../packager/mp4/crafted-file.ts';
import { testFolder } from '../catalog/testing.ts';
import { usableOf } from './originals.ts';

const picture = 15 << 20;

/** So many key frames of 15 MiB, all of them the same bytes. */
const heavy = (count: number): Buffer => {
  const tables = tablesOf([], {
    stts: rows('stts', [[count, 10]]),
    stsc: rows('stsc', [[1, 1, 1]]),
    stsz: fullBox('stsz', 0, 0, [u32(picture), u32(count)]),
    stco: rows('stco', Array.from({ length: count }, () => [mediaAt])),
  });
  const file = crafted({ tracks: [{ tables }], media: picture });
  file.writeUInt32BE(100, mediaAt);
  file[mediaAt + 4] = 0x65;
  return file;
};

t.test('a picture that looks as it should and is too heavy to be cut is not shown as it is', async (t) => {
  const path = join(await testFolder(t), 'original');
  await writeFile(path, heavy(4));
  t.match(await usableOf(nodeDisk, path), { hasPicture: true, picture: { id: 1, codec: 'h264' } });
  await writeFile(path, heavy(5));
  t.match(await usableOf(nodeDisk, path), { hasPicture: true, picture: null });
});
