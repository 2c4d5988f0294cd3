import t from 'tap';
import { readByM3u8Parser, readMedia, applyDelta } from './judges.ts';
import { mediaPlaylist } from './media.ts';
import { pictureAndSound, PretendStream } from './pretend-stream.ts';

const run = 'k3v9x0a2b7';

t.test('two parsers read a live playlist as it was meant, without a complaint', async (t) => {
  const stream = new PretendStream().segments(8).part().part();
  const text = mediaPlaylist(stream.snapshot(), 'v0');
  const { manifest, complaints } = readByM3u8Parser(text);
  t.same(complaints, []);
  t.equal(manifest.version, 9);
  t.equal(manifest.targetDuration, 2);
  t.equal(manifest.mediaSequence, 1);
  t.equal(manifest.independentSegments, true);
  t.equal(manifest.playlistType, undefined);
  t.equal(manifest.partTargetDuration, 0.335334);
  t.match(manifest.serverControl, { canBlockReload: true, canSkipUntil: 12, holdBack: 6, partHoldBack: 1.006002 });
  t.equal(manifest.segments.length, 8);
  t.ok(manifest.segments.every(({ map, duration }) => map?.uri === `${run}-i0.mp4` && duration === 2));
  t.same(manifest.segments.map(({ programDateTime }) => programDateTime), Array.from({ length: 8 }, (_, n) => Date.UTC(2026, 0, 1) + n * 2000));
  t.same(manifest.segments.map(({ parts }) => parts?.length ?? 0), [0, 0, 0, 0, 0, 0, 6, 6], 'parts of the last three target durations');
  t.same(manifest.preloadSegment?.parts?.map(({ uri }) => uri), [`${run}-9-0.m4s`, `${run}-9-1.m4s`]);
  t.same(manifest.preloadSegment?.preloadHints, [{ type: 'PART', uri: `${run}-9-2.m4s` }]);
  t.match(manifest.renditionReports, [{ uri: '../a0/index.m3u8', lastMsn: 9, lastPart: 1 }]);

  const read = readMedia(text);
  t.equal(read.segments.length, 9, 'hls-parser counts the open segment');
  t.same(read.segments.at(-1)?.parts.map(({ hint, independent }) => [hint, independent ?? false]), [[false, true], [false, false], [true, false]]);
  t.match(read.lowLatencyCompatibility, { canBlockReload: true, canSkipUntil: 12, holdBack: 6 });
});

t.test('the part of an open segment is hinted at by the name that it will have, also where the other track is further', async (t) => {
  const snapshot = { ...new PretendStream().segments(3).part().snapshot(), run: 'thenextrun' };
  t.match(mediaPlaylist(snapshot, 'v0'), `URI="${run}-4-1.m4s"`);
  const between = { ...new PretendStream().segments(3).snapshot(), run: 'thenextrun' };
  t.match(mediaPlaylist(between, 'v0'), 'URI="thenextrun-4-0.m4s"');
});

t.test('sound has its own playlist with the same numbers, its own part target and the same server control', async (t) => {
  const tracks = pictureAndSound.map((track) => (track.kind === 'audio' ? { ...track, partTicks: 16_384 } : track));
  const snapshot = new PretendStream({ tracks }).segments(4).part().snapshot();
  const [video, audio] = ['v0', 'a0'].map((id) => readByM3u8Parser(mediaPlaylist(snapshot, id)));
  t.same(audio?.complaints, []);
  t.same(audio?.manifest.serverControl, video?.manifest.serverControl);
  t.equal(audio?.manifest.partTargetDuration, 0.343334);
  t.equal(video?.manifest.serverControl?.partHoldBack, 1.030002, 'three times the longest part target of all tracks');
  t.same(audio?.manifest.segments.map(({ uri }) => uri), video?.manifest.segments.map(({ uri }) => uri));
  t.ok(audio?.manifest.segments.at(-1)?.parts?.every(({ independent }) => independent));
});

