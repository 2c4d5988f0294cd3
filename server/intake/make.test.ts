/** Steps that are done again, because whoever did them was killed before he could say so. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../packager/clock.ts';
import type { Step } from '../../packager/encode/plan.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { someUpload, testCatalog } from '../catalog/testing.ts';
import type { Job } from '../jobs/queue.ts';
import type { MakePayload } from './ground.ts';
import { makeHandler } from './make.ts';
import { noCaptions, nothingBehind, silent } from './testing.ts';

const step = (kind: Step['kind']): Step => ({ kind, picture: null, sounds: [], original: { picture: false, sound: false } });

type Stage = { readonly catalog: Catalog; readonly video: string; readonly home: string; again(kinds: readonly Step['kind'][], otherwise?: readonly Step[], meanwhile?: (job: Job) => Promise<unknown>): Promise<unknown> };

/** Where nothing can be made: whoever tries to fails. */
const stageIn = async (t: Test, state: 'processing' | 'playable'): Promise<Stage> => {
  const { catalog, folder } = await testCatalog(t, { clock: systemClock });
  const video = await someUpload(catalog);
  await catalog.videos.become(video, ['uploading'], { state });
  const home = join(folder, 'videos', video);
  await mkdir(join(home, 'v1abcdefg'), { recursive: true });
  const handler = makeHandler({ catalog, clock: systemClock, log: silent, disk: nodeDisk, folder: join(folder, 'videos'), sandbox: Promise.resolve('nothing is made here'), outdated: () => undefined, captions: noCaptions, behind: nothingBehind, tell: () => undefined });
  return {
    ...{ catalog, video, home },
    async again(kinds, otherwise = [], meanwhile = async () => undefined) {
      const payload: MakePayload = { video, container: 'matroska', duration: 1, steps: kinds.map(step), otherwise, isOtherwise: false, kept: null };
      const { job }: { job: Job } = await catalog.jobs.enqueue({ key: `${kinds[0]}:${video}`, class: 'first', kind: 'make', payload, priority: 100 });
      await catalog.jobs.lease(['first'], 'the test', 60_000);
      await meanwhile(job);
      return handler(job, { signal: new AbortController().signal, folder: join(folder, 'jobs', job.id), cores: 1, holds: async () => true, progress: () => undefined });
    },
  };
};

t.test('what is shown already is not made again, and the step behind it is queued now', async (t) => {
  const { catalog, video, home, again } = await stageIn(t, 'playable');
  await again(['lowest', 'mezzanine']);
  t.match(await catalog.jobs.byKey(`mezzanine:${video}`), { state: 'queued', class: 'rest', payload: { steps: [{ kind: 'mezzanine' }] } });
  t.same(await readdir(home), ['v1abcdefg'], 'nothing of it is swept away');
});

t.test('what is cancelled in its last moment begins nothing more', async (t) => {
  const { catalog, video, again } = await stageIn(t, 'playable');
  await again(['lowest', 'mezzanine'], [], ({ id }) => catalog.jobs.cancel(id));
  t.equal(await catalog.jobs.byKey(`mezzanine:${video}`), null);
});

t.test('a remux that has handed its tracks on leaves them alone', async (t) => {
  const { catalog, video, home, again } = await stageIn(t, 'processing');
  const lowest = { video, container: 'matroska', duration: 1, steps: [step('lowest')], otherwise: [], isOtherwise: false, kept: null } as const;
  await catalog.jobs.enqueue({ key: `lowest:${video}`, class: 'first', kind: 'make', payload: lowest });
  await again(['remux', 'lowest']);
  t.same(await readdir(home), ['v1abcdefg']);
});

t.test('what is done in its place has the folder to itself', async (t) => {
  const { catalog, video, home, again } = await stageIn(t, 'processing');
  const instead = [step('lowest'), step('mezzanine')];
  const payload: MakePayload = { video, container: 'matroska', duration: 1, steps: instead, otherwise: [], isOtherwise: true, kept: null };
  await catalog.jobs.enqueue({ key: `lowest-otherwise:${video}`, class: 'first', kind: 'make', payload });
  await again(['lowest'], instead);
  t.same(await readdir(home), ['v1abcdefg']);
});

t.test('one that was killed before that begins anew', async (t) => {
  const { home, again } = await stageIn(t, 'processing');
  await t.rejects(again(['remux', 'lowest']), /nothing is made here/);
  t.same(await readdir(home), []);
});
