import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { newId } from '../catalog/ids.ts';
import type { MediaSecretStore } from '../catalog/media-secrets.ts';
import { someUpload, testCatalog } from '../catalog/testing.ts';
import { InternalKeys, mostRings } from './internal-keys.ts';

t.test('the keys of a video are the same for all who ask at once, later, and after a restart with other settings', async (t) => {
  const { catalog } = await testCatalog(t);
  const [video, other] = [await someUpload(catalog), await someUpload(catalog)];
  const keys = new InternalKeys({ secrets: catalog.mediaSecrets, segmentsPerKey: 7 });
  const [one, two] = await Promise.all([keys.ringOf(video), keys.ringOf(video)]);
  t.equal(one, two);
  t.equal(keys.ringOf(video), one, 'at once, the next time');
  t.not((await keys.ringOf(other)).key(0).key.toString('hex'), one.key(0).key.toString('hex'));
  // Two that do not know of each other, as in a race.
  const rings = await Promise.all([1, 2, 3].map((segmentsPerKey) => new InternalKeys({ secrets: catalog.mediaSecrets, segmentsPerKey }).ringOf(video)));
  for (const ring of rings) {
    t.equal(ring.segmentsPerKey, 7);
    t.same(ring.key(3), one.key(3));
  }
});

t.test('of a race for the first keys of a video all get the same', async (t) => {
  const { catalog } = await testCatalog(t);
  const id = await someUpload(catalog);
  const rings = await Promise.all(Array.from({ length: 8 }, (_, n) => new InternalKeys({ secrets: catalog.mediaSecrets, segmentsPerKey: n + 1 }).ringOf(id)));
  t.equal(new Set(rings.map((ring) => ring.key(0).key.toString('hex'))).size, 1);
  t.equal(new Set(rings.map(({ segmentsPerKey }) => segmentsPerKey)).size, 1);
});

t.test('nothing on the disk holds a secret that opens without the master key, and it goes with its video', async (t) => {
  const { catalog } = await testCatalog(t);
  const id = await someUpload(catalog);
  const fresh = { secret: Buffer.alloc(32, 'a secret of media'), segmentsPerKey: 7 };
  t.same(await catalog.mediaSecrets.keep(id, fresh), fresh);
  t.same(await catalog.mediaSecrets.keep(id, { secret: Buffer.alloc(32), segmentsPerKey: 1 }), fresh);
  const copy = join(catalog.folder, 'copy.db');
  await catalog.backup(copy);
  const bytes = await readFile(copy);
  t.ok(bytes.includes('mediaSecrets'));
  for (const text of [fresh.secret, fresh.secret.toString('base64url').slice(0, 20), fresh.secret.toString('hex').slice(0, 20)]) t.notOk(bytes.includes(text));
  await catalog.videos.remove(id);
  await t.rejects(catalog.mediaSecrets.keep(id, fresh), /no video/);
});

t.test('what cannot be read is asked for again, and memory is bounded', async (t) => {
  let fault: Error | null = new Error('the catalog does not answer');
  const secrets: MediaSecretStore = {
    async keep(_video, fresh) {
      if (fault) throw fault;
      return fresh;
    },
  };
  const keys = new InternalKeys({ secrets, segmentsPerKey: 1 });
  await t.rejects(Promise.resolve(keys.ringOf('video')), /does not answer/);
  fault = null;
  const first = await keys.ringOf('video');
  for (let n = 0; n < mostRings - 1; n += 1) await keys.ringOf(newId());
  t.equal(keys.ringOf('video'), first);
  for (let n = 0; n < mostRings - 1; n += 1) await keys.ringOf(newId());
  t.equal(keys.kept, mostRings);
  t.equal(keys.ringOf('video'), first, 'what is used stays');
});
