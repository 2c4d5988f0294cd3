import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { testFolder } from '../catalog/testing.ts';
import { IntakeFault } from './failures.ts';
import { placeWith, spareBytes } from './place.ts';

const film = Buffer.alloc(100_000, 'a film');
const withRoom = (free: number) => ({ disk: { space: async () => ({ free, total: 2 * free }) } });

t.test('the original is there under its new name without being there twice', async (t) => {
  const folder = await testFolder(t);
  const original = join(folder, 'original');
  await writeFile(original, film);
  const { work } = await placeWith(withRoom(0), join(folder, 'job'), original);
  const [one, other] = await Promise.all([stat(original), stat(join(work, 'input'))]);
  t.equal(other.ino, one.ino);
});

t.test('where it cannot be linked it is copied, when the disk has room for it', async (t) => {
  const folder = await testFolder(t);
  // Memory is another disk, where there is one.
  const elsewhere = await mkdtemp('/dev/shm/millrace-place-').catch(() => null);
  if (elsewhere === null) return void t.pass('this machine has one disk');
  t.teardown(() => rm(elsewhere, { recursive: true, force: true }));
  const original = join(folder, 'original');
  await writeFile(original, film);
  if ((await stat(folder)).dev === (await stat(elsewhere)).dev) return void t.pass('both are one disk');
  const job = join(elsewhere, 'job');
  const lacking = await placeWith(withRoom(spareBytes + film.length - 1), job, original).catch((error: unknown) => error);
  t.ok(lacking instanceof IntakeFault);
  t.match(lacking, { failure: { code: 'no-room' }, recoverable: true });
  const left = await readdir(join(job, 'work'), { withFileTypes: true });
  for (const { name } of left) t.equal((await stat(join(job, 'work', name))).size, 0, 'nothing was written');
  const { work } = await placeWith(withRoom(spareBytes + film.length), job, original);
  t.ok((await readFile(join(work, 'input'))).equals(film));
});
