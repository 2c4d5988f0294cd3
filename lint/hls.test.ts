/**
 * A stream that keeps every rule has no finding; and with one thing put wrong, exactly the rule that is meant for it
 * speaks. Time is virtual: each line is a whole watch of 40 seconds.
 */
import t from 'tap';
import { catalogue, type RuleId } from './catalogue.ts';
import { fragmentOf, initOf } from './testing/boxes.ts';
import { GoodStream, iso, origin, problem, segmentOf, tracks, type Reply, type StreamOptions, type Tamper } from './testing/good-stream.ts';
import { VirtualTime } from './testing/virtual-time.ts';
import { watchStream } from './watch/watch.ts';

const look = async (how: Tamper | (StreamOptions & { readonly seconds?: number }) = {}) => {
  const time = new VirtualTime();
  const stream = new GoodStream(time, typeof how === 'function' ? { tamper: how } : how);
  return time.drive(watchStream([`${origin}master.m3u8`], { fetch: stream.fetch, time, seconds: typeof how === 'function' ? 60 : (how.seconds ?? 60) }));
};

t.test('a stream that keeps the rules has no finding, over an outage and its end', async (t) => {
  const { findings, counts } = await look();
  t.same(findings, []);
  t.ok(counts.deltas > 50 && counts.parts > 100 && counts.hints > 80 && counts.segments > 60 && counts.inits === 6, JSON.stringify(counts));
  t.equal(counts.skipped, 0);
});

