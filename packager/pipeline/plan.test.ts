import t, { type Test } from 'tap';
import { plan, type PipelineFacts, type PlannedJob } from './plan.ts';
import { contradictionOf, makesTracks, type Pipeline, type Task } from './spec.ts';
import { facts, joined, picture, soundPlace, standardLadder, task, there, usualPipeline, watermark } from './testing.ts';
import type { EncodeWork, JoinWork, ListSoundWork, PicturesWork } from './work.ts';

const works = <Work>(jobs: readonly PlannedJob[], kind: PlannedJob['kind']): (PlannedJob & { payload: Work })[] => jobs.filter((job) => job.kind === kind) as (PlannedJob & { payload: Work })[];
/** `720p 30 × 3`: each task's rungs, and of how many chunks. */
const encodes = (jobs: readonly PlannedJob[]): Record<string, string> =>
  Object.fromEntries(works<EncodeWork>(jobs, 'encode').map(({ task, payload }) => [task, payload.rungs.map(({ name }) => name).join(' ')]));
const joins = (jobs: readonly PlannedJob[]): string[] => works<JoinWork>(jobs, 'join').map(({ payload }) => payload.rung.name);

/** What holds for every plan. */
const holds = (t: Test, jobs: readonly PlannedJob[]): void => {
  const seen = new Set<string>();
  for (const { key, needs } of jobs) {
    t.notOk(seen.has(key), `${key} is there once`);
    // Each stands behind what it needs: so all of that is there, and nothing goes round in a circle.
    for (const need of needs) if (!seen.has(need)) t.fail(`${key} needs ${need}, which is not ahead of it`);
    seen.add(key);
  }
  for (const { payload, needs } of works<JoinWork>(jobs, 'join')) {
    const { rung, chunks, work } = payload;
    const addresses = works<EncodeWork>(jobs, 'encode').filter(({ key }) => needs.includes(key)).map((job) => job.payload);
    t.same(addresses, chunks.map((range) => ({ ...work, ...range })), `${rung.name} waits for each chunk of itself`);
    t.ok(work.rungs.some(({ name }) => name === rung.name));
  }
  const lowest = jobs.filter(({ task }) => task.startsWith('lowest'));
  const others = works<EncodeWork>(jobs, 'encode').filter(({ task }) => task === 'others');
  for (const job of lowest) for (const other of others) if (job.priority <= other.priority) t.fail(`${job.key} is no more urgent than ${other.key}`);
};

const planned = (t: Test, more: Partial<PipelineFacts> = {}, pipeline: Pipeline = usualPipeline()): readonly PlannedJob[] => {
  const jobs = plan(pipeline, facts(more));
  holds(t, jobs);
  t.same(plan(pipeline, facts(more)), jobs, 'the same again');
  return jobs;
};

t.test('a film of 1080 lines gets the whole ladder, the lowest rung alone and ahead of all others', async (t) => {
  const jobs = planned(t);
  t.same(encodes(jobs), { lowest: '240p', others: '360p 480p 720p' });
  t.same(joins(jobs), ['240p', '360p', '480p', '720p']);
  const [first] = works<EncodeWork>(jobs, 'encode');
  t.match(first, { class: 'encode', priority: 60, maxAttempts: 4, weight: 30, videoId: 'film', needs: [] });
  t.match(first?.payload, { video: 'film', version: 'one', epoch: 0, from: 0, to: 15, watermark: null, source: { kind: 'original', path: 'original', track: 1 } });
  t.match(works(jobs, 'join')[0], { class: 'light', maxAttempts: 4 });
  t.equal(works(jobs, 'encode').at(-1)?.weight, 60, 'three rungs of 20 s');
  t.same(works<JoinWork>(jobs, 'join').map(({ payload }) => payload.isSpare), [false, true, true, true], 'what nobody asks for may go, but for the lowest');
  t.same(works(jobs, 'sound'), [], 'AAC that everybody takes is shared');
});

