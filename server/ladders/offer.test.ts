import t from 'tap';
import type { CoreCost } from '../../packager/live/ladder-cost.ts';
import { offerOf } from './offer.ts';

/** Seconds of a core for a million pixels: reading 1080p30 is 0.31 cores, and 0.06 for each rung; 720p30 is 0.59, 480p30 0.29. */
const cost: CoreCost = { decode: 0.005, scale: 0.001, encode: { veryfast: 0.02 } };
const rung = (height: number) => ({ height, bitRate: 1_000_000, preset: 'veryfast', mostPictures: 30 });

t.test('a ladder says what it takes, and how much of it there will be', async (t) => {
  const wishes = [rung(720), rung(480)];
  t.match(offerOf('own', wishes, 4, cost), { name: 'own', rungs: wishes, cores: 1.32, carried: 2 });
  t.match(offerOf('own', wishes, 1, cost), { cores: 1.32, carried: 1 });
  t.match(offerOf('own', wishes, 0.2, cost), { carried: 0 });
  t.match(offerOf('own', wishes, 4, null), { rungs: wishes, cores: null, carried: null });
  t.match(offerOf('source', [], 4, cost), { rungs: [], cores: 0, carried: 0 });
});

t.test('auto says what it would choose here', async (t) => {
  t.same(offerOf('auto', null, 4, cost).rungs.map(({ height }) => height), [720, 480, 360, 240]);
  const small = offerOf('auto', null, 0.85, cost);
  t.same(small.rungs.map(({ height }) => height), [480, 240]);
  t.equal(small.carried, 2);
  t.ok((small.cores ?? 9) <= 0.85);
  t.match(offerOf('auto', null, 4, null), { rungs: [], cores: null });
});
