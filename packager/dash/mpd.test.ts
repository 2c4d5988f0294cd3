import t from 'tap';
import { pictureAndSound, PretendStream } from '../hls/pretend-stream.ts';
import type { PresentationSnapshot } from '../snapshot.ts';
import { addressOf, attribute, childrenOf, readByMpdParser, readManifest, secondsOf, type Said } from './judges.ts';
import { frameRate, manifest, type ManifestRequest } from './mpd.ts';

const run = 'k3v9x0a2b7';
const uri = 'http://x/play/-/video-00000001/manifest.mpd';

const written = (snapshot: PresentationSnapshot, ask?: ManifestRequest): string => {
  const text = manifest(snapshot, ask);
  if (text === null) throw new Error('nothing to play');
  return text;
};
const said = (snapshot: PresentationSnapshot, ask?: ManifestRequest): Said => readManifest(written(snapshot, ask));
const numbers = ({ periods }: Said, id = 'v0'): number[][] =>
  periods.map(({ tracks }) => tracks.find((track) => track.id === id)?.segments.map(({ number }) => number) ?? []);

t.test('mpd-parser reads a recording of two epochs as it was meant, without a complaint', async (t) => {
  const stream = new PretendStream().segments(4).part().close().epoch().segments(3).end();
  const { read, video, audio, complaints } = readByMpdParser(written(stream.snapshot()), uri);
  t.same(complaints, []);
  t.ok(Math.abs(read.duration - (4 * 2 + 1 / 3 + 3 * 2)) < 1e-5, `${read.duration} s`);
  t.match(video[0]?.attributes, { NAME: 'v0', BANDWIDTH: 24_000, CODECS: 'avc1.640028', RESOLUTION: { width: 1920, height: 1080 } });
  t.match(audio[0]?.attributes, { NAME: 'a0', BANDWIDTH: 24_000, CODECS: 'mp4a.40.2' });
  for (const [id, list] of [['v0', video[0]], ['a0', audio[0]]] as const) {
    t.equal(list?.endList, true);
    t.same(list?.segments.map(({ resolvedUri }) => resolvedUri), Array.from({ length: 8 }, (_, n) => `http://x/play/-/video-00000001/${id}/${run}-${n + 1}.m4s`));
    t.same(list?.segments.map(({ map }) => /-(i\d)\.mp4$/.exec(map.resolvedUri)?.[1]), ['i0', 'i0', 'i0', 'i0', 'i0', 'i1', 'i1', 'i1']);
    t.same(list?.segments.map(({ presentationTime }) => Math.round(presentationTime * 1000)), [0, 2000, 4000, 6000, 8000, 8333, 10_333, 12_333]);
  }
});

t.test('live, a Period starts at the wall clock of its epoch, and an outage belongs to none', async (t) => {
  const stream = new PretendStream().segments(4).part().close().epoch(10_000).segments(3).part();
  const { root, type, periods } = said(stream.snapshot());
  t.equal(type, 'dynamic');
  t.equal(attribute(root, 'availabilityStartTime'), '2026-01-01T00:00:00.000Z');
  t.same(periods.map(({ id, start, duration }) => [id, start, duration]), [
    ['e0', 0, 8.333333],
    ['e1', 18.333333, null],
  ]);
  t.same(periods[1]?.tracks.map(({ offset, init }) => [offset, init]), [
    [750_000, `v0/${run}-i1.mp4`],
    [400_000, `a0/${run}-i1.mp4`],
  ]);
  t.equal(attribute(root, 'publishTime'), '2026-01-01T00:00:24.667Z', 'as new as the last part');
});

t.test('the segment in progress is listed with the length of those before it, once every track has begun it', async (t) => {
  const stream = new PretendStream().segments(4);
  t.same(numbers(said(stream.snapshot())), [[1, 2, 3, 4]]);
  const { root, periods } = said(stream.part().part().snapshot());
  t.same(periods[0]?.tracks.map(({ segments }) => segments.at(-1)), [
    { number: 5, start: 720_000, duration: 182_250 },
    { number: 5, start: 384_000, duration: 97_200 },
  ]);
  t.match(root.children.find(({ name }) => name === 'ServiceDescription')?.children[0]?.attributes, { target: '1500', min: '1006', max: '120000' });
  for (const { node } of periods[0]?.tracks ?? []) {
    t.match(childrenOf(node, 'SegmentTemplate')[0]?.attributes, { availabilityTimeOffset: '1.664', availabilityTimeComplete: 'false' });
  }
  t.match(root.attributes, { minimumUpdatePeriod: 'PT0.5S', suggestedPresentationDelay: 'PT4.2S', timeShiftBufferDepth: 'PT8S' });
});