t.test('pictures are made of the lowest rung when it is there, and posters of what is sharper', async (t) => {
  const jobs = planned(t);
  const lowest = works<JoinWork>(jobs, 'join').find(({ payload }) => payload.rung.name === '240p');
  for (const kind of ['storyboard', 'posters', 'preview'] as const) {
    const [made] = works<PicturesWork>(jobs, kind);
    t.same(made?.needs, [lowest?.key], kind);
    t.match(made, { class: 'picture', priority: 40, payload: { kind, source: { kind: 'log', folder: lowest?.payload.track }, best: { kind: 'original', path: 'original' } } });
    const keep = jobs.find(({ payload }) => 'of' in payload && payload.of === made?.key);
    t.match(keep, { kind: 'keep-pictures', class: 'light', needs: [made?.key], task: kind }, 'and the catalog is told of it');
  }
  t.match(works(planned(t, { ladder: [] }), 'posters')[0], { needs: [], payload: { source: { kind: 'original' }, best: null } }, 'without a ladder, of the best');
  t.match(works(planned(t, { ladder: [], picture: picture({ treatment: { deinterlace: true, toneMap: null } }), there: [there(360)] }), 'posters')[0], { payload: { source: { folder: 'v360' }, best: null } }, 'what has to be treated is no poster');
});

t.test('pictures that are there are not made again, but when something else is shown', async (t) => {
  const of = (cut: number | null, version = 'one'): PipelineFacts['pictured'] => {
    const all = { version, inMs: cut, outMs: null };
    return { storyboard: all, posters: all, preview: null };
  };
  const kinds = (more: Partial<PipelineFacts>): string[] => planned(t, more).filter(({ payload }) => 'best' in payload).map(({ kind }) => kind);
  t.same(kinds({ pictured: of(null) }), ['preview']);
  t.same(kinds({ pictured: of(null), inMs: 5_000 }), ['storyboard', 'posters', 'preview']);
  const keys = (more: Partial<PipelineFacts>): string[] => works(planned(t, more), 'posters').map(({ key }) => key);
  const all = [keys({}), keys({ pictured: of(null), inMs: 5_000 }), keys({ pictured: of(5_000, 'two') })].flat();
  t.equal(new Set(all).size, 3, 'and again when that is taken back');
  t.same(keys({ pictured: of(5_000, 'two') }), all.slice(2));
});

t.test('pictures are made of a rung that is there under the name that it has', async (t) => {
  const pipeline: Pipeline = { name: 'own', tasks: [task('every', { kind: 'encode', rungs: 'all' }), task('tracks', { kind: 'join' }, ['every']), task('posters', { kind: 'posters', count: 6 }, ['tracks'])] };
  const [lowest] = joined(planned(t, {}, pipeline));
  const anew = planned(t, { turn: 1, there: lowest ? [lowest] : [], inMs: 5_000 }, pipeline);
  t.same(joins(anew), ['360p', '480p', '720p'], 'the others were dropped');
  t.match(works(anew, 'posters')[0], { payload: { source: { kind: 'log', folder: lowest?.track } } });
});

