import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { LadderShows } from './shows.ts';
import { planRungs } from '../../packager/live/ladder-plan.ts';

type Run = Parameters<LadderShows['add']>[0];
const wishes = [720, 480, 240].map((height) => ({ height, bitRate: 1_000_000, preset: 'veryfast', mostPictures: 30 }));

/** A show of 1080p30 with these rungs. */
const runWith = (...heights: number[]): Run => {
  const rungs = planRungs(wishes, { width: 1920, height: 1080, frameRate: 30, standard: true }).filter(({ height }) => heights.includes(height));
  const tracks = [{ id: 'v0', kind: 'video' }, ...rungs.map((rung, index) => ({ id: `v${index + 1}`, kind: 'video', rung }))];
  const epochs = [{ epoch: 0, codecString: 'avc1.640028', width: 1920, height: 1080 }];
  return { facts: { video: 'video1', tracks, rhythm: { frameRate: 30 } }, snapshot: () => ({ tracks: [{ id: 'v0', kind: 'video', codec: 'h264', epochs }] }) } as unknown as Run;
};

t.test('what is not made is told by heights: shed, or left out when the show began', async (t) => {
  const clock = new FakeClock();
  const shows = new LadderShows(clock, (name, source) => (name === 'source' ? [] : name === 'lost' ? null : planRungs(wishes, source)));
  const state = { encoding: ['v2'], shed: ['v1'], restarts: 0, lagMs: 80.4 };
  shows.add(runWith(480, 240), 'own', { state });
  t.match(shows.of('video1'), { videoId: 'video1', ladder: 'own', encoding: [240], shed: [480], leftOut: [720], restarts: 0, sinceRestartMs: null, lagMs: 80 });

  let cost = 0;
  shows.started('video1', { coreSeconds: () => cost });
  t.equal(shows.of('video1')?.busyCores, null);
  clock.advance(10_000);
  cost = 5;
  t.equal(shows.of('video1')?.busyCores, 0.5);

  shows.changed('video1', state);
  t.equal(shows.of('video1')?.sinceRestartMs, null, 'what was shed is no restart');
  shows.changed('video1', { ...state, restarts: 1 });
  clock.advance(5_000);
  t.equal(shows.of('video1')?.sinceRestartMs, 5_000);
  shows.changed('video1', { ...state, restarts: 1 });
  t.equal(shows.of('video1')?.sinceRestartMs, 5_000);

  shows.add(runWith(), 'own', null);
  t.match(shows.of('video1'), { encoding: [], shed: [], leftOut: [720, 480, 240] }, 'no room for any');
  shows.add(runWith(480), 'auto', { state });
  t.same(shows.of('video1')?.leftOut, [], 'it chooses what fits, and promises nothing else');
  shows.add(runWith(), 'auto', null);
  t.same(shows.of('video1')?.leftOut, [720, 480, 240]);
  t.equal(shows.of('video1')?.gone, false);
  shows.add(runWith(), 'lost', null);
  t.match(shows.of('video1'), { leftOut: [], gone: true }, 'a ladder that nobody knows any more');
  shows.add(runWith(), 'own', null, false);
  t.same(shows.of('video1')?.leftOut, [], 'where nobody could encode, room is not what was missing');
  t.equal(shows.all.length, 1);
  t.equal(shows.restarts, 1, 'of all shows');
  shows.forget('video1');
  t.equal(shows.of('video1'), null);
});
