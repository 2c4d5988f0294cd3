/** Whatever a stream does, its manifests obey the rules from one version to the next, and say what the playlists say. */
import t from 'tap';
import * as fc from 'fast-check';
import { readByM3u8Parser } from '../hls/judges.ts';
import { mediaPlaylist } from '../hls/media.ts';
import { PretendStream } from '../hls/pretend-stream.ts';
import { addressOf, attribute, readManifest, type Said, type SaidTrack } from './judges.ts';
import { manifest, type ManifestRequest } from './mpd.ts';

type Step = { do: 'part'; share: number } | { do: 'segment'; parts: number } | { do: 'close' | 'outage' | 'hole' } | { do: 'slide'; keep: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('part' as const), share: fc.constantFrom(1, 1, 0.9) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('segment' as const), parts: fc.constantFrom(1, 4, 6, 6, 6) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'close' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'hole' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'outage' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('slide' as const), keep: fc.integer({ min: 3, max: 30 }) }) },
);

const take = (stream: PretendStream, one: Step): void => {
  const room = 6 - (stream.snapshot().tracks[0]?.open?.count ?? 0);
  if (room === 0) stream.close();
  if (one.do === 'part') stream.part(one.share);
  else if (one.do === 'segment') stream.segment(room === 0 ? one.parts : Math.min(room, one.parts));
  else if (one.do === 'close') stream.close();
  else if (one.do === 'hole') stream.close().part(1, true).close();
  else if (one.do === 'slide') stream.keep(one.keep);
  else stream.part(0.3).close().epoch();
};

const expect = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

const say = (stream: PretendStream, ask?: ManifestRequest): Said => {
  const text = manifest(stream.snapshot(), ask);
  if (text === null) throw new Error('nothing to play');
  return readManifest(text);
};

const check = (look: (before: Said, stream: PretendStream) => void): void =>
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => {
      const stream = new PretendStream().segments(3);
      for (const one of steps) {
        const before = say(stream);
        take(stream, one);
        // All that is listed may be a hole.
        if (manifest(stream.snapshot()) === null) stream.segments(1);
        look(before, stream);
      }
    }),
    { numRuns: 60, seed: 20_260_101 },
  );

const tracksOf = (said: Said, id: string): SaidTrack[] => said.periods.flatMap(({ tracks }) => tracks.filter((track) => track.id === id));

t.test('ticks are contiguous in every Period, and lie inside it', async () => {
  check((_, stream) => {
    for (const said of [say(stream), say(stream, { wasLive: true })]) {
      for (const [index, { start, duration, tracks }] of said.periods.entries()) {
        const next = said.periods[index + 1]?.start;
        expect(next === undefined || (next > start && start + (duration ?? 0) <= next + 1e-6), 'Periods follow each other');
        for (const { segments, offset, timescale } of tracks) {
          let time = segments[0]?.start ?? -1;
          expect(time >= offset - 1, 'nothing lies ahead of its Period');
          for (const segment of segments) {
            expect(segment.start === time, 'no hole between segments');
            time += segment.duration;
          }
          const end = start + (time - offset) / timescale;
          if (next !== undefined) expect(end <= next + 0.05, `${end} runs into the next Period at ${next}`);
        }
      }
    }
  });
});

