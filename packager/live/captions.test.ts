/** Captions of a live show: on the grid of the pictures, whatever is said, and never in their way. */
import t from 'tap';
import { FakeClock } from '../clock.ts';
import { mediaPlaylist } from '../hls/media.ts';
import { multivariantPlaylist } from '../hls/multivariant.ts';
import { MemoryLog } from '../log/memory-log.ts';
import { rtmpClock } from '../media/unit.ts';
import { MICROS } from '../media/wire-time.ts';
import { readByMpdParser } from '../dash/judges.ts';
import { manifest } from '../dash/mpd.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { readCues, webVttSegment } from '../text/view.ts';
import { parseWebVtt } from '../text/webvtt.ts';
import { broken } from './laws.ts';
import { audioConfig, units, videoConfig } from './pretend-sender.ts';
import { recordingSnapshot } from './recording.ts';
import { LiveRun, type RunFacts } from './run.ts';
import { Show } from './show.ts';

const fault = (error: unknown): never => {
  throw error;
};
type Stage = { show: Show; readonly logs: Map<string, MemoryLog>; facts: RunFacts | null; readonly clock: FakeClock };
const stage = (): Stage => {
  const clock = new FakeClock();
  const made: Stage = {
    ...{ clock, logs: new Map(), facts: null },
    show: new Show({
      ...{ clock, wish: { latency: 'low', dvrSeconds: 0, captions: ['ko', 'en-GB'] }, fault },
      open: async (shape) => {
        made.facts = { video: 'video', run: 'firstrun', ...shape };
        for (const { id } of shape.tracks) made.logs.set(id, new MemoryLog());
        return new LiveRun({ facts: made.facts, logs: made.logs, clock, onFault: fault });
      },
    }),
  };
  return made;
};

const send = async ({ show }: Stage, ms: number, { shift = 0, only }: { shift?: number; only?: 'audio' } = {}): Promise<void> => {
  show.begin(rtmpClock);
  for (const config of only ? [audioConfig()] : [videoConfig, audioConfig()]) show.track(config);
  for (const unit of units(ms, { shift, ...(only && { only }) })) show.write(unit);
  await show.room();
};
const runOf = ({ show }: Stage): LiveRun => show.run ?? fault(new Error('the gate never opened'));
const factsOf = ({ facts }: Stage): RunFacts => facts ?? fault(new Error('the gate never opened'));
const trackOf = ({ tracks }: PresentationSnapshot, id: string): TrackSnapshot => tracks.find((track) => track.id === id) ?? fault(new Error(`no track ${id}`));

/** What a segment of captions says to whoever plays HLS. */
const vtt = async (made: Stage, id: string, index: number): Promise<string> => {
  const track = trackOf(runOf(made).snapshot(), id);
  const [part] = track.segments[index]?.parts ?? [];
  const log = made.logs.get(id);
  if (!part || !log) return fault(new Error(`no segment ${index}`));
  return webVttSegment(track.epochs[0]?.init ?? Buffer.alloc(0), Buffer.concat(await log.read(part.seq, part.seq + 1))).toString();
};

t.test('what nobody captions has segments too, exactly on the grid, and picture and sound are as without', async (t) => {
  const made = stage();
  await send(made, 11_000);
  await made.show.pause();
  const snapshot = runOf(made).snapshot();
  t.same(broken(snapshot), []);
  const [video, text] = [trackOf(snapshot, 'v0'), trackOf(snapshot, 't0')];
  t.same(text.segments.map(({ msn, start, duration, epoch, gap }) => ({ msn, start, duration, epoch, gap })), video.segments.map(({ msn, start, duration, epoch, gap }) => ({ msn, start, duration, epoch, gap })));
  t.same(await vtt(made, 't1', 2), 'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900630,LOCAL:00:00:10.007\n');
});

t.test('what is said is there from now on for as long as was said, in the language in which it was said', async (t) => {
  const made = stage();
  await send(made, 9_000);
  t.equal(made.show.caption('ko', { text: '안녕 <b>', durationMicros: 2.5 * MICROS }), 'said');
  t.equal(made.show.caption('fr', { text: 'non', durationMicros: MICROS }), 'no-language');
  for (const unit of units(6_000, { from: 9_000 })) made.show.write(unit);
  await made.show.pause();
  const snapshot = runOf(made).snapshot();
  const cues = await Promise.all(trackOf(snapshot, 't0').segments.map(async (_, index) => parseWebVtt(await vtt(made, 't0', index)).cues));
  t.same(cues.map((list) => list.length), [0, 0, 0, 0, 1, 1, 1, 0], 'segments end at 9, 11 and 13 s here');
  const [first, second] = cues.flat();
  t.same(first, second, 'told alike in both segments');
  t.match(first, { text: '안녕 &lt;b&gt;' });
  t.ok(first && Math.abs(first.startMicros - 9 * MICROS) < 100_000 && first.endMicros - first.startMicros === 2.5 * MICROS);
  t.same(readCues(Buffer.concat(await (made.logs.get('t1') ?? fault('no log')).read(0, 8))), []);
});