t.test('where segments are not alike, the one in progress is not listed', async (t) => {
  const stream = new PretendStream().segments(2).segment(3).segments(1).part();
  t.same(numbers(said(stream.snapshot())), [[1, 2, 3, 4]]);
  t.same(numbers(said(stream.close().segments(3).part().snapshot())), [[1, 2, 3, 4, 5, 6, 7, 8, 9]], 'until they are again');
});

t.test('a new epoch is told of when every track has something of it', async (t) => {
  const stream = new PretendStream().segments(3).part(0.4).close().epoch();
  const before = stream.part().snapshot();
  const sound = before.tracks.map((track) => (track.kind === 'audio' ? { ...track, open: null } : track));
  t.same(numbers(said({ ...before, tracks: sound })), [[1, 2, 3, 4]]);
  t.same(numbers(said(before)), [[1, 2, 3, 4], [5]]);
});

t.test('without parts there is no low latency: closed segments, and a delay of three of them', async (t) => {
  const stream = new PretendStream({ latency: 'standard' }).segments(4).part();
  const text = written(stream.snapshot());
  t.notMatch(text, /ServiceDescription|availabilityTime(Offset|Complete)|low-latency/);
  t.same(numbers(readManifest(text)), [[1, 2, 3, 4]]);
  t.match(readManifest(text).root.attributes, { minimumUpdatePeriod: 'PT1S', suggestedPresentationDelay: 'PT6S', minBufferTime: 'PT2S' });
});

t.test('a sliding window moves no Period: start and offset stay, startNumber goes on', async (t) => {
  const stream = new PretendStream().segments(4).epoch().segments(8);
  const all = said(stream.snapshot());
  const slid = said(stream.keep(4).snapshot());
  const [kept, ...more] = slid.periods;
  t.same(more, []);
  t.same([kept?.id, kept?.start, kept?.tracks.map(({ offset }) => offset)], [all.periods[1]?.id, all.periods[1]?.start, all.periods[1]?.tracks.map(({ offset }) => offset)]);
  t.same(numbers(slid), [[9, 10, 11, 12]]);
  t.equal(attribute(slid.root, 'timeShiftBufferDepth'), 'PT8S');
});

t.test('a cut of a recording starts at zero, and its Periods follow each other', async (t) => {
  const stream = new PretendStream().segments(4).epoch().segments(8).end();
  stream.cut = { inMicros: 4_500_000, outMicros: 20_000_000 };
  const { root, periods, type } = said(stream.snapshot());
  t.equal(type, 'static');
  t.same(periods.map(({ id, start, tracks }) => [id, start, tracks[0]?.offset]), [['e0', 0, 360_000], ['e1', 4, 720_000]]);
  t.equal(attribute(root, 'mediaPresentationDuration'), 'PT16S');
});

t.test('who saw the show live keeps the timeline that he had when it ends', async (t) => {
  const stream = new PretendStream().segments(4).epoch().segments(8);
  const live = said(stream.snapshot());
  const after = said(stream.end().snapshot(), { wasLive: true });
  t.equal(after.type, 'static');
  t.same(after.periods.map(({ id, start, tracks }) => [id, start, tracks[0]?.offset]), live.periods.map(({ id, start, tracks }) => [id, start, tracks[0]?.offset]));
  t.equal(secondsOf(attribute(after.root, 'mediaPresentationDuration')), 34);
  t.ok(after.periods.every(({ duration }) => duration === null), 'dash.js adds up the durations of Periods, and an outage is none');
});

