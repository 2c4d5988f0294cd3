import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { newId } from '../catalog/ids.ts';
import type { MediaSecretStore } from '../catalog/media-secrets.ts';
import { someUpload, testCatalog } from '../catalog/testing.ts';
import { FakeClock } from '../../packager/clock.ts';
import { internalKeys, type InternalKeysOptions } from './internal-keys.ts';
import { KeyRings, mostRings } from './rings.ts';

const clock = new FakeClock();
const ringsOf = (options: InternalKeysOptions, failed: (video: string) => void = () => undefined): KeyRings => new KeyRings({ source: internalKeys(options), clock, failed });

t.test('the keys of a video are the same for all who ask at once, later, and after a restart with other settings', async (t) => {
  const { catalog } = await testCatalog(t);
  const [video, other] = [await someUpload(catalog), await someUpload(catalog)];
  const keys = ringsOf({ secrets: catalog.mediaSecrets, segmentsPerKey: 7 });
  const [one, two] = await Promise.all([keys.ringOf(video), keys.ringOf(video)]);
  t.equal(one, two);
  t.equal(keys.ringOf(video), one, 'at once, the next time');
  t.not((await keys.ringOf(other)).key(0).key.toString('hex'), one.key(0).key.toString('hex'));
  // Two that do not know of each other, as in a race.
  const rings = await Promise.all([1, 2, 3].map((segmentsPerKey) => ringsOf({ secrets: catalog.mediaSecrets, segmentsPerKey }).ringOf(video)));
  for (const ring of rings) {
    t.equal(ring.segmentsPerKey, 7);
    t.same(ring.key(3), one.key(3));
  }
});

t.test('of a race for the first keys of a video all get the same', async (t) => {
  const { catalog } = await testCatalog(t);
  const id = await someUpload(catalog);
  const rings = await Promise.all(Array.from({ length: 8 }, (_, n) => ringsOf({ secrets: catalog.mediaSecrets, segmentsPerKey: n + 1 }).ringOf(id)));
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

t.test('what cannot be read is asked for again, a few times at once and then after a rest, and memory is bounded', async (t) => {
  let fault: Error | null = new Error('the catalog does not answer');
  let asked = 0;
  const secrets: MediaSecretStore = {
    async keep(_video, fresh) {
      asked += 1;
      if (fault) throw fault;
      return fresh;
    },
  };
  const told: string[] = [];
  const keys = ringsOf({ secrets, segmentsPerKey: 1 }, (video) => told.push(video));
  const first = async (): Promise<unknown> => {
    const opening = Promise.resolve(keys.ringOf('video')).catch((error: unknown) => error);
    let done = false;
    void opening.then(() => (done = true));
    // Pauses between tries: time goes on as long as somebody waits for it.
    while (!done) {
      await new Promise((turn) => setImmediate(turn));
      clock.advance(100);
    }
    return opening;
  };
  t.match(await first(), { code: 'failed', cause: { message: /does not answer/ } });
  t.equal(asked, 3);
  t.match(await first(), { code: 'failed' });
  t.equal(asked, 3, 'not again so soon');
  clock.advance(5000);
  t.match(await first(), { code: 'failed' });
  t.equal(asked, 6);
  t.same(told, ['video'], 'and the operator is told once');
  fault = null;
  clock.advance(5000);
  const ring = await first();
  for (let n = 0; n < mostRings - 1; n += 1) await keys.ringOf(newId());
  t.equal(keys.ringOf('video'), ring);
  for (let n = 0; n < mostRings - 1; n += 1) await keys.ringOf(newId());
  t.equal(keys.kept, mostRings);
  t.equal(keys.ringOf('video'), ring, 'what is used stays');
});
