/**
 * Whoever watches live does not notice that uploads are encoded on all cores. The figures themselves are
 * bench/vod-beside-live.ts's, on a machine that does nothing else.
 */
import t from 'tap';
import { halfAndMost, vodBesideLive } from '../support/vod-beside-live.ts';

/** Later than without encodes: what is allowed, and what a machine that others use makes of it, ms. */
const allowed = 200;
const slack = 300;

t.test('parts of a live source come as soon while every slot of the machine encodes an upload', { timeout: 110_000 }, async (t) => {
  const seen = await vodBesideLive({ spanMs: 6_000, spans: 1 });
  const [without, beside] = [halfAndMost(seen.without), halfAndMost(seen.with)];
  t.comment(`p50 ${Math.round(without.p50)} ms, p95 ${Math.round(without.p95)} ms without; ${Math.round(beside.p50)} and ${Math.round(beside.p95)} ms with ${seen.busy.join(' ')} chunks at once`);
  t.ok(seen.busy.some((count) => count > 0), 'something was encoded');
  t.ok(seen.with.length > 8, `${seen.with.length} parts`);
  t.ok(beside.p95 - without.p95 <= allowed + slack, `p95 ${Math.round(beside.p95)} ms with, ${Math.round(without.p95)} ms without`);
  t.same(seen.faults, []);
});
