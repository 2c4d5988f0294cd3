import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { chaptersOf, chaptersVtt, mostChapters, saneChapters, shownChapters } from './chapters.ts';
import type { Chapter } from './kept.ts';

const whole = { chapters: null, durationMs: 60_000, cutInMs: null, cutOutMs: null };

t.test('what stands in a file is put in order, within the film; what makes no sense is left out', async (t) => {
  const of = (...found: [startMs: number, endMs: number, title?: string | null][]) => saneChapters(found.map(([startMs, endMs, title = 'x']) => ({ startMs, endMs, title })), 60_000).map(({ startMs, endMs, title }) => [startMs, endMs, title]);
  t.same(of([20_000, 40_000], [0, 20_000, null]), [[0, 20_000, '1'], [20_000, 40_000, 'x']]);
  t.same(of([0, 50_000], [20_000, 90_000]), [[0, 20_000, 'x'], [20_000, 60_000, 'x']], 'none lies over another');
  t.same(of([0, 0], [30_000, 0]), [[0, 30_000, 'x'], [30_000, 60_000, 'x']], 'one without an end');
  t.same(of([70_000, 80_000], [NaN, 1], [-5, 5]), []);
  t.same(of([5, 9], [5, 20]), [[5, 20, 'x']]);
  t.equal(saneChapters(Array.from({ length: 5_000 }, (_, index) => ({ startMs: index, endMs: index + 1, title: 'x' })), null).length, mostChapters);
  t.same(saneChapters([{ startMs: 0, endMs: 0, title: 'x' }], null), [], 'nobody knows where it ends');
});

t.test('whatever is found, what is kept of it is what an owner might have said', async (t) => {
  const random = new Random(5);
  for (let round = 0; round < 2_000; round += 1) {
    const found = Array.from({ length: random.below(8) }, () => ({ startMs: random.below(90_000) - 5_000, endMs: random.below(90_000) - 5_000, title: random.below(2) ? 'x' : null }));
    const kept = saneChapters(found, 60_000);
    const again = chaptersOf(kept, whole);
    if ('detail' in again) t.fail(`${again.detail} of ${JSON.stringify(found)}`);
    else if (JSON.stringify(again) !== JSON.stringify(kept)) t.fail(JSON.stringify(found));
    const shown = shownChapters({ ...whole, chapters: kept, cutInMs: 10_000, cutOutMs: 50_000 });
    if (shown.some(({ startMs, endMs }, at) => startMs < (shown[at - 1]?.endMs ?? 0) || endMs <= startMs || endMs > 40_000)) t.fail(`cut: ${JSON.stringify(kept)}`);
  }
});

t.test('what is said of a trimmed video takes nothing away of what is cut off, and divides nothing', async (t) => {
  const kept = [[0, 12_000, 'Opening'], [12_000, 25_000, 'The wheel'], [30_000, 60_000, 'Water']].map(([startMs, endMs, title]) => ({ startMs, endMs, title }) as Chapter);
  const of = (wished: readonly [startMs: number, endMs: number | null, title: string][], cut: object = { cutInMs: 10_000, cutOutMs: 50_000 }) => {
    const made = chaptersOf(wished.map(([startMs, endMs, title]) => ({ startMs, endMs, title })), { ...whole, chapters: kept, ...cut });
    return 'detail' in made ? made : made.map(({ startMs, endMs, title }) => [startMs, endMs, title]);
  };
  t.same(of([[0, null, 'Opening'], [5_000, null, 'The mill'], [20_000, null, 'Water']]), [[0, 15_000, 'Opening'], [15_000, 30_000, 'The mill'], [30_000, 60_000, 'Water']]);
  t.same(of([]), [[0, 10_000, 'Opening'], [50_000, 60_000, 'Water']], 'what is shown alone can be taken away');
  t.same(of([[0, null, 'The river']]), [[0, 10_000, 'Opening'], [10_000, 50_000, 'The river'], [50_000, 60_000, 'Water']]);
  t.same(of([[0, null, 'Opening']], { cutInMs: 12_000 }), [[0, 12_000, 'Opening'], [12_000, 60_000, 'Opening']], 'what the cut does not divide stays two');
  t.same(of([[0, null, 'All']], {}), [[0, 60_000, 'All']]);

  const many = Array.from({ length: mostChapters }, (_, index) => ({ startMs: index * 60, endMs: index * 60 + 60, title: 'x' }));
  const trimmed = { ...whole, chapters: many, cutInMs: 30_000 };
  t.equal((chaptersOf(many.slice(0, 500), trimmed) as Chapter[]).length, mostChapters);
  t.match(chaptersOf(many.slice(0, 499).concat([1, 2].map((at) => ({ startMs: 29_940 + at * 20, endMs: 29_960 + at * 20, title: 'x' }))), trimmed), { index: 500, detail: /more than 1000/ });

  const random = new Random(9);
  for (let round = 0; round < 2_000; round += 1) {
    const chapters = saneChapters(Array.from({ length: random.below(8) }, () => ({ startMs: random.below(60_000), endMs: random.below(60_000), title: random.below(2) ? 'x' : 'y' })), 60_000);
    const cut = { ...whole, chapters, cutInMs: random.below(30_000) || null, cutOutMs: random.below(2) ? 31_000 + random.below(29_000) : null };
    const again = chaptersOf(shownChapters(cut), cut);
    if (JSON.stringify(again) !== JSON.stringify(chapters)) t.fail(`${JSON.stringify(again)} of ${JSON.stringify(cut)}`);
  }
});

t.test('as WebVTT a title is a text, whatever stands in it', async (t) => {
  t.equal(chaptersVtt([{ startMs: 0, endMs: 3_723_004, title: 'a --> b & <i>c</i>' }]), 'WEBVTT\n\n00:00:00.000 --> 01:02:03.004\na --&gt; b &amp; &lt;i&gt;c&lt;/i&gt;\n');
});
