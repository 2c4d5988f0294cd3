/** Whatever a stream does, its playlists obey the rules from one version to the next. */
import t from 'tap';
import * as fc from 'fast-check';
import { applyDelta, readByM3u8Parser, readMedia } from './judges.ts';
import { mediaPlaylist } from './media.ts';
import { PretendStream } from './pretend-stream.ts';
import { judgeReload } from './reload.ts';

type Step =
  | { do: 'part'; share: number }
  | { do: 'segment'; parts: number }
  | { do: 'close' }
  | { do: 'outage' }
  | { do: 'slide'; keep: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('part' as const), share: fc.constantFrom(1, 1, 0.9) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('segment' as const), parts: fc.constantFrom(1, 4, 6, 6, 6) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'close' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'outage' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('slide' as const), keep: fc.integer({ min: 8, max: 30 }) }) },
);

const take = (stream: PretendStream, one: Step): void => {
  const room = 6 - (stream.snapshot().tracks[0]?.open?.count ?? 0);
  if (room === 0) stream.close();
  if (one.do === 'part') stream.part(one.share);
  else if (one.do === 'segment') stream.segment(room === 0 ? one.parts : Math.min(room, one.parts));
  else if (one.do === 'close') stream.close();
  else if (one.do === 'outage') stream.part(0.3).close().epoch();
  else stream.keep(one.keep);
};

const play = (steps: readonly Step[], look: (before: string, stream: PretendStream, track: string) => void): void => {
  const stream = new PretendStream().segments(3);
  for (const one of steps) {
    const before = ['v0', 'a0'].map((track) => [track, mediaPlaylist(stream.snapshot(), track)] as const);
    take(stream, one);
    for (const [track, text] of before) look(text, stream, track);
  }
};

const check = (look: (before: string, stream: PretendStream, track: string) => void, runs = 100): void =>
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => play(steps, look)),
    { numRuns: runs, seed: 20_260_101 },
  );

const expect = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

t.test('a playlist only grows at its end and shrinks at its head, and no number ever goes back', async () => {
  check((before, stream, track) => {
    const [old, now] = [before, mediaPlaylist(stream.snapshot(), track)].map((text) => readMedia(text, { shortSegments: true }));
    expect(old !== undefined && now !== undefined, 'both are playlists');
    if (!old || !now) return;
    const whole = (list: typeof old) => list.segments.filter(({ uri }) => uri);
    const [oldSegments, newSegments] = [whole(old), whole(now)];
    expect((now.mediaSequenceBase ?? 0) >= (old.mediaSequenceBase ?? 0), 'MEDIA-SEQUENCE');
    expect((now.discontinuitySequenceBase ?? 0) >= (old.discontinuitySequenceBase ?? 0), 'DISCONTINUITY-SEQUENCE');
    const tell = (one: (typeof oldSegments)[number]): string =>
      [one.mediaSequenceNumber, one.uri, one.duration, one.discontinuitySequence, one.map.uri, one.programDateTime?.getTime()].join(' ');
    const known = new Map(newSegments.map((one) => [one.mediaSequenceNumber, tell(one)]));
    for (const one of oldSegments) {
      if (one.mediaSequenceNumber < (now.mediaSequenceBase ?? 0)) continue;
      expect(known.get(one.mediaSequenceNumber) === tell(one), `segment ${one.mediaSequenceNumber} has changed`);
    }
    for (const [index, one] of newSegments.entries()) {
      expect(one.mediaSequenceNumber === (now.mediaSequenceBase ?? 0) + index, 'numbers without holes');
    }
  });
});

t.test('no part is longer than PART-TARGET, parts sum to their segment, and the hint names the part that comes next', async () => {
  check((before, stream, track) => {
    const now = mediaPlaylist(stream.snapshot(), track);
    const { manifest, complaints } = readByM3u8Parser(now);
    expect(complaints.length === 0, complaints.join());
    for (const segment of manifest.segments) {
      const parts = segment.parts ?? [];
      expect(parts.every(({ duration }) => duration <= (manifest.partTargetDuration ?? 0)), 'PART-TARGET');
      expect(parts.every(({ uri }, index) => uri === segment.uri?.replace('.m4s', `-${index}.m4s`)), 'part names');
      const sum = parts.reduce((total, { duration }) => total + duration, 0);
      expect(parts.length === 0 || Math.abs(sum - segment.duration) < 1e-5, 'parts sum to their segment');
      expect(Math.round(segment.duration) <= manifest.targetDuration, 'TARGETDURATION');
      expect(segment.programDateTime !== undefined, 'every segment is dated');
    }
    const total = manifest.segments.reduce((sum, { duration }) => sum + duration, 0);
    let from = 0;
    const open = manifest.preloadSegment?.parts?.reduce((sum, { duration }) => sum + duration, 0) ?? 0;
    for (const segment of manifest.segments) {
      const near = total + open - from <= 3 * manifest.targetDuration - 1e-4;
      const far = total + open - from > 3 * manifest.targetDuration + 1e-4;
      expect(!near || segment.parts !== undefined, 'parts near the end are listed');
      expect(!far || segment.parts === undefined, 'parts far from the end are not');
      from += segment.duration;
    }
    // What was hinted is what came, unless its segment was closed or the playlist stood still.
    const hinted = /PRELOAD-HINT:TYPE=PART,URI="(.*)"/.exec(before)?.[1] ?? '';
    const [, msn = '', part = ''] = /-(\d+)-(\d+)\.m4s/.exec(hinted) ?? [];
    const judged = judgeReload(stream.snapshot(), track, `_HLS_msn=${msn}&_HLS_part=${part}`);
    if (judged.kind === 'wait') expect(!now.includes(`EXT-X-PART:DURATION=0.333333,URI="${hinted}"`), 'waiting for what is there');
    if (now.includes(`URI="${hinted}",`)) expect(judged.kind === 'answer', 'there, but not answered');
  });
});

t.test('a delta applied to the playlist before is the full playlist of now', async () => {
  let applied = 0;
  check((before, stream, track) => {
    const delta = mediaPlaylist(stream.snapshot(), track, { skip: true });
    const full = mediaPlaylist(stream.snapshot(), track);
    if (delta.includes('EXT-X-SKIP')) applied++;
    // Parts that have grown too old are still in the playlist before.
    const merged = applyDelta(before, delta);
    const plain = (text: string): string => text.replace(/^#EXT-X-PART:.*\n/gm, '');
    expect(plain(merged) === plain(full), `${merged}\n--- is not ---\n${full}`);
  });
  t.ok(applied > 50, `${applied} deltas with something skipped`);
});

t.test('both tracks agree on numbers, discontinuities and server control', async () => {
  check((_, stream, track) => {
    if (track !== 'v0') return;
    const [video = '', audio = ''] = ['v0', 'a0'].map((id) =>
      mediaPlaylist(stream.snapshot(), id)
        .split('\n')
        .filter((line) => /SEQUENCE|TARGETDURATION|SERVER-CONTROL|VERSION|DISCONTINUITY|-MAP|^[^#]|HINT/.test(line))
        .join('\n'),
    );
    expect(video === audio, `${video}\n---\n${audio}`);
  }, 60);
});
