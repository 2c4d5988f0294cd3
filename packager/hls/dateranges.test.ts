/** Events as date ranges: judged by m3u8-parser, against the dates of the segments around them. */
import { Parser } from 'm3u8-parser';
import t from 'tap';
import { textTag } from '../media/id3.ts';
import type { PresentationSnapshot, TimedEvent } from '../snapshot.ts';
import { dateRanges } from './dateranges.ts';
import { mediaPlaylist } from './media.ts';
import { PretendStream } from './pretend-stream.ts';
import { listed } from './window.ts';

// The samples of SCTE 35 2019, section 14.
const insertOut = Buffer.from('/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=', 'base64');
const placementStart = Buffer.from('/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==', 'base64');
const placementEnd = Buffer.from('/DAvAAAAAAAA///wBQb+dGKQoAAZAhdDVUVJSAAAjn+fCAgAAAAALKChijUCAKnMZ1g=', 'base64');

const wall = Date.UTC(2026, 0, 1);
let ids = 0;
const at = (seconds: number, data: Buffer, more: Partial<TimedEvent> = {}): TimedEvent => {
  ids += 1;
  return { id: String(ids), scheme: data[0] === 0xfc ? 'scte35' : 'id3', epoch: 0, msn: 1 + Math.floor(seconds / 2), micros: seconds * 1e6, durationMicros: null, data, ...more };
};
const withEvents = (stream: PretendStream, events: readonly TimedEvent[]): PresentationSnapshot => ({ ...stream.snapshot(), events });

type Range = { readonly id: string; readonly startDate: Date; readonly duration?: number; readonly plannedDuration?: number; readonly scte35Out?: unknown; readonly scte35In?: unknown; readonly class?: string };
const parsed = (text: string): readonly Range[] => {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return (parser.manifest as unknown as { dateRanges: Range[] }).dateRanges;
};
const lines = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('#EXT-X-DATERANGE'));

t.test('an out and its in are one range, dated like the segments', async (t) => {
  const stream = new PretendStream({ wallClock: wall }).segments(20);
  const snapshot = withEvents(stream, [at(4, placementStart), at(10.5, placementEnd)]);
  const text = mediaPlaylist(snapshot, 'v0');
  const [range, ...more] = parsed(text);
  t.same(more, [], 'two tags with one ID are one range');
  t.match(range, { startDate: new Date(wall + 4000), duration: 6.5 });
  t.ok(Math.abs((range?.plannedDuration ?? 0) - 0x1a5_99b0 / 90_000) < 0.001);
  const [out = '', back = ''] = lines(text);
  t.ok(out.includes(`SCTE35-OUT=0x${placementStart.toString('hex').toUpperCase()}`));
  t.ok(back.includes(`SCTE35-IN=0x${placementEnd.toString('hex').toUpperCase()}`));
  t.notOk(out.includes('SCTE35-IN') || out.includes(',DURATION='), 'what was said before the in came stays what it was');
  t.same(lines(mediaPlaylist(withEvents(stream, [...snapshot.events].slice(0, 1)), 'v0')), [out]);
});

t.test('a splice that is announced again and again is one range', async (t) => {
  const stream = new PretendStream({ wallClock: wall }).segments(20);
  t.equal(lines(mediaPlaylist(withEvents(stream, [at(8, insertOut, { msn: 2 }), at(8, insertOut, { msn: 3 }), at(8.01, insertOut, { msn: 4 })]), 'v0')).length, 1);
});

t.test('ID3 is there as it was sent, and very long tags are left to the media', async (t) => {
  const stream = new PretendStream({ wallClock: wall }).segments(5);
  const tag = textTag('onTextData', 'goal');
  const text = mediaPlaylist(withEvents(stream, [at(3, tag, { durationMicros: 1_500_000 }), at(5, textTag('x', 'y'.repeat(3000)))]), 'a0');
  t.match(parsed(text), [{ class: 'org.id3', startDate: new Date(wall + 3000), duration: 1.5 }]);
  t.ok(text.includes(`,X-ID3=0x${tag.toString('hex').toUpperCase()}\n`));
});

t.test('ranges stay while they are inside the window, and a delta has them all', async (t) => {
  const stream = new PretendStream({ wallClock: wall }).segments(40).keep(10);
  const events = [at(2, textTag('a', 'gone')), at(59, textTag('b', 'reaches in'), { durationMicros: 2e6 }), at(70, textTag('c', 'inside')), at(95, insertOut, { msn: 40 })];
  const snapshot = withEvents(stream, events);
  const full = lines(mediaPlaylist(snapshot, 'v0'));
  t.equal(full.length, 3, 'what comes after the last segment is announced');
  const delta = mediaPlaylist(withEvents(stream.part(), events), 'v0', { skip: true });
  t.match(delta, /#EXT-X-SKIP/);
  t.same(lines(delta), full);
  stream.end();
  const ended = withEvents(stream, events);
  t.same(lines(mediaPlaylist(ended, 'v0', { whole: true })).map((line) => /ID="([^"]+)"/.exec(line)?.[1]?.split('-')[0]), ['id3', 'id3', 'id3'], 'what was announced and never came is not in the recording');
});

t.test('a cut has the ranges of what it lists', async (t) => {
  const stream = new PretendStream({ wallClock: wall }).segments(20).end();
  stream.cut = { inMicros: 10e6, outMicros: 20e6 };
  const snapshot = withEvents(stream, [at(5, textTag('a', '')), at(12, textTag('b', '')), at(25, textTag('c', ''))]);
  t.match(parsed(mediaPlaylist(snapshot, 'v0', { whole: true })), [{ startDate: new Date(wall + 12_000) }]);
});

t.test('dates follow the epoch and its slew, and damaged sections are carried as commands', async (t) => {
  const stream = new PretendStream({ wallClock: wall }).segments(5).epoch(60_000).segments(5);
  const broken = Buffer.from(insertOut);
  broken[20] = 0;
  const snapshot = withEvents(stream, [at(12, broken, { epoch: 1, msn: 7 })]);
  const [track] = snapshot.tracks;
  if (!track) return t.fail('no track');
  const text = dateRanges(snapshot, track, listed(snapshot, track));
  t.match(text, `START-DATE="${new Date(wall + 12_000 + 60_000).toISOString()}",SCTE35-CMD=0x`);
});

t.test('whoever talks without pause makes no playlist of megabytes', async (t) => {
  const stream = new PretendStream({ wallClock: wall }).segments(30);
  t.equal(lines(mediaPlaylist(withEvents(stream, Array.from({ length: 5000 }, (_, index) => at(index / 100, textTag('a', String(index))))), 'v0')).length, 1000);
});

t.test('large tags are fewer, the newest; and a new one costs nothing of what the others say', async (t) => {
  const stream = new PretendStream({ wallClock: wall }).segments(30);
  let written = 0;
  const counted = (data: Buffer): Buffer => {
    const toString = data.toString.bind(data);
    data.toString = (...args) => {
      written += 1;
      return toString(...args);
    };
    return data;
  };
  const events = Array.from({ length: 500 }, (_, index) => at(index / 100, counted(textTag('a', `${index} `.padEnd(900, 'x')))));
  const text = lines(mediaPlaylist(withEvents(stream, events), 'v0'));
  t.ok(text.length > 100 && text.join('').length <= 256 * 1024, `${text.length} of ${text.join('').length} bytes`);
  t.ok(text.at(-1)?.includes(`ID="id3-${ids}"`));
  t.equal(written, 500);
  mediaPlaylist(withEvents(stream, [...events, at(5.5, counted(textTag('a', 'new')))]), 'v0');
  t.equal(written, 501);
});
