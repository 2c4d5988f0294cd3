import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { chaptersOf, chaptersVtt, mostChapters, saneChapters, shownChapters } from './chapters.ts';

const whole = { durationMs: 60_000, cutInMs: null, cutOutMs: null };

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
    const shown = shownChapters({ chapters: kept, ...whole, cutInMs: 10_000, cutOutMs: 50_000 });
    if (shown.some(({ startMs, endMs }, at) => startMs < (shown[at - 1]?.endMs ?? 0) || endMs <= startMs || endMs > 40_000)) t.fail(`cut: ${JSON.stringify(kept)}`);
  }
});

t.test('as WebVTT a title is a text, whatever stands in it', async (t) => {
  t.equal(chaptersVtt([{ startMs: 0, endMs: 3_723_004, title: 'a --> b & <i>c</i>' }]), 'WEBVTT\n\n00:00:00.000 --> 01:02:03.004\na --&gt; b &amp; &lt;i&gt;c&lt;/i&gt;\n');
});