t.test('what comes too late for its segment is shown in the next; more than anybody reads is refused', async (t) => {
  const made = stage();
  await send(made, 9_000);
  t.equal(made.show.caption('ko', { text: 'late', startMicros: MICROS, durationMicros: MICROS }), 'said');
  for (let count = 0; count < 199; count += 1) made.show.caption('ko', { text: 'x', durationMicros: MICROS });
  t.equal(made.show.caption('ko', { text: 'y', durationMicros: MICROS }), 'full');
  await made.show.pause();
  t.match(parseWebVtt(await vtt(made, 't0', 4)).cues[0], { text: 'late', startMicros: 8 * MICROS });
});

t.test('sound alone has captions as well', async (t) => {
  const made = stage();
  await send(made, 13_000, { only: 'audio' });
  await made.show.pause();
  const snapshot = runOf(made).snapshot();
  t.same(trackOf(snapshot, 't0').segments.length, trackOf(snapshot, 'a0').segments.length);
  t.match(multivariantPlaylist(snapshot), /STREAM-INF.*,SUBTITLES="captions"\n/);
});

t.test('a new epoch, a restart in the middle of a segment, a recording: the same numbers in all tracks', async (t) => {
  const made = stage();
  await send(made, 7_000);
  made.show.caption('ko', { text: 'before', durationMicros: 20 * MICROS });
  await made.show.pause();
  await send(made, 5_000, { shift: 1_000_000 });
  await made.show.pause();
  t.same(broken(runOf(made).snapshot(), { shortParts: true }), []);
  // A kill: the last fragments of the captions never reached their log, nor did the last epoch.
  const text = made.logs.get('t0') ?? fault(new Error('no log'));
  const { entry, epochs } = text.snapshot();
  const left = new MemoryLog();
  await left.beginEpoch(epochs[0] ?? fault(new Error('no epoch')));
  for (let seq = 0; entry(seq).epoch === 0; seq += 1) await left.append(entry(seq), await text.read(seq, seq + 1));
  const logs = new Map([...made.logs].map(([id, log]) => [id, id === 't0' ? left : log.reopen()]));
  const run = new LiveRun({ facts: factsOf(made), names: 'secondrun', logs, clock: made.clock, onFault: fault });
  await run.alignTracks();
  made.show = new Show({ clock: made.clock, wish: { latency: 'low', dvrSeconds: 0, captions: [] }, fault, run, open: () => fault(new Error('opened twice')) });
  await send(made, 5_000);
  t.equal(made.show.caption('ko', { text: 'after', durationMicros: MICROS }), 'said');
  await made.show.finish();
  const snapshot = run.snapshot();
  t.same(broken(snapshot, { shortParts: true }), []);
  t.notOk(trackOf(snapshot, 't0').segments.some(({ gap }) => gap), 'never a hole');
  const recorded = await recordingSnapshot(factsOf(made), logs);
  t.same(recorded?.tracks.map(({ id, language, endSegment }) => [id, language, endSegment]), [['v0', undefined, 10], ['a0', undefined, 10], ['t0', 'ko', 10], ['t1', 'en-GB', 10]]);
});

t.test('manifests name them; their playlist has no parts, no init, and the same numbers', async (t) => {
  const made = stage();
  await send(made, 11_500);
  await runOf(made).settled();
  const snapshot = runOf(made).snapshot();
  const master = multivariantPlaylist(snapshot);
  t.match(master, '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="한국어",LANGUAGE="ko",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="t0/index.m3u8"\n');
  t.match(master, /STREAM-INF.*,SUBTITLES="captions",CLOSED-CAPTIONS=NONE\nv0/);
  const [playlist, video] = [mediaPlaylist(snapshot, 't0'), mediaPlaylist(snapshot, 'v0')];
  t.notMatch(playlist, /EXT-X-PART|EXT-X-MAP|PRELOAD-HINT/);
  const shared = (text: string): string[] => text.split('\n').filter((line) => /TARGETDURATION|MEDIA-SEQUENCE|DISCONTINUITY|SERVER-CONTROL/.test(line));
  t.same(shared(playlist), shared(video));
  t.match(playlist, /#EXTINF:2\.000000,\nfirstrun-1\.vtt\n/);
  t.match(video, '#EXT-X-RENDITION-REPORT:URI="../t0/index.m3u8",LAST-MSN=5\n');
  const mpd = manifest(snapshot) ?? '';
  t.match(mpd, /<AdaptationSet id="2" contentType="text" mimeType="application\/mp4" lang="ko"[^>]*>\s*<Label>한국어<\/Label>\s*<Role[^>]*value="subtitle"/);
  const { read, complaints } = readByMpdParser(mpd, 'http://x/play/-/video/manifest.mpd');
  t.same(complaints, []);
  const groups = (read as unknown as { mediaGroups: { SUBTITLES: { subs: Record<string, { language: string; playlists: { segments: { resolvedUri: string }[] }[] }> } } }).mediaGroups.SUBTITLES.subs;
  t.same(Object.values(groups).map(({ language, playlists }) => [language, playlists[0]?.segments.at(0)?.resolvedUri]), [['ko', 'http://x/play/-/video/t0/firstrun-1.m4s'], ['en-GB', 'http://x/play/-/video/t1/firstrun-1.m4s']]);
  t.match(mpd, /<Representation id="t0" bandwidth="2000" codecs="wvtt">\s*<SegmentTemplate timescale="90000" init/);
});