t.test('a new epoch is a DISCONTINUITY, a MAP and a date before its first part', async (t) => {
  const stream = new PretendStream().segments(2).part().part(0.4).close();
  const held = mediaPlaylist(stream.snapshot(), 'v0');
  t.match(held, /-3\.m4s\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="k3v9x0a2b7-4-0\.m4s"\n/, 'the hint names a part of an epoch that nobody knows');
  t.match(held, 'LAST-MSN=3,LAST-PART=1');
  t.notMatch(held, /#EXT-X-DISCONTINUITY\n/);
  t.same(readByM3u8Parser(held).complaints, []);

  const back = mediaPlaylist(stream.epoch(10_000).part().snapshot(), 'v0');
  t.match(
    back,
    `${run}-3.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="${run}-i1.mp4"\n` +
      `#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:14.467Z\n#EXT-X-PART:DURATION=0.333333,URI="${run}-4-0.m4s",INDEPENDENT=YES\n` +
      `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${run}-4-1.m4s"\n`,
  );
  t.equal(back.split(`${run}-3.m4s`)[0], held.split(`${run}-3.m4s`)[0], 'what was there before has not changed');

  const { manifest, complaints } = readByM3u8Parser(mediaPlaylist(stream.segments(2).part().snapshot(), 'v0'));
  t.same(complaints, []);
  t.same(manifest.discontinuityStarts, [3]);
  t.same(manifest.segments.map(({ timeline, map }) => [timeline, map?.uri]), [0, 0, 0, 1, 1].map((n) => [n, `${run}-i${n}.mp4`]));
});

t.test('DISCONTINUITY-SEQUENCE counts the changes that have left the window, in every track alike', async (t) => {
  const stream = new PretendStream().segments(3).epoch().segments(2).epoch().segments(4);
  const timelines = (id: string): string[] =>
    readMedia(mediaPlaylist(stream.snapshot(), id), { shortSegments: true })
      .segments.filter(({ uri }) => uri)
      .map((one) => `${one.mediaSequenceNumber}:${one.discontinuitySequence}`);
  const all = timelines('v0');
  t.same(all, ['1:0', '2:0', '3:0', '4:1', '5:1', '6:2', '7:2', '8:2', '9:2']);
  for (const keep of [8, 7, 6, 5, 4, 3, 1]) {
    stream.keep(keep);
    t.same(timelines('v0'), all.slice(-keep), `with ${keep} segments left a segment keeps its number and its discontinuity sequence`);
    t.same(timelines('a0'), all.slice(-keep));
    t.equal(readByM3u8Parser(mediaPlaylist(stream.snapshot(), 'v0')).manifest.segments[0]?.map?.uri, `${run}-i${all.at(-keep)?.at(-1)}.mp4`);
  }
});

t.test('a delta skips what is older than the boundary, names MAP again, and is a full playlist when there is nothing to skip', async (t) => {
  const stream = new PretendStream().segments(6).part();
  t.equal(mediaPlaylist(stream.snapshot(), 'v0', { skip: true }), mediaPlaylist(stream.snapshot(), 'v0'), 'twelve seconds and less');
  const before = mediaPlaylist(stream.segments(10).snapshot(), 'v0');
  stream.keep(12).part();
  const delta = mediaPlaylist(stream.snapshot(), 'v0', { skip: true });
  const full = mediaPlaylist(stream.snapshot(), 'v0');
  t.match(delta, /#EXT-X-SKIP:SKIPPED-SEGMENTS=6\n#EXT-X-MAP:.*\n#EXT-X-PROGRAM-DATE-TIME:/);
  t.equal(readMedia(delta).skip, 6);
  t.equal(readMedia(delta).segments[0]?.mediaSequenceNumber, 11);
  t.same(readByM3u8Parser(delta).manifest.skip, { skippedSegments: 6 });
  t.equal(applyDelta(before, delta), full);
  t.ok(delta.length < full.length);
});

t.test('the end: ENDLIST, no hint, no reports, no skipping, and nothing that was there has changed', async (t) => {
  const stream = new PretendStream().segments(12);
  const live = mediaPlaylist(stream.snapshot(), 'v0').split('#EXT-X-PRELOAD-HINT')[0] ?? '';
  const ended = mediaPlaylist(stream.end().snapshot(), 'v0', { skip: true });
  t.equal(ended, `${live}#EXT-X-ENDLIST\n`);
  const { manifest, complaints } = readByM3u8Parser(ended);
  t.same(complaints, []);
  t.equal(manifest.endList, true);
  t.equal(readMedia(ended).endlist, true);
});

t.test('standard latency: no parts, no hint, and still a blocking server', async (t) => {
  const text = mediaPlaylist(new PretendStream({ latency: 'standard' }).segments(5).part().part().snapshot(), 'v0');
  t.notMatch(text, /PART|HINT/);
  const { manifest, complaints } = readByM3u8Parser(text);
  t.same(complaints.filter((one) => !one.includes('LAST-PART')), []);
  t.equal(manifest.segments.length, 5);
  t.match(manifest.renditionReports, [{ uri: '../a0/index.m3u8', lastMsn: 5 }]);
  t.equal(readMedia(text).lowLatencyCompatibility?.canBlockReload, true);
});

t.test('a span without bytes is a GAP with its number and its duration', async (t) => {
  const stream = new PretendStream().segments(2);
  for (let part = 0; part < 6; part++) stream.part(1, true);
  const text = mediaPlaylist(stream.close().part().part(1, true).snapshot(), 'v0');
  const { segments } = readMedia(text);
  t.same(segments.slice(0, 3).map(({ gap }) => gap ?? false), [false, false, true]);
  t.match(text, /URI="k3v9x0a2b7-3-0\.m4s",GAP=YES\n/);
  t.match(text, /URI="k3v9x0a2b7-4-1\.m4s",GAP=YES\n/);
});

t.test('a cut lists only what lies between its ends, under the same numbers', async (t) => {
  const stream = new PretendStream().segments(10).end();
  stream.cut = { inMicros: 5_000_000, outMicros: 14_000_000 };
  const { manifest } = readByM3u8Parser(mediaPlaylist(stream.snapshot(), 'v0'));
  t.same(manifest.segments.map(({ uri }) => uri), [3, 4, 5, 6, 7].map((msn) => `${run}-${msn}.m4s`));
  t.equal(manifest.mediaSequence, 3);
  t.equal(manifest.endList, true);
  const live = new PretendStream().segments(10).part();
  live.cut = { inMicros: null, outMicros: 4_000_000 };
  t.match(mediaPlaylist(live.snapshot(), 'v0'), /-2\.m4s\n#EXT-X-ENDLIST\n$/, 'behind its out point a broadcast has ended');
});

t.test('durations have six decimals and add up over a day of AAC', async (t) => {
  const sound = pictureAndSound.filter(({ kind }) => kind === 'audio');
  const stream = new PretendStream({ tracks: sound.map((track) => ({ ...track, timescale: 44_100, partTicks: 15 * 1024 })) }).segments(300);
  const durations = mediaPlaylist(stream.snapshot(), 'a0').match(/#EXTINF:\d+\.\d{6},/g) ?? [];
  t.equal(durations.length, 300);
  const sum = durations.reduce((total, line) => total + Number.parseFloat(line.slice(8)), 0);
  t.ok(Math.abs(sum - (300 * 6 * 15 * 1024) / 44_100) < 0.001, `${sum}`);
});

t.test('an empty window is still a playlist', async (t) => {
  const text = mediaPlaylist(new PretendStream().snapshot(), 'v0');
  t.equal(readByM3u8Parser(text).manifest.segments.length, 0);
  t.match(text, '#EXT-X-MEDIA-SEQUENCE:1\n');
  t.match(text, `URI="${run}-1-0.m4s"`);
  t.throws(() => mediaPlaylist(new PretendStream().snapshot(), 'v9'), { name: 'RangeError' });
});

t.test('a playlist of hours is the same whether it was put together at once or as it grew', async (t) => {
  const grown = new PretendStream();
  const steps = [70, 63, 1, 64, 200].map((count) => {
    grown.segments(count).epoch();
    return mediaPlaylist(grown.keep(300).snapshot(), 'v0');
  });
  const read = readMedia(steps.at(-1) ?? '', { shortSegments: true });
  const segments = read.segments.filter(({ uri }) => uri);
  t.same(segments.map(({ mediaSequenceNumber }) => mediaSequenceNumber), Array.from({ length: 300 }, (_, n) => n + 99));
  t.ok(segments.every(({ uri, mediaSequenceNumber }) => uri === `${run}-${mediaSequenceNumber}.m4s`));
  t.same(segments.filter(({ discontinuity }) => discontinuity).map(({ mediaSequenceNumber }) => mediaSequenceNumber), [134, 135, 199]);
  const fresh = new PretendStream();
  for (const count of [70, 63, 1, 64, 200]) fresh.segments(count).epoch();
  t.equal(mediaPlaylist(fresh.keep(300).snapshot(), 'v0'), steps.at(-1));
});

t.test('an epoch in which nothing came still counts, so that a track which had media in it agrees with one that had none', async (t) => {
  const stream = new PretendStream().segments(2).epoch().epoch().segments(4);
  const timelines = (): number[] => readByM3u8Parser(mediaPlaylist(stream.snapshot(), 'v0')).manifest.segments.map(({ timeline }) => timeline);
  t.same(timelines(), [0, 0, 2, 2, 2, 2]);
  stream.keep(4);
  t.same(timelines(), [2, 2, 2, 2]);
});
