import t from 'tap';
import { PretendStream } from './hls/pretend-stream.ts';
import { keyRatesOf, ratesOf } from './rates.ts';
import type { PresentationSnapshot, SegmentRef, TrackSnapshot } from './snapshot.ts';

/** Seconds and bytes of each segment; parts of a second. */
const recorded = (...segments: readonly (readonly [number, number])[]): [PresentationSnapshot, TrackSnapshot] => {
  const snapshot = new PretendStream({ targetDuration: 4 }).segment().end().snapshot();
  const [like] = snapshot.tracks;
  if (!like) throw new Error('no track');
  let start = 0;
  const list = segments.map(([seconds, size], index): SegmentRef => {
    const duration = seconds * like.timescale;
    const parts = [{ seq: index, duration, independent: true, gap: size === 0, size: Math.ceil(size / 4) }];
    start += duration;
    return { msn: index + 1, epoch: 0, start: start - duration, duration, slewMs: 0, independent: true, gap: size === 0, size, parts };
  });
  const track = { ...like, segments: list, firstSegment: 0, liveStart: 0, endSegment: list.length };
  return [{ ...snapshot, tracks: [track] }, track];
};

t.test('live, what was frozen is told; ended, what it is', async (t) => {
  const stream = new PretendStream().segments(4);
  const live = stream.snapshot();
  t.same(live.tracks.map((track) => ratesOf(live, track).peak), live.tracks.map(({ bandwidth }) => bandwidth));
  t.same(ratesOf(...recorded([4, 1000], [4, 3000], [4, 2000])), { peak: 6000, average: 4000 });
  t.same(keyRatesOf(...recorded([4, 1000], [4, 3000], [4, 2000])), { peak: 1500, average: 1000 });
});

t.test('a short segment counts with its neighbours, and a hole not at all', async (t) => {
  // 1000 bytes in half a second alone would be 16,000 bits a second.
  t.same(ratesOf(...recorded([4, 1000], [0.5, 1000], [4, 1000])).peak, Math.ceil((2000 * 8) / 4.5));
  t.same(ratesOf(...recorded([4, 1000], [4, 0], [4, 1000])), { peak: 2000, average: 2000 });
  t.same(ratesOf(...recorded([1, 1000])), { peak: 8000, average: 8000 });
  const [empty, track] = recorded();
  t.equal(ratesOf(empty, track).peak, track.bandwidth);
});

t.test('a recording is measured once, whoever asks', async (t) => {
  const [snapshot, like] = recorded([4, 1000], [4, 3000]);
  let looked = 0;
  const segments = like.segments.slice();
  const track = Object.defineProperty({ ...like }, 'segments', { get: () => ((looked += 1), segments) });
  const ended = { ...snapshot, tracks: [track] };
  for (const rates of [ratesOf, keyRatesOf]) {
    const known = rates(ended, track);
    looked = 0;
    t.same(rates(ended, track), known);
    t.equal(looked, 0);
  }
});