t.test('a rung without media is missing from Periods of its own, and the others go on', async (t) => {
  const tracks = [...pictureAndSound, { id: 'v1', kind: 'video', timescale: 90_000, partTicks: 30_000, height: 480, bandwidth: 1_000_000 } as const];
  const snapshot = new PretendStream({ tracks }).segments(9).part().snapshot();
  const holed = (msn: number): boolean => msn === 4 || msn === 5;
  const gone = snapshot.tracks.map((track) =>
    track.id === 'v1' ? { ...track, segments: track.segments.map((one) => (holed(one.msn) ? { ...one, gap: true, size: 0 } : one)) } : track,
  );
  const read = said({ ...snapshot, tracks: gone });
  t.same(read.periods.map(({ id, start, duration }) => [id, start, duration]), [['e0', 0, 6], ['e0-4', 6, 4], ['e0-6', 10, null]]);
  t.same(numbers(read, 'v1'), [[1, 2, 3], [], [6, 7, 8, 9, 10]]);
  t.same(numbers(read, 'v0'), [[1, 2, 3], [4, 5], [6, 7, 8, 9, 10]]);
  t.same(read.periods.map(({ tracks }) => tracks.map(({ offset, timescale }) => offset / timescale)), [[0, 0, 0], [6, 6], [10, 10, 10]]);
});

t.test('a clock that drifts begins a Period, so that latency is what players take it for', async (t) => {
  const snapshot = new PretendStream().segments(9).snapshot();
  const tracks = snapshot.tracks.map((track) => ({ ...track, segments: track.segments.map((one) => ({ ...one, slewMs: one.msn * 50 })) }));
  const { periods } = said({ ...snapshot, tracks });
  t.same(periods.map(({ id, start }) => [id, start]), [['e0', 0.05], ['e0-5', 8.25], ['e0-9', 16.45]]);
});

t.test('what comes from outside is escaped, and stays below the height that is allowed', async (t) => {
  const name = 'Le "son" <direct> & co\n\u0007';
  const tracks = pictureAndSound.map((track) => (track.kind === 'audio' ? { ...track, name, language: 'fr"' } : track));
  const snapshot = new PretendStream({ tracks }).segments(3).snapshot();
  const read = said(snapshot, { base: '../video&1/', location: '../video&1/manifest.mpd' });
  const set = childrenOf(read.root.children.find((node) => node.name === 'Period') ?? read.root, 'AdaptationSet')[1];
  t.equal(childrenOf(set ?? read.root, 'Label')[0]?.text, 'Le "son" <direct> & co\n ');
  t.equal(set?.attributes.lang, 'fr"');
  t.same(['BaseURL', 'Location'].map((element) => childrenOf(read.root, element)[0]?.text), ['../video&1/', '../video&1/manifest.mpd']);
  t.same(said(snapshot, { maxHeight: 720 }).periods[0]?.tracks.map(({ id }) => id), ['a0']);
});

t.test('a channel lists what lies under the video, wherever it is read from', async (t) => {
  const stream = new PretendStream().segments(3);
  const ask = { base: '../video-00000001/', location: '../video-00000001/manifest.mpd' };
  const read = readByMpdParser(written(stream.snapshot(), ask), 'http://x/play/-/@name/manifest.mpd');
  t.equal(read.video[0]?.segments[0]?.resolvedUri, `http://x/play/-/video-00000001/v0/${run}-1.m4s`);
  const track = said(stream.snapshot(), ask).periods[0]?.tracks[0];
  const [first] = track?.segments ?? [];
  t.equal(track && first && addressOf(track, first), `v0/${run}-1.m4s`);
});

t.test('there is no manifest before there is media', async (t) => {
  t.equal(manifest(new PretendStream().snapshot()), null);
  t.equal(manifest(new PretendStream().part().snapshot()), null, 'of a first segment nobody knows the length');
});

t.test('frame rates are whole numbers or fractions', async (t) => {
  t.same([30, 29.97, 30_000 / 1001, 23.976, 59.94, 25.0004, 12.5].map(frameRate), ['30', '30000/1001', '30000/1001', '24000/1001', '60000/1001', '25', '12500/1000']);
});

t.test('a manifest of 3,000 uneven segments is written in 2 ms', async (t) => {
  const stream = new PretendStream({ partBytes: 1 });
  for (let count = 0; count < 3000; count++) stream.part().part(count % 3 === 0 ? 0.98 : 1).close();
  const snapshot = stream.part().snapshot();
  for (let warm = 0; warm < 30; warm++) manifest(snapshot);
  const times = Array.from({ length: 21 }, () => {
    const from = performance.now();
    manifest(snapshot);
    return performance.now() - from;
  }).toSorted((a, b) => a - b);
  t.comment(`${(times[10] ?? 0).toFixed(2)} ms`);
  t.ok((times[0] ?? 99) <= 2, `${times[0]} ms at best`);
});