t.test('a new key of samples brings an init segment of its own, also ahead of a hint, and is no discontinuity', async (t) => {
  const key = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key",KEYFORMAT="identity",IV=0x00\n';
  const keyed = edit(/^v0\/index/, (text) => text.replace(/(#EXT-X-PRELOAD-HINT.*-0\.m4s")/, `#EXT-X-MAP:URI="i-0.mp4?2"\n${key}$1`));
  t.same((await look({ tamper: keyed, seconds: 30 })).findings, []);
  const between = edit(/iframes/, (text) => (/k-8/.test(text) ? text.replace('#EXTINF:2.000000,\nk-9', `#EXT-X-MAP:URI="i-0.mp4?2"\n${key}#EXTINF:2.000000,\nk-9`) : text.replace('#EXT-X-MAP:URI="i-0.mp4"\n', `#EXT-X-MAP:URI="i-0.mp4?2"\n${key}`)));
  t.same((await look({ tamper: between, seconds: 30 })).findings.map(({ rule }) => rule), []);
});

t.test('a stream that ends while it is asked strange things is no fault', async (t) => {
  const strange = /_HLS_msn=(?:soon|-1|111)$|^_HLS_part=0$/;
  const { findings } = await look((reply, { query }) => (strange.test(query) ? { ...reply, status: 200, headers: new Map([...reply.headers, ['content-type', 'text/plain']]), body: Buffer.from('#EXTM3U\n#EXT-X-ENDLIST\n') } : undefined));
  t.same(findings, []);
});

const [video, audio] = tracks;
if (!video || !audio) throw new Error('no tracks');

type Edit = (text: string, query: string, now: number) => string;

/** Changes the text of what has this path. */
const edit = (path: RegExp, change: Edit): Tamper => (reply, request) =>
  path.test(request.path) && reply.status === 200 ? { ...reply, body: Buffer.from(change(reply.body.toString(), request.query, request.now)) } : undefined;

const master = (from: string | RegExp, to: string): Tamper => edit(/^master/, (text) => text.replace(from, to));
/** All media playlists with parts. */
const lists = (from: string | RegExp, to: string): Tamper => edit(/^[va]0\/index/, (text) => text.replace(from, to));
const list = (from: string | RegExp, to: string): Tamper => edit(/^v0\/index/, (text) => text.replace(from, to));
/** From this moment of the clock on. */
const later = (tamper: Tamper, from = 3_000): Tamper => (reply, request) => (request.now >= from ? tamper(reply, request) : undefined);
const header = (path: RegExp, name: string, value: string | null): Tamper => (reply, request) => {
  if (!path.test(request.path)) return;
  if (value === null) reply.headers.delete(name);
  else reply.headers.set(name, value);
};
const bytes = (path: RegExp, make: (body: Buffer, file: string) => Buffer): Tamper => (reply, { path: asked, file }) => {
  if (!path.test(asked) || reply.status !== 200) return;
  const body = make(reply.body, file);
  return { ...reply, body, headers: new Map(reply.headers).set('content-length', String(body.length)) };
};
const status = (path: RegExp, code: number, query = /^/): Tamper => (reply, request) => (path.test(request.path) && query.test(request.query) ? problem(code) : reply);
/** One part of the picture made otherwise, also where it lies in its segment. */
const fragment = (msn: number, part: number, how: Partial<Parameters<typeof fragmentOf>[0]>): Tamper => {
  const time = ((msn - 1) * 4 + part) * 45_000;
  const made = fragmentOf({ time, samples: 5, ticks: 9_000, key: part === 0, text: 'other', ...how });
  return bytes(new RegExp(`^v0/(?:p-${msn}-${part}|s-${msn})\\.m4s`), (body, file) => {
    if (file.startsWith('p')) return made;
    const size = body.length / 4;
    return Buffer.concat([body.subarray(0, part * size), made, body.subarray((part + 1) * size)]);
  });
};
/** Only the first answer that it changes. */
const first = (tamper: Tamper): Tamper => {
  let done = false;
  return (reply, request) => {
    const other = done ? undefined : tamper(reply, request);
    done ||= other !== undefined && other !== reply;
    return other;
  };
};
const swap = (text: string, from: RegExp, to: (...groups: string[]) => string): string => text.replace(from, (...all: unknown[]) => to(...all.map(String)));

/** Renumbers MEDIA-SEQUENCE of a playlist. */
const shifted = (text: string, by: number): string => swap(text, /MEDIA-SEQUENCE:(\d+)/, (_, number) => `MEDIA-SEQUENCE:${Number(number) + by}`);

/** Last: what cannot but follow from it. */
const planted: readonly (readonly [RuleId, string, Tamper | (StreamOptions & { readonly seconds?: number }), ...RuleId[]])[] = [
  ['http/unreachable', 'a part that never comes whole', (reply, { path }) => (path === 'v0/p-11-2.m4s' ? { ...reply, status: 0, trouble: { rule: 'http/unreachable', says: 'reset' } } : undefined)],
  ['http/status', 'a segment that is listed and not there', status(/^v0\/s-11\.m4s/, 404)],
  ['http/length', 'a Content-Length that is not that of the body', header(/^v0\/s-11\.m4s/, 'content-length', '12')],
  ['http/cors', 'an error that no page may read', (reply) => (reply.status >= 400 && reply.headers.delete('access-control-allow-origin') ? reply : undefined)],
  ['http/mime', 'a playlist as text/plain', header(/index\.m3u8/, 'content-type', 'text/plain')],
  ['http/gzip', 'playlists as they are', header(/^v0\/index\.m3u8/, 'content-encoding', null)],
  ['http/date', 'no Date', header(/^a0\/i-0/, 'date', null)],
  ['http/cache-live', 'a live playlist that is kept for an hour', header(/^v0\/index/, 'cache-control', 'public, max-age=3600')],
  ['http/cache-media', 'a part that is not kept', header(/^v0\/p-11-1/, 'cache-control', 'no-cache')],

  ['hls/syntax', 'an attribute list without a value', edit(/index/, (text) => text.replace('HOLD-BACK=6.0', 'HOLD-BACK'))],
  ['hls/syntax', 'no EXTM3U', list('#EXTM3U\n', '')],
  ['hls/syntax', 'a segment without EXTINF', edit(/iframes/, (text) => text.replace('#EXTINF:2.000000,\nk-5', 'k-5'))],
  ['hls/version', 'SERVER-CONTROL under version 6', lists('VERSION:9', 'VERSION:6')],
  ['hls/target-duration', 'a segment that rounds to more', edit(/iframes/, (text) => text.replace('TARGETDURATION:2', 'TARGETDURATION:1'))],
  ['hls/part-inf', 'parts without PART-INF', edit(/^[va]0\/index/, (text) => text.replace(/#EXT-X-PART-INF.*\n/, '').replace(/#EXT-X-PRELOAD.*\n/, ''))],
  ['hls/part-target', 'a part longer than PART-TARGET', lists('PART-TARGET=0.5\n', 'PART-TARGET=0.49\n')],
  ['hls/part-floor', 'parts much shorter than PART-TARGET', edit(/index/, (text) => text.replace('PART-TARGET=0.5\n', 'PART-TARGET=0.6\n').replace('PART-HOLD-BACK=1.5', 'PART-HOLD-BACK=1.8'))],
  ['hls/part-hold-back', 'no PART-HOLD-BACK', edit(/index/, (text) => text.replace(',PART-HOLD-BACK=1.5', ''))],
  ['hls/part-hold-back-short', 'PART-HOLD-BACK of two parts and a half, as gohlslib', edit(/index/, (text) => text.replace('PART-HOLD-BACK=1.5', 'PART-HOLD-BACK=1.25'))],
  ['hls/hold-back', 'HOLD-BACK of two target durations', edit(/index/, (text) => text.replace(',HOLD-BACK=6.0', ',HOLD-BACK=4.0'))],
  ['hls/skip-until', 'CAN-SKIP-UNTIL of five target durations', edit(/index/, (text) => text.replace('UNTIL=12.0', 'UNTIL=10.0'))],
  ['hls/parts-sum', 'a part that says less than it is', edit(/^v0\/index/, (text) => text.replace(/DURATION=0.500000,URI="p-12-3/, 'DURATION=0.499000,URI="p-12-3'))],
  ['hls/parts-old', 'parts of all segments', edit(/^v0\/index/, (text, query) => (query.includes('skip') ? text : swap(text, /#EXTINF:2.000000,\ns-4\.m4s/, () => `${Array.from({ length: 4 }, (_, part) => `#EXT-X-PART:DURATION=0.500000,URI="p-4-${part}.m4s"${part === 0 ? ',INDEPENDENT=YES' : ''}\n`).join('')}#EXTINF:2.000000,\ns-4.m4s`)))],
  ['hls/late-tag', 'a date behind the first part', edit(/^v0\/index/, (text) => swap(text, /(#EXT-X-PROGRAM.*\n)(#EXT-X-PART:.*p-12-0.*\n)/, (_, date = '', part = '') => part + date))],
  ['hls/map', 'fMP4 without a MAP', edit(/iframes/, (text) => text.replace(/#EXT-X-MAP.*\n/g, ''))],
  ['hls/key-map', 'AES-128 ahead of the MAP, without an IV', edit(/iframes/, (text) => text.replace('#EXT-X-MAP', '#EXT-X-KEY:METHOD=AES-128,URI="key"\n#EXT-X-MAP'))],
  ['hls/map-changed', 'another MAP without a DISCONTINUITY', edit(/iframes/, (text) => (/k-8/.test(text) ? text.replace('#EXTINF:2.000000,\nk-9', '#EXT-X-MAP:URI="i-0.mp4?2"\n#EXTINF:2.000000,\nk-9') : text.replace('i-0.mp4', 'i-0.mp4?2')))],
  ['hls/date-missing', 'one segment without a date', edit(/iframes/, (text) => text.replace(/#EXT-X-PROGRAM.*\n(?=#EXTINF.*\nk-7)/, ''))],
  ['hls/date-drift', 'a date half a second off', edit(/iframes/, (text) => swap(text, /PROGRAM-DATE-TIME:(.*)(?=\n#EXTINF.*\nk-7)/, (_, date = '') => `PROGRAM-DATE-TIME:${iso(Date.parse(date) + 500)}`))],
  ['hls/hint-missing', 'no hint', lists(/#EXT-X-PRELOAD.*\n/, '')],
  ['hls/hint', 'two hints', lists(/(#EXT-X-PRELOAD.*\n)/, '$1#EXT-X-PRELOAD-HINT:TYPE=PART,URI="another"\n')],
  ['hls/first-part', 'a first part that nobody can begin with', edit(/^v0\/index/, (text) => text.replace('p-12-0.m4s",INDEPENDENT=YES', 'p-12-0.m4s"'))],
  ['hls/start', 'a start beyond the end', list('#EXT-X-TARGET', '#EXT-X-START:TIME-OFFSET=1000\n#EXT-X-TARGET')],
  ['hls/start', 'a start inside the hold-back', list('#EXT-X-TARGET', '#EXT-X-START:TIME-OFFSET=-0.5\n#EXT-X-TARGET')],
  ['hls/start', 'a start of all playlists beyond their end', master('#EXT-X-MEDIA', '#EXT-X-START:TIME-OFFSET=-500\n#EXT-X-MEDIA')],
  ['hls/playlist-type', 'VOD that has not ended', edit(/iframes/, (text) => (text.includes('ENDLIST') ? text : text.replace('#EXT-X-TARGET', '#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-TARGET')))],
  ['hls/uri-twice', 'an address for two segments', edit(/iframes/, (text) => text.replace('k-13.m4s', 'k-12.m4s'))],
  ['hls/uri-twice', 'an address that was another segment long ago', edit(/iframes/, (text) => text.replace('k-20.m4s', 'k-2.m4s'))],
  ['hls/daterange', 'an end that is not start and duration', list('DURATION=2.000', 'DURATION=3.000')],
  ['hls/daterange', 'no ID', list('ID="ad",', '')],
  ['hls/daterange-scte35', 'SCTE-35 in Base64', list(/SCTE35-OUT=0x[0-9A-F]+/, 'SCTE35-OUT="/DAgAAAA"')],
  ['hls/daterange-changed', 'another end than was said', later(edit(/^v0\/index/, (text) => text.replace(/,END-DATE="[^"]*",DURATION=2.000/, ',DURATION=5.000').replace('CLASS="ad"', 'CLASS="da"')))],

  ['hls/version-changed', 'another version', later(edit(/iframes/, (text) => text.replace('VERSION:9', 'VERSION:10')))],
  ['hls/target-duration-changed', 'TARGETDURATION grows', later(edit(/iframes/, (text) => text.replace('DURATION:2', 'DURATION:3')))],
  ['hls/part-target-changed', 'PART-TARGET follows the parts, as in gohlslib', later(lists('PART-TARGET=0.5\n', 'PART-TARGET=0.499999999\n'))],
  ['hls/server-control-changed', 'SERVER-CONTROL changes in all playlists', later(edit(/index/, (text) => text.replace('HOLD-BACK=6.0', 'HOLD-BACK=7.0')), 20_000), 'pres/server-control'],
  ['hls/sequence-back', 'MEDIA-SEQUENCE goes back', later(edit(/iframes/, (text) => shifted(text, -1)))],
  ['hls/sequence-wrong', 'MEDIA-SEQUENCE counts on without a removal', later(edit(/iframes/, (text) => shifted(text, 1)))],
  ['hls/discontinuity-sequence', 'a DISCONTINUITY leaves and is not counted', edit(/iframes/, (text) => text.replace('DISCONTINUITY-SEQUENCE:1', 'DISCONTINUITY-SEQUENCE:0'))],
  ['hls/segment-changed', 'a segment gets another length', later(edit(/iframes/, (text) => text.replace(/2\.000000,\nk-8/, '1.999000,\nk-8')))],
  ['hls/part-changed', 'a part loses INDEPENDENT', edit(/^a0\/index/, (text) => (/p-12-3.m4s",IND/.test(text) ? text.replace('p-12-2.m4s",INDEPENDENT=YES', 'p-12-2.m4s"') : text))],
  ['hls/removed-early', 'a playlist of two segments', { listed: (now) => (now < 5_000 ? 10 : 2) }],
  ['hls/gone-early', 'a segment is gone with its line', later(status(/^v0\/s-[1-6]\./, 404), 1_000)],
  ['hls/gone-early', 'a part is gone with its line', status(/^v0\/p-8-/, 404)],
  ['hls/after-end', 'a segment less after the end', edit(/iframes/, (text, _, now) => (now >= 42_400 ? text.replace(/#EXT-X-PROGRAM.*\n#EXTINF.*\nk-26.m4s\n/, '') : text))],
  ['hls/hint-kept', 'a hint by another name', edit(/^v0\/index/, (text) => text.replace(/(HINT.*)p-12-2.m4s/, '$1p-12-2.m4s?other'))],
  ['hls/hint-answer', 'a hint answered with other bytes', (() => {
    let asked = 0;
    return bytes(/^v0\/p-12-2/, (body) => ((asked += 1) === 1 ? body.subarray(0, -1) : body));
  })()],

  ['delta/unasked', 'a delta for whoever asks for all', { rewrite: (path, query, now) => (path === 'a0/index.m3u8' && now > 3_000 && query.includes('_part') ? `${query}&_HLS_skip=YES` : query) }],
  ['delta/boundary', 'a delta that skips too much', { boundary: 10 }],
  ['delta/merge', 'a delta that skips what nobody has', edit(/^v0\/index/, (text) => text.replace(/SKIPPED-SEGMENTS=\d+/, 'SKIPPED-SEGMENTS=90'))],
  ['delta/differs', 'the full playlist has another date', (() => {
    let last = '';
    return edit(/^v0\/index/, (text, query) => {
      const again = last === `${query}&_HLS_skip=YES`;
      last = query;
      return again ? text.replace(/(PROGRAM-DATE-TIME:.*)000Z(?=\n#EXTINF.*\ns-6)/, '$1001Z') : text;
    });
  })()],
  ['delta/map', 'a delta without a MAP', edit(/^v0\/index/, (text) => text.replace(/(SKIPPED-SEGMENTS=\d+\n)#EXT-X-MAP.*\n/, '$1'))],

  ['reload/stale', 'an answer without what was asked for', (() => {
    let last: Reply | null = null;
    return (reply, { path, query }) => {
      if (!path.startsWith('a0/index') || !query.includes('part')) return;
      const stale = last !== null && /msn=12/.test(query) ? last : undefined;
      last = query.includes('skip') || stale ? null : reply;
      return stale;
    };
  })()],
  ['reload/status', 'a blocked reload that is not found', first(status(/^v0\/index/, 404, /msn=12&_HLS_part=2/))],
  ['reload/held', 'a reload that is held for ever', first((reply, { path, query }) => (path === 'v0/index.m3u8' && /msn=12&_HLS_part=2/.test(query) ? { ...reply, status: 0, holdMs: 11_000, trouble: { rule: 'http/unreachable', says: 'no answer' } } : undefined))],
  ['reload/too-far', 'a segment of tomorrow is waited for', (reply, { path, query }) => (path === 'v0/index.m3u8' && query === '_HLS_msn=111' ? { ...reply, status: 200, headers: reply.headers.set('content-type', 'text/plain') } : undefined)],
  ['reload/part-alone', 'a part of no segment', (reply, { path, query }) => (path === 'v0/index.m3u8' && query === '_HLS_part=0' ? { ...reply, status: 200 } : undefined)],
  ['reload/part-alone', 'a part of no segment', (reply, { path, query }) => (path === 'a0/index.m3u8' && query === '_HLS_part=0' ? { ...reply, status: 404 } : undefined)],
  ['reload/garbage', 'a word for a number', (reply, { path, query }) => (path === 'v0/index.m3u8' && query === '_HLS_msn=soon' ? { ...reply, status: 200 } : undefined)],
  ['reload/old', 'what has passed is a 400, as in gohlslib', status(/^v0\/index/, 400, /_HLS_msn=1&/)],
  ['reload/future-part', 'a part of the future is a 503', (reply, { path }) => (path.startsWith('v0/p-') && reply.status === 404 ? { ...reply, status: 503 } : undefined)],

  ['pace/part', 'no part for almost three seconds', { breaks: false, away: 2.3 }],
  ['pace/segment', 'ten seconds of nothing, and no DISCONTINUITY', { breaks: false }, 'pace/part'],

  ['pres/target-duration', 'one playlist with another TARGETDURATION', (reply, request) => edit(/index/, (text) => text.replace('CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0,', '').replace('TARGETDURATION:2', `TARGETDURATION:${request.path.startsWith('c0') ? 3 : 2}`))(reply, request)],
  ['pres/server-control', 'one playlist with another hold-back', edit(/^a0\/index/, (text) => text.replace(',HOLD-BACK=6.0', ',HOLD-BACK=6.5'))],
  ['pres/discontinuities', 'the picture returns 3 s later than the sound', edit(/iframes/, (text) => text.replaceAll(/(?<=PROGRAM-DATE-TIME:)(.*)/g, (date) => (Date.parse(date) > Date.UTC(2026, 0, 1, 0, 0, 15, 500) ? iso(Date.parse(date) + 3_000) : date)))],
  ['pres/dates', 'one playlist without dates', edit(/c0/, (text) => text.replace(/#EXT-X-PROGRAM.*\n/g, ''))],
  ['pres/report-missing', 'no report', lists(/#EXT-X-RENDITION-REPORT.*\n/, '')],
  ['pres/report', 'a report that is five segments ahead', edit(/^v0\/index/, (text) => swap(text, /LAST-MSN=(\d+)/, (_, number) => `LAST-MSN=${Number(number) + 5}`))],

  ['multi/codecs', 'no CODECS', master(/CODECS="avc[^"]*mp4a[^"]*",/, '')],
  ['multi/codecs-init', 'the profile of another stream', master('avc1.64001f,', '')],
  ['multi/resolution', 'no RESOLUTION', master(',RESOLUTION=640x360,FRAME', ',FRAME')],
  ['multi/resolution', 'another RESOLUTION', master('RESOLUTION=640x360,FRAME', 'RESOLUTION=1280x720,FRAME')],
  ['multi/frame-rate', 'no FRAME-RATE', master(',FRAME-RATE=10.000', '')],
  ['multi/frame-rate', 'another FRAME-RATE', master('FRAME-RATE=10.000', 'FRAME-RATE=30.000')],
  ['multi/bandwidth', 'less BANDWIDTH than there is', master('BANDWIDTH=60000,AVERAGE-BANDWIDTH=30000', 'BANDWIDTH=24000,AVERAGE-BANDWIDTH=20000'), 'multi/bandwidth-live'],
  ['multi/bandwidth-live', 'less BANDWIDTH than there is, and more to come', { seconds: 30, tamper: master('BANDWIDTH=60000,AVERAGE-BANDWIDTH=30000', 'BANDWIDTH=24000,AVERAGE-BANDWIDTH=20000') }],
  ['multi/average', 'an average above the peak', master('AVERAGE-BANDWIDTH=30000', 'AVERAGE-BANDWIDTH=70000')],
  ['multi/average-measured', 'an average of nothing', master('AVERAGE-BANDWIDTH=30000', 'AVERAGE-BANDWIDTH=3000')],
  ['multi/group', 'a group that is not there', master('AUDIO="sound",', 'AUDIO="noise",')],
  ['multi/name', 'two renditions of one name', master('NAME="Sound"', 'NAME="Sound",LANGUAGE="de",DEFAULT=NO,URI="a0/index.m3u8"\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound"')],
  ['multi/default', 'two defaults', master('NAME="Sound"', 'NAME="Noise",DEFAULT=YES,URI="a0/index.m3u8"\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound"')],
  ['multi/media-uri', 'closed captions without a service', master(',INSTREAM-ID="CC1"', '')],
  ['multi/captions', 'NONE at one variant of two', master(/(#EXT-X-STREAM-INF.*)CLOSED-CAPTIONS="cc"\n(.*)\n/, '$1CLOSED-CAPTIONS=NONE\n$2\n$1CLOSED-CAPTIONS="cc"\n$2\n')],
  ['multi/video-range', 'a range of its own', master('VIDEO-RANGE=SDR', 'VIDEO-RANGE=HDR')],
  ['multi/iframes', 'an I-frame stream whose playlist is none', edit(/iframes/, (text) => text.replace('#EXT-X-I-FRAMES-ONLY\n', ''))],
  ['multi/iframes', 'an I-frame stream without CODECS', master('#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=20000,CODECS="avc1.64001e"', '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=20000')],

  ['iframes/one-picture', 'a whole segment as one picture', bytes(/k-12\.m4s/, () => segmentOf(video, 12))],
  ['subs/header', 'captions without WEBVTT', edit(/c-11\.vtt/, (text) => text.replace('WEBVTT', 'SUBTITLES'))],
  ['subs/timestamp-map', 'captions without the clock of the media', edit(/c-11\.vtt/, (text) => text.replace(/X-TIME.*\n/, ''))],
  ['subs/cue', 'a cue that ends before it begins', edit(/c-11\.vtt/, (text) => text.replace('--> 00:00:22', '--> 00:00:02'))],
  ['subs/outside', 'a cue of another segment', edit(/c-12\.vtt/, (text) => text.replace('MPEGTS:0', 'MPEGTS:900000'))],

  ['cmaf/boxes', 'a part that is cut off', bytes(/^v0\/(?:p-12-3|s-12)\.m4s/, (body) => body.subarray(0, -20))],
  ['cmaf/init', 'an init segment without ftyp', bytes(/^a0\/i-/, (body) => body.subarray(body.readUInt32BE(0)))],
  ['cmaf/one-track', 'an init segment of two tracks', bytes(/^v0\/i-0/, () => initOf({ kind: 'video', timescale: 90_000, tracks: 2 }))],
  ['cmaf/timescale', 'another time scale behind the discontinuity', (reply, request) => {
    const init = bytes(/^v0\/i-1/, () => initOf({ kind: 'video', timescale: 45_000, level: 0x1f }))(reply, request);
    const [, kind = '', msn = '0', part = '0'] = /^v0\/([ps])-(\d+)(?:-(\d))?/.exec(request.path) ?? [];
    if (kind === '' || Number(msn) < 14 || reply.status !== 200) return init;
    const half = (index: number): Buffer => fragmentOf({ time: ((Number(msn) - 1) * 4 + index) * 22_500, samples: 5, ticks: 4_500, key: index === 0, text: 'half' });
    return bytes(/./, () => (kind === 'p' ? half(Number(part)) : Buffer.concat([0, 1, 2, 3].map(half))))(reply, request);
  }],
  ['cmaf/one-run', 'two runs in a fragment', fragment(12, 3, { runs: 2 })],
  ['cmaf/base-is-moof', 'addresses from the start of the file', fragment(12, 3, { flags: 0x38 })],
  ['cmaf/tfdt-version', 'tfdt of 32 bits', fragment(12, 3, { version: 0 })],
  ['cmaf/decode-time', 'a part that begins late', fragment(12, 3, { time: 47 * 45_000 + 90 })],
  ['cmaf/duration', 'a segment that is longer than it says', edit(/^v0\/index/, (text) => text.replace('2.000000,\ns-1.', '1.996000,\ns-1.'))],
  ['cmaf/mdat', 'bytes that belong to no sample', fragment(12, 3, { surplus: 3 })],
  ['cmaf/track', 'a fragment of another track', fragment(12, 3, { trackId: 2 })],
  ['cmaf/sync', 'an independent part without a key frame', fragment(12, 0, { key: false })],
  ['cmaf/first-time', 'a key frame that is shown late', fragment(12, 0, { firstOffset: 18_000 })],
  ['cmaf/segment-is-parts', 'a segment that is not its parts', bytes(/^v0\/s-12/, () => segmentOf({ ...video, id: 'xx' }, 12))],
];

t.test('each planted fault is found by the rule that is meant for it, and by no other', async (t) => {
  for (const [rule, what, how, ...consequences] of planted) {
    const { byRule, findings } = await look(how);
    t.same([...byRule.keys()].sort(), [rule, ...consequences].sort(), `${what}\n${findings.map((one) => `${one.at} ${one.rule} ${one.where}: ${one.says}`).join('\n')}`);
  }
});

t.test('no rule is without a planted fault', async (t) => {
  // Transport streams and DASH have streams of their own; what a connection does is tried with one (net.test.ts).
  const elsewhere = /^(?:ts\/|dash\/|both\/|http\/(?:too-large|encoding))/;
  const tried = new Set<string>(planted.map(([rule]) => rule));
  t.same(Object.keys(catalogue).filter((rule) => !tried.has(rule) && !elsewhere.test(rule)), []);
});
