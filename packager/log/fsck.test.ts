import t from 'tap';
import { systemClock } from '../clock.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { fsck } from './fsck.ts';
import { MemoryDisk } from './memory-disk.ts';
import { sample } from './sample.ts';
import { written } from './scratch.ts';

const root = '/data/videos';
const log = (disk: MemoryDisk, path: string) =>
  written({ disk, clock: systemClock, folder: `${root}/${path}`, extentBytes: 16_384, stallMs: 60_000, syncEveryMs: 0 }, 20);

t.test('orphans, missing videos and damaged tracks are reported, and nothing is touched', async (t) => {
  const memory = new MemoryDisk();
  for (const path of ['good/v0', 'good/a0', 'torn/v0', 'rotten/v0', 'orphan/v0']) await log(memory, path);
  memory.files.set(`${root}/good/original.mp4`, { bytes: Buffer.alloc(10) });
  const newest = [...memory.files.keys()].filter((path) => path.includes('torn/v0/0')).sort().at(-1) ?? '';
  const tail = memory.files.get(newest);
  if (tail) tail.bytes = Buffer.concat([tail.bytes, Buffer.alloc(99, 1)]);
  const first = memory.files.get(`${root}/rotten/v0/00000.cmaf`);
  if (first) first.bytes[first.bytes.indexOf(sample(2).data) + 5] = (sample(2).data[5] ?? 0) ^ 1;
  const disk = new FaultyDisk(memory);
  const report = await fsck({ disk, folder: root, known: ['good', 'torn', 'rotten', 'lost'], deep: true });
  t.strictSame(report, {
    orphans: ['orphan'],
    missing: ['lost'],
    damaged: [
      { video: 'rotten', track: 'v0', tornBytes: 0, fragments: [2] },
      { video: 'torn', track: 'v0', tornBytes: 99, fragments: [] },
    ],
    tracks: 4,
  });
  t.notOk(disk.log.some((call) => !/^(list|open read|size|read)$/.test(call)));
});

t.test('a track that cannot be read is damaged, and a data folder that is not there has no videos', async (t) => {
  const memory = new MemoryDisk();
  await log(memory, 'a/v0');
  const disk = new FaultyDisk(memory);
  disk.break('EIO', /^read$/);
  t.match(await fsck({ disk, folder: root, known: ['a'] }), { damaged: [{ video: 'a', track: 'v0', error: /EIO/ }] });
  t.match(await fsck({ disk, folder: '/nowhere', known: ['a'] }), { orphans: [], missing: ['a'], damaged: [], tracks: 0 });
});
