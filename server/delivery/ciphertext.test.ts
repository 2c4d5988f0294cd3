/** Ciphertext is made once for each file, however many ask and whenever, and lies in a cache that is bounded by bytes. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import t, { type Test } from 'tap';
import { clipFile, clipOf, record } from '../../packager/mpegts/recorded.ts';
import type { Scheme } from '../../packager/protect/keys.ts';
import { recordedPresentation } from './fake-presentation.ts';
import { TestServer } from './test-server.ts';

const recorded = await record([{ clip: await clipOf(await clipFile(10, 'keyint=30:min-keyint=30:scenecut=0:bframes=2')) }]);
const { run } = recorded.snapshot;
const id = 'video-00000004';

/** How often a cipher was begun, by whichever way. */
const counted = (t: Test): { begun: number } => {
  const count = { begun: 0 };
  const { createCipheriv } = crypto;
  const { subtle } = crypto.webcrypto;
  const encrypt = subtle.encrypt.bind(subtle);
  const counting = new Proxy(createCipheriv, {
    apply: (target, self, given) => {
      count.begun += 1;
      return Reflect.apply(target, self, given) as unknown;
    },
  });
  crypto.createCipheriv = counting;
  subtle.encrypt = (...given) => {
    count.begun += 1;
    return encrypt(...given);
  };
  syncBuiltinESMExports();
  t.teardown(() => {
    crypto.createCipheriv = createCipheriv;
    Reflect.deleteProperty(subtle, 'encrypt');
    syncBuiltinESMExports();
  });
  return count;
};

const start = async (t: Test, scheme: Scheme, cacheBytes?: number): Promise<TestServer> => {
  const server = await TestServer.start(cacheBytes === undefined ? {} : { cacheBytes });
  t.teardown(() => server.stop());
  const { snapshot } = recorded;
  server.presentations.videos.set(id, recordedPresentation({ ...recorded, snapshot: { ...snapshot, video: id, policy: { ...snapshot.policy, protection: scheme } } }));
  return server;
};

const below = (...files: string[]): string[] => files.map((file) => `/play/-/${id}/${file}`);
const files = {
  'aes-128': below(`v0/${run}-1.m4s`, `a0/${run}-1.m4s`, `v0/${run}-2-0.m4s`, `v0/${run}-k3.m4s`, `ts/v0/${run}-1.ts`),
  cbcs: below(`v0/${run}-1.m4s`, `a0/${run}-1.m4s`, `v0/${run}-2-0.m4s`, `v0/${run}-k3.m4s`),
} as const;

for (const scheme of ['aes-128', 'cbcs'] as const) {
  t.test(`${scheme}: of a hundred who ask at once for each of ${files[scheme].length} files, and of all who come later, each file is encrypted for one`, async (t) => {
    const server = await start(t, scheme);
    const count = counted(t);
    for (const round of ['cold', 'hot', 'hot again']) {
      for (const file of files[scheme]) {
        const bodies = await Promise.all(Array.from({ length: 100 }, async () => (await server.ask(file)).body));
        const [first] = bodies;
        t.ok(first && first.length > 100 && bodies.every((body) => body.equals(first)), `${file}, ${round}`);
      }
      t.equal(count.begun, files[scheme].length, round);
    }
    t.same(server.errors, []);
  });

  t.test(`${scheme}: what is kept stays within the bytes that it may take, and is the same when it is made again`, async (t) => {
    const [large, small] = [await start(t, scheme), await start(t, scheme, 200_000)];
    const count = counted(t);
    const all = recorded.snapshot.tracks.flatMap(({ id: track, segments }) => segments.map(({ msn }) => below(`${track}/${run}-${msn}.m4s`)[0] ?? ''));
    for (let round = 0; round < 4; round += 1) {
      for (const file of all) {
        const [one, other] = await Promise.all([large.ask(file), small.ask(file)]);
        t.ok(one.status === 200 && one.body.equals(other.body), file);
        t.ok(small.delivery.stats().cache.bytes <= 200_000);
      }
    }
    const { files: kept } = small.delivery.stats().cache;
    t.ok(kept > 0 && kept < all.length, `${kept} of ${all.length} are kept`);
    t.equal(large.delivery.stats().cache.files, all.length);
    t.ok(count.begun > 2 * all.length, 'and what had to go was made again');
  });
}
