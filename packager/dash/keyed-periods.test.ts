/** A Period for each key: where one begins and ends, recorded and at the live edge. */
import t from 'tap';
import { pictureAndSound, PretendStream } from '../hls/pretend-stream.ts';
import { mediaPlaylist } from '../hls/media.ts';
import { keyRing } from '../protect/key-ring.ts';
import type { Protected } from '../protect/keys.ts';
import type { PresentationSnapshot } from '../snapshot.ts';
import { readManifest, type Said } from './judges.ts';
import { manifest } from './mpd.ts';

const sealed: Protected = { scheme: 'cbcs', ring: keyRing(Buffer.alloc(32, 7), 3) };

const said = (snapshot: PresentationSnapshot): Said => readManifest(manifest(snapshot, { protection: { sealed, licence: 'http://x/keys/licence' } }) ?? '');
const rows = (snapshot: PresentationSnapshot): unknown[] =>
  said(snapshot).periods.map(({ id, start, duration, tracks }) => [id, start, duration, tracks[0]?.init.slice(-8), tracks[0]?.segments.map(({ number }) => number)]);

t.test('recorded, Periods follow each other without a hole, with an init segment each', async (t) => {
  const stream = new PretendStream().segments(7).part().close().epoch().segments(2).end();
  t.same(rows(stream.snapshot()).map((row) => (row as unknown[]).filter((_, index) => index !== 2)), [
    ['e0', 0, 'i0-0.mp4', [1, 2]],
    ['e0-3', 4, 'i0-1.mp4', [3, 4, 5]],
    ['e0-6', 10, 'i0-2.mp4', [6, 7, 8]],
    ['e1', 14.333333, 'i1-3.mp4', [9, 10]],
  ]);
});

t.test('live, no Period ever lists a segment of the next key, and none moves', async (t) => {
  const stream = new PretendStream().segments(5);
  t.same(rows(stream.snapshot()), [['e0', 0, 4, 'i0-0.mp4', [1, 2]], ['e0-3', 4, null, 'i0-1.mp4', [3, 4, 5]]]);
  const before = stream.part().snapshot();
  const sound = before.tracks.map((track) => (track.kind === 'audio' ? { ...track, open: null } : track));
  t.same(rows({ ...before, tracks: sound }), [['e0', 0, 4, 'i0-0.mp4', [1, 2]], ['e0-3', 4, null, 'i0-1.mp4', [3, 4, 5]]], 'sound is not there yet');
  const told = [['e0', 0, 4, 'i0-0.mp4', [1, 2]], ['e0-3', 4, 6, 'i0-1.mp4', [3, 4, 5]], ['e0-6', 10, null, 'i0-2.mp4', [6]]];
  t.same(rows(before), told);
  t.same(rows(stream.part().part().snapshot()), told);
  t.same(rows(stream.close().segments(1).snapshot()).slice(0, 3), [...told.slice(0, 2), ['e0-6', 10, null, 'i0-2.mp4', [6, 7]]]);
});

t.test('where sound is a segment behind, and each has a key of its own, a Period has one still', async (t) => {
  const each: Protected = { scheme: 'cbcs', ring: keyRing(Buffer.alloc(32, 7), 1) };
  const stream = new PretendStream().segments(4).part().part();
  const [, sound] = stream.snapshot().tracks;
  const { tracks: [picture], ...rest } = stream.part().part().part().part().close().part().snapshot();
  if (!picture || !sound) return t.fail('no tracks');
  const { periods } = readManifest(manifest({ ...rest, tracks: [picture, sound] }, { protection: { sealed: each, licence: 'x' } }) ?? '');
  t.same(periods.map(({ tracks }) => tracks[0]?.segments.map(({ number }) => number)), [[1], [2], [3], [4], [5]]);
});