const portrait = { width: 1080, height: 1920 };
const table: Readonly<Record<string, { readonly picture?: Parameters<typeof picture>[0]; readonly more?: Partial<PipelineFacts>; readonly rungs: Record<string, string> }>> = {
  '720 lines': { picture: { width: 1280, height: 720 }, rungs: { lowest: '240p', others: '360p 480p' } },
  '240 lines': { picture: { width: 426, height: 240 }, rungs: {} },
  '300 lines': { picture: { width: 400, height: 300 }, rungs: { lowest: '240p' } },
  upright: { picture: portrait, rungs: { lowest: '240p', others: '360p 480p 720p' } },
  '4K': { picture: { width: 3840, height: 2160 }, rungs: { lowest: '240p', others: '360p 480p 720p' } },
  'no ladder': { more: { ladder: [] }, rungs: {} },
  'HEVC of 1080 lines': { picture: { standard: false }, rungs: { lowest: '240p', others: '360p 480p 720p' } },
  'HEVC of 480 lines': { picture: { width: 854, height: 480, standard: false }, rungs: { lowest: '240p', others: '360p 480p' } },
  'HEVC with the rung that made it playable': { picture: { standard: false }, more: { there: [there(360)] }, rungs: { lowest: '240p', others: '480p 720p' } },
  'what was made by a rung of 360 lines': { more: { there: [there(360)] }, rungs: { lowest: '240p', others: '480p 720p' } },
  'a ladder whose lowest rung is there': { more: { ladder: standardLadder.filter(({ height }) => height >= 360), there: [there(360)] }, rungs: { others: '480p 720p' } },
  'a recording without rungs': { picture: { source: { kind: 'log', folder: 'v0' } }, more: { mayHaveTexts: false }, rungs: { lowest: '240p', others: '360p 480p 720p' } },
  'a recording with all of them': { more: { there: [720, 480, 360, 240].map((height) => there(height)) }, rungs: {} },
  'a recording with some': { more: { there: [there(720), there(360)] }, rungs: { lowest: '240p', others: '480p' } },
  'nobody has asked for it yet': { more: { rungs: 'lowest' }, rungs: { lowest: '240p' } },
  'only sound': { more: { picture: null }, rungs: {} },
};

t.test('which rungs', async (t) => {
  for (const [name, row] of Object.entries(table)) {
    const jobs = planned(t, { ...(row.picture && { picture: picture(row.picture) }), ...row.more });
    t.same(encodes(jobs), row.rungs, name);
  }
});

t.test('what a rung is encoded with: its size, a quality, and at the most what the ladder says', async (t) => {
  const rungsOf = (jobs: readonly PlannedJob[]) => works<JoinWork>(jobs, 'join').map(({ payload }) => payload.rung);
  t.same(rungsOf(planned(t)), [
    { name: '240p', width: 426, height: 240, crf: 24, maxRate: 350_000, preset: 'veryfast', level: 21 },
    { name: '360p', width: 640, height: 360, crf: 24, maxRate: 700_000, preset: 'veryfast', level: 30 },
    { name: '480p', width: 854, height: 480, crf: 23, maxRate: 1_100_000, preset: 'veryfast', level: 31 },
    { name: '720p', width: 1280, height: 720, crf: 22, maxRate: 2_500_000, preset: 'veryfast', level: 31 },
  ]);
  t.match(rungsOf(planned(t, { picture: picture({ frameRate: 59.94 }) })).at(-1), { maxRate: 3_750_000, level: 32 }, 'every picture of 60 a second is kept, with half as many bits again');
  t.match(rungsOf(planned(t, { picture: picture(portrait) })).at(-1), { name: '720p', width: 720, height: 1280 });
  t.match(rungsOf(planned(t, { picture: picture({ width: 854, height: 480, standard: false }) })).at(-1), { name: '480p', width: 854, height: 480, maxRate: 1_100_000 }, 'its own size has the rate of its size');
});

t.test('sound that not all take is encoded, once a track', async (t) => {
  const make = { channels: 2, sampleRate: 48_000, bitRate: 128_000 } as const;
  const sounds = ['a0', 'a1', 'a2'].map((track, index) => ({ track, source: { kind: 'log', folder: track } as const, place: soundPlace, make: index === 1 ? null : make }));
  const jobs = works(planned(t, { sounds }), 'sound');
  t.match(jobs, [{ priority: 50, class: 'encode', payload: { make, source: { folder: 'a0' }, place: soundPlace } }, { payload: { source: { folder: 'a2' } } }]);
  const lists = works<ListSoundWork>(planned(t, { sounds }), 'list-sound');
  t.match(lists, jobs.map(({ key }, index) => ({ class: 'light', priority: 50, needs: [key], payload: { of: key, replaces: ['a0', 'a2'][index] } })));
  t.equal(new Set(lists.map(({ payload }) => payload.track)).size, 2);
  t.ok(makesTracks('list-sound'), 'a video is ready when it is listed');
  t.same(planned(t, { picture: null, sounds }).map(({ kind }) => kind), ['sound', 'list-sound', 'sound', 'list-sound', 'texts']);
  const elsewhere = sounds.map((sound) => ({ ...sound, place: { ...soundPlace, lead: null } }));
  t.same(planned(t, { sounds: elsewhere }).map(({ key }) => key), planned(t, { sounds }).map(({ key }) => key), 'what its segments are taken from makes no other job of it');
});