t.test('what is listed is what the playlists of the same snapshot list, by the same names and with the same lengths', async () => {
  let open = 0;
  check((_, stream) => {
    const said = say(stream);
    for (const id of ['v0', 'a0']) {
      const text = mediaPlaylist(stream.snapshot(), id);
      // m3u8-parser says nothing of gaps.
      const holes = new Set([...text.matchAll(/^#EXT-X-GAP\n#EXTINF.*\n(.*)$/gm)].map(([, uri]) => uri));
      const there = readByM3u8Parser(text).manifest.segments.filter(({ uri }) => !holes.has(uri));
      const listed = tracksOf(said, id).flatMap((track) => track.segments.map((one) => ({ ...one, track })));
      const extra = listed.slice(there.length);
      for (const [index, one] of there.entries()) {
        const found = listed[index];
        expect(found !== undefined && addressOf(found.track, found) === `${id}/${one.uri}`, `${one.uri} is not there`);
        expect(Math.abs((found?.duration ?? 0) / (found?.track.timescale ?? 1) - one.duration) < 1e-5, 'EXTINF');
        expect(found?.track.init === `${id}/${one.map?.uri}`, 'the init of its epoch');
      }
      const writing = stream.snapshot().tracks.find((track) => track.id === id)?.open;
      expect(extra.length <= 1 && extra.every(({ number }) => number === writing?.msn), 'the segment in progress comes last');
      open += extra.length;
    }
  });
  t.ok(open > 80, `${open} times with a segment in progress`);
});

t.test('a Period never moves, a segment never changes, no number and no time ever goes back', async () => {
  check((before, stream) => {
    const now = say(stream);
    expect(attribute(now.root, 'publishTime') >= attribute(before.root, 'publishTime'), 'publishTime');
    expect(attribute(now.root, 'availabilityStartTime') === attribute(before.root, 'availabilityStartTime'), 'availabilityStartTime');
    const old = new Map(before.periods.map((period) => [period.id, period]));
    const last = before.periods.at(-1)?.id;
    for (const { id, start, tracks } of now.periods) {
      const known = old.get(id);
      if (!known) continue;
      expect(known.start === start, `Period ${id} has moved`);
      for (const track of tracks) {
        const was = known.tracks.find((one) => one.id === track.id);
        expect(was !== undefined && was.offset === track.offset && was.init === track.init, `track ${track.id} of ${id} is another`);
        expect((was?.segments[0]?.number ?? 0) <= (track.segments[0]?.number ?? -1), 'startNumber');
        const byNumber = new Map(was?.segments.map((one) => [one.number, one]));
        for (const [index, one] of track.segments.entries()) {
          const same = byNumber.get(one.number);
          if (!same) continue;
          expect(same.start === one.start, `segment ${one.number} has moved`);
          // Only the segment in progress was a guess.
          const guessed = id === last && one.number === was?.segments.at(-1)?.number;
          expect(same.duration === one.duration || guessed, `segment ${index} has another length`);
        }
      }
    }
  });
});

t.test('after the end it is static, with every segment that was there, from zero or as it was', async () => {
  check((_, stream) => {
    const copy = stream.snapshot();
    const live = say(stream);
    const ended = { ...copy, state: 'ended' as const, tracks: copy.tracks.map((track) => ({ ...track, open: null })) };
    const texts = [manifest(ended), manifest(ended, { wasLive: true })];
    for (const [index, text] of texts.entries()) {
      if (text === null) continue;
      const said = readManifest(text);
      expect(said.type === 'static' && !text.includes('availabilityStartTime') && !text.includes('UTCTiming'), 'static');
      const first = said.periods[0];
      expect(index === 1 ? first?.start === live.periods[0]?.start : first?.start === 0, 'where it starts');
      const closed = copy.tracks[0]?.segments.slice(copy.tracks[0].firstSegment, copy.tracks[0].endSegment).filter(({ gap }) => !gap).map(({ msn }) => msn) ?? [];
      expect(tracksOf(said, 'v0').flatMap(({ segments }) => segments.map(({ number }) => number)).join() === closed.join(), 'all numbers');
      if (index === 0) {
        for (const [at, { start, tracks }] of said.periods.entries()) {
          const next = said.periods[at + 1]?.start;
          const end = Math.max(...tracks.map(({ segments, offset, timescale }) => start + ((segments.at(-1)?.start ?? 0) + (segments.at(-1)?.duration ?? 0) - offset) / timescale));
          expect(next === undefined || Math.abs(next - end) < 1e-4, 'Periods without a hole between them');
        }
      }
    }
  });
});