t.test('a drifting clock moves no Period that a key begins', async (t) => {
  const { tracks, ...rest } = new PretendStream().segments(5).snapshot();
  const drifting = tracks.map((track) => ({ ...track, segments: track.segments.map((segment) => ({ ...segment, slewMs: segment.msn * 10 })) }));
  const [first, second] = said({ ...rest, tracks: drifting }).periods;
  t.equal((second?.start ?? 0) - (first?.start ?? 0), 4, 'it begins where the one before ends');
});

/** Two seconds of picture after each other, beside sound that is cut at the whole frame next to where the picture is cut. */
const inFrames = (rate: number): { readonly live: PresentationSnapshot; readonly ended: PresentationSnapshot } => {
  const [picture] = pictureAndSound;
  if (!picture) throw new Error('no picture');
  const stream = new PretendStream({ tracks: [picture, { id: 'a0', kind: 'audio', timescale: rate, partTicks: Math.round(rate / 3) }] }).segments(9);
  const cut = ({ tracks, ...rest }: PresentationSnapshot): PresentationSnapshot => {
    const frames = (seconds: number): number => Math.round((seconds * rate) / 1024) * 1024;
    const segmentsOf = (track: (typeof tracks)[number]): (typeof track)['segments'] =>
      track.segments.map((segment, index) => ({ ...segment, start: frames(2 * index), duration: frames(2 * index + 2) - frames(2 * index) }));
    return { ...rest, tracks: tracks.map((track) => (track.kind === 'audio' ? { ...track, segments: segmentsOf(track) } : track)) };
  };
  return { live: cut(stream.snapshot()), ended: cut(stream.end().snapshot()) };
};

for (const rate of [16_000, 44_100, 48_000]) {
  t.test(`sound at ${rate} Hz moves no picture out of the Period of its key`, async (t) => {
    for (const [what, snapshot] of Object.entries(inFrames(rate))) {
      const { periods } = said(snapshot);
      t.same(periods.map(({ start }) => start), [0, 4, 10, 16], `${what}: they begin with the picture`);
      let ahead = 0;
      for (const [index, { id, start, duration, tracks }] of periods.entries()) {
        const end = periods[index + 1]?.start ?? Number.POSITIVE_INFINITY;
        t.ok(duration === null || start + duration <= end, `${what}: ${id} ends before the next`);
        for (const { id: track, offset, timescale, segments } of tracks) {
          const [head, last] = [segments[0], segments.at(-1)];
          if (!head || !last) return t.fail('nothing listed');
          t.equal(offset, Math.round(start * timescale), `${what}: the offset of ${track} in ${id}`);
          const late = start + (last.start + last.duration - offset) / timescale - Math.min(end, start + (duration ?? Number.POSITIVE_INFINITY));
          const early = (offset - head.start) / timescale;
          // Our numbers are whole microseconds.
          t.ok(late < (track === 'v0' ? 2e-6 : 0.1), `${what}: ${track} goes ${late} s beyond ${id}`);
          t.ok(early < (track === 'v0' ? 2e-6 : 0.1), `${what}: ${track} begins ${early} s ahead of ${id}`);
          if (early > 0.001) ahead++;
        }
      }
      t.ok(ahead > 0 || rate === 48_000, `${what}: ${ahead} times sound begins earlier`);
    }
  });
}

t.test('HLS has the same init segments, and names the next one ahead of the hint', async (t) => {
  const text = mediaPlaylist(new PretendStream().segments(5).snapshot(), 'v0', { sealed });
  t.match(text, /-5\.m4s\n#EXT-X-MAP:URI="\w+-i0-2\.mp4"\n#EXT-X-KEY:METHOD=SAMPLE-AES,.*\n#EXT-X-PRELOAD-HINT/);
  t.same([...text.matchAll(/MAP:URI="\w+-(i[\d-]+)\.mp4"/g)].map(([, name]) => name), ['i0-0', 'i0-1', 'i0-2']);
  t.notMatch(text, /DISCONTINUITY\n/);
});