t.test('rungs of a show that are full of holes are made anew, and take the place of the old ones', async (t) => {
  const jobs = planned(t, { there: [there(720, { isWhole: false }), there(480), there(240, { isWhole: false })] });
  t.same(encodes(jobs), { lowest: '240p', others: '360p 720p' });
  t.same(works<JoinWork>(jobs, 'join').map(({ payload }) => payload.replaces), [['v240'], [], ['v720']]);
});

t.test('a watermark is in every picture: what has none goes when the largest that has one is there', async (t) => {
  const jobs = planned(t, { there: [there(360)] }, usualPipeline(true));
  t.same(encodes(jobs), { lowest: '240p', others: '360p 480p 720p 1080p' });
  const [mark] = works(jobs, 'watermark');
  const payload = works<EncodeWork>(jobs, 'encode').map((job) => job.payload);
  t.ok(works(jobs, 'encode').every(({ needs }) => needs.includes(mark?.key ?? '')), 'every chunk waits for the image');
  t.ok(payload.every(({ watermark: one }) => one?.path === 'watermark-abababababababab.png' && one.place === 'top-right' && one.opacity === 0.6));
  t.match(mark?.payload, { path: 'watermark-abababababababab.png', image: { path: '/etc/millrace/mark.png' } });
  t.same(works<JoinWork>(jobs, 'join').map((job) => [job.payload.rung.name, job.payload.replaces]), [['240p', []], ['360p', ['v360']], ['480p', []], ['720p', []], ['1080p', ['v0', 'v360']]]);
  const [last, ...before] = works<JoinWork>(jobs, 'join').toReversed();
  t.ok(before.every(({ key }) => last?.needs.includes(key)), 'so that comes last');
  t.ok(works<JoinWork>(jobs, 'join').every((job) => !job.payload.isSpare), 'and none of them can be made again');
  const own = there(1080, { track: last?.payload.track ?? '' });
  t.same(encodes(planned(t, { picture: picture({ track: own.track, source: own.source }), there: [there(480)] }, usualPipeline(true))), {}, 'nor is it given a second one');
  t.match(works(jobs, 'posters')[0], { payload: { best: null } }, 'and it is in the posters');
  t.same(works(planned(t, { ladder: [] }, usualPipeline(true)), 'watermark'), [], 'without rungs nobody carries it');

  const rest: readonly Task[] = [task('mark', watermark), task('lowest', { kind: 'encode', rungs: 'lowest' }, ['mark']), task('others', { kind: 'encode', rungs: 'others' }, ['mark'])];
  for (const needs of [['lowest', 'others'], ['others', 'lowest']]) {
    const pipeline: Pipeline = { name: 'own', tasks: [...rest, task('tracks', { kind: 'join' }, needs)] };
    t.equal(contradictionOf(pipeline), null);
    const together = works<JoinWork>(planned(t, {}, pipeline), 'join');
    const own = together.find(({ payload: { replaces } }) => replaces.includes('v0'));
    const keys = together.filter((job) => job !== own).map(({ key }) => key);
    t.same([own?.payload.rung.name, keys.length, keys.filter((key) => !own?.needs.includes(key))], ['1080p', 4, []], `with one task that joins all (${needs.join(', ')}), too`);
  }

  const one: Pipeline = { name: 'own', tasks: [task('mark', watermark), task('every', { kind: 'encode', rungs: 'all' }, ['mark']), task('tracks', { kind: 'join' }, ['every'])] };
  const small = planned(t, { picture: picture({ width: 426, height: 240 }) }, one);
  t.same(encodes(small), { every: '240p' }, 'its own size also where that is no larger than any rung');
  t.match(works<JoinWork>(small, 'join')[0]?.payload, { replaces: ['v0'], rung: { maxRate: 350_000 } });
});

