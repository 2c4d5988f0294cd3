/** Cuts, and where a viewing begins. */
import t from 'tap';
import * as fc from 'fast-check';
import { iframesPlaylist } from './iframes.ts';
import { readByM3u8Parser, readMedia, readMultivariant } from './judges.ts';
import { mediaPlaylist } from './media.ts';
import { multivariantPlaylist } from './multivariant.ts';
import { PretendStream } from './pretend-stream.ts';
import { startLine } from './start.ts';

const mediaBase = '../../v0/';
const startOf = (text: string): number | undefined => readMultivariant(text).start?.offset;

t.test('a cut lists the segments that it touches, at the address of the video, and begins where it was made', async (t) => {
  const stream = new PretendStream().segments(10).end();
  stream.cut = { inMicros: 5_000_000, outMicros: 14_000_000 };
  const read = readMedia(mediaPlaylist(stream.snapshot(), 'v0', { whole: true, mediaBase }));
  t.same(read.segments.map(({ uri }) => uri), [3, 4, 5, 6, 7].map((msn) => `${mediaBase}${stream.run}-${msn}.m4s`));
  t.equal(read.segments[0]?.map?.uri, `${mediaBase}${stream.run}-i0.mp4`);
  t.equal(read.endlist, true);
  t.match(iframesPlaylist(stream.snapshot(), 'v0', { whole: true, mediaBase }), new RegExp(`\n${mediaBase}${stream.run}-k3\\.m4s`));
  t.equal(startOf(multivariantPlaylist(stream.snapshot())), 1);
  t.equal(startOf(multivariantPlaylist(stream.snapshot(), { start: 2 })), 3);
});

t.test('a cut that ends before the live edge is over; one that does not goes on', async (t) => {
  const stream = new PretendStream().segments(10).part();
  stream.cut = { inMicros: null, outMicros: 6_000_000 };
  t.match(mediaPlaylist(stream.snapshot(), 'v0', { mediaBase }), /ENDLIST/);
  stream.cut = { inMicros: 1_000_000, outMicros: 6_000_000 };
  t.equal(startOf(multivariantPlaylist(stream.snapshot())), 1);
  stream.cut = { inMicros: 6_000_000, outMicros: null };
  t.equal(startOf(multivariantPlaylist(stream.snapshot())), undefined);
  const { manifest, complaints } = readByM3u8Parser(mediaPlaylist(stream.snapshot(), 'v0', { mediaBase }));
  t.same(complaints, []);
  t.match(manifest, { mediaSequence: 4, preloadSegment: { preloadHints: [{ uri: `${mediaBase}${stream.run}-11-1.m4s` }] } });
  t.equal(manifest.renditionReports?.[0]?.uri, '../a0/index.m3u8');
});

t.test('a start counts from where the show begins, and from its end when it is below zero', async (t) => {
  const stream = new PretendStream().segments(10);
  const live = (): string => multivariantPlaylist(stream.snapshot(), { start: 7 });
  t.equal(startOf(live()), 7);
  t.equal(startOf(multivariantPlaylist(stream.snapshot())), undefined);
  // The first three segments are no longer listed: what is asked for is nearer to the beginning of the list.
  stream.keep(7);
  t.equal(startOf(live()), 1);
  t.equal(startOf(multivariantPlaylist(stream.snapshot(), { start: -5 })), -5);
  t.equal(startOf(multivariantPlaylist(stream.snapshot(), { start: -500 })), -14);
  t.equal(startOf(multivariantPlaylist(stream.snapshot(), { start: 500 })), 14);
});

t.test('whatever is cut and asked for, what is listed covers it, is no longer than it must be, and the start lies inside', async () => {
  const ask = fc.record({
    segments: fc.integer({ min: 1, max: 40 }),
    cutIn: fc.option(fc.integer({ min: 0, max: 80_000_000 })),
    length: fc.option(fc.integer({ min: 1, max: 80_000_000 })),
    start: fc.option(fc.double({ min: -200, max: 200, noNaN: true })),
    ended: fc.boolean(),
  });
  fc.assert(
    fc.property(ask, ({ segments, cutIn, length, start, ended }) => {
      const stream = new PretendStream().segments(segments);
      if (ended) stream.end();
      const out = length === null ? null : (cutIn ?? 0) + length;
      stream.cut = { inMicros: cutIn, outMicros: out };
      const snapshot = stream.snapshot();
      const read = readMedia(mediaPlaylist(snapshot, 'v0', { whole: true, mediaBase }), { shortSegments: true }).segments.filter(({ uri }) => uri);
      const from = read[0] ? (read[0].mediaSequenceNumber - 1) * 2e6 : null;
      const to = from === null ? null : from + read.length * 2e6;
      const end = segments * 2e6;
      const wanted = Math.min(out ?? end, end) > (cutIn ?? 0);
      if (wanted !== (from !== null)) throw new Error('listed, or not');
      if (from === null || to === null) return;
      const head = (cutIn ?? 0) - from;
      const tail = to - Math.min(out ?? end, end);
      if (head < 0 || head >= 2e6 || tail < 0 || tail >= 2e6) throw new Error(`${head} before, ${tail} after`);
      const line = startLine(snapshot, start);
      const offset = Number(/TIME-OFFSET=(-?[\d.]+)/.exec(line)?.[1] ?? 0);
      if (Math.abs(offset) > (to - from) / 1e6 + 0.001) throw new Error(`starts at ${offset}`);
      if (start !== null && line === '') throw new Error('no start');
    }),
    { numRuns: 500, seed: 20_260_102 },
  );
});