t.test('whoever plans again queues nothing twice, however far it is', async (t) => {
  const all = planned(t);
  const tracks = joined(all);
  for (const some of [tracks.slice(0, 1), tracks.slice(0, 2), tracks.slice(1, 3)]) {
    const again = planned(t, { there: some });
    t.same(again.filter(({ key }) => !all.some((job) => job.key === key)), [], `${some.length} are there`);
    t.same(joins(again).length, 4 - some.length);
  }
  const done = planned(t, { there: tracks });
  t.same(done.filter(({ kind }) => makesTracks(kind)), [], 'all of them are there');
  const keys = (more: Partial<PipelineFacts>): string[] => planned(t, more).map(({ key }) => key);
  const asked = keys({ there: tracks.slice(0, 1) });
  t.same(keys({ rungs: 'lowest' }).filter((key) => !all.some((job) => job.key === key)), [], 'what is made before anybody asks is part of it');
  t.ok(asked.every((key) => all.some((job) => job.key === key)));
  const known = new Set(all.map(({ key }) => key));
  const anew = (more: Partial<PipelineFacts>): string[] => [...new Set(planned(t, more).filter(({ key }) => !known.has(key)).map(({ kind }) => kind))];
  t.same(anew({ version: 'two' }), ['encode', 'join', 'storyboard', 'keep-pictures', 'posters', 'preview', 'texts'], 'another original');
  t.same(anew({ turn: 1 }), ['encode', 'join'], 'they have been dropped');
  t.same(anew({ ladder: standardLadder.filter(({ height }) => height !== 480) }), ['encode', 'join'], 'another ladder: the others are made together');
  const before = new Set(works<JoinWork>(all, 'join').map(({ payload }) => payload.track));
  t.notOk(works<JoinWork>(planned(t, { turn: 1 }), 'join').some(({ payload }) => before.has(payload.track)), 'and what is made anew is never mistaken for what was there');
  t.same(encodes(planned(t, { turn: 2, there: tracks.slice(0, 1) }, usualPipeline())), { others: '360p 480p 720p' }, 'what was not dropped stays');
  const marked = joined(planned(t, {}, usualPipeline(true)));
  t.same(encodes(planned(t, { turn: 2, there: marked.slice(0, 1) }, usualPipeline(true))), { others: '360p 480p 720p 1080p' }, 'with a watermark too');
  t.ok([...before].every((track) => /^v[0-9a-z]{12}$/.test(track)));
});

t.test('a task with nothing to do keeps nobody waiting, and holds nobody off what it waits for', async (t) => {
  const tasks = [task('mark', watermark), task('lowest', { kind: 'encode', rungs: 'lowest' }, ['mark']), task('low', { kind: 'join' }, ['lowest']), task('sound', { kind: 'sound' }, ['low']), task('texts', { kind: 'texts' }, ['sound'])];
  const jobs = planned(t, {}, { name: 'own', tasks });
  const [low] = works(jobs, 'join');
  t.same(works(jobs, 'texts')[0]?.needs, [low?.key], 'there is no sound to be made: what it needs is waited for');
});

t.test('chunks of tasks that need each other wait chunk for chunk', async (t) => {
  const tasks = [...usualPipeline().tasks.filter(({ name }) => name !== 'others'), task('others', { kind: 'encode', rungs: 'others' }, ['lowest'])];
  const jobs = planned(t, {}, { name: 'own', tasks });
  const others = jobs.filter(({ task: name }) => name === 'others');
  t.same(others.map(({ needs }) => needs), jobs.filter(({ task: name }) => name === 'lowest').map(({ key }) => [key]));
});
