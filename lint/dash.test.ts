/** The rules of DASH: a presentation that keeps them has no finding, and each planted fault has its own. */
import t from 'tap';
import { catalogue, type RuleId } from './catalogue.ts';
import { GoodManifest } from './testing/good-manifest.ts';
import { GoodStream, iso, origin, problem, type Tamper } from './testing/good-stream.ts';
import { VirtualTime } from './testing/virtual-time.ts';
import { watchStream } from './watch/watch.ts';

const look = async (tamper?: Tamper) => {
  const time = new VirtualTime();
  const stream = new GoodManifest(time, tamper);
  return time.drive(watchStream([`${origin}manifest.mpd`], { fetch: stream.fetch, time, seconds: 60 }));
};

t.test('a presentation that keeps the rules has no finding, over a new Period and its end', async (t) => {
  const { findings, counts } = await look();
  t.same(findings, []);
  t.ok(counts.manifests > 40 && counts.segments > 34 && counts.inits === 4, JSON.stringify(counts));
});

const edit = (change: (text: string, now: number) => string, path = /manifest/): Tamper => (reply, request) =>
  path.test(request.path) ? { ...reply, body: Buffer.from(change(reply.body.toString(), request.now)) } : undefined;
const later = (change: (text: string) => string, from = 3_000): Tamper => edit((text, now) => (now >= from ? change(text) : text));
const live = (change: (text: string) => string): Tamper => edit((text) => (text.includes('dynamic') ? change(text) : text));

const planted: readonly (readonly [RuleId, string, Tamper, ...RuleId[]])[] = [
  ['http/status', 'a segment that is listed and not there', (_, { path }) => (path === 'v0/s-11.m4s' ? problem(404) : undefined)],
  ['http/mime', 'a manifest as text', (reply, { path }) => (path === 'manifest.mpd' ? { ...reply, headers: reply.headers.set('content-type', 'text/xml') } : undefined)],
  ['http/gzip', 'a manifest as it is', (reply, { path }) => (path === 'manifest.mpd' && reply.headers.delete('content-encoding') ? reply : undefined)],
  ['dash/xml', 'an element that is not closed', edit((text, now) => (now > 2_000 && now < 3_000 ? text.replace('</Period>', '') : text))],
  ['dash/xml', 'a duration in words', edit((text) => text.replace('minimumUpdatePeriod="PT0.5S"', 'minimumUpdatePeriod="half a second"'))],
  ['dash/required', 'no profiles', edit((text) => text.replace(/profiles="[^"]*"/, ''))],
  ['dash/required', 'no availabilityStartTime', live((text) => text.replace(/availabilityStartTime="[^"]*"/, ''))],
  ['dash/static', 'static without a length', edit((text) => text.replace(/mediaPresentationDuration="[^"]*"/, ''))],
  ['dash/static', 'static that is to be read again', edit((text) => text.replace('type="static"', 'type="static" minimumUpdatePeriod="PT1S"'))],
  ['dash/period', 'a Period without an id', live((text) => text.replace('id="e0"', ''))],
  ['dash/overlap', 'Periods that overlap', edit((text) => text.replace('start="PT0S"', 'start="PT0S" duration="PT30S"'))],
  ['dash/timeline', 'a segment that begins inside the one before it', edit((text) => text.replace(/<S t="(\d+)" d="180000" r="(\d+)"\/>/, (_, time, repeat) => `<S t="${time}" d="180000"/><S t="${Number(time) + 90_000}" d="180000" r="${Number(repeat) - 1}"/>`)), 'dash/segment-time', 'dash/timeline-changed', 'dash/outside'],
  ['dash/outside', 'segments ahead of their Period', edit((text) => text.replaceAll('presentationTimeOffset="0"', 'presentationTimeOffset="900000"'))],
  ['dash/latency', 'a target above the maximum', edit((text) => text.replace('max="60000"', 'max="1800"'))],
  ['dash/clock-missing', 'no clock', edit((text) => text.replace(/<UTC[^>]*>/, ''))],
  ['dash/clock', 'a clock that is five seconds slow', edit((text) => iso(Date.parse(text) - 5_000), /time$/)],
  ['dash/clock', 'a clock that does not know the time', edit(() => 'soon', /time$/)],
  ['dash/start-changed', 'availabilityStartTime moves', later((text) => text.replace(/availabilityStartTime="[^"]*"/, 'availabilityStartTime="2025-12-31T23:59:41.000Z"'))],
  ['dash/publish-time', 'publishTime goes back', edit((text, now) => (now > 3_000 && now < 3_600 ? text.replace(/publishTime="[^"]*"/, 'publishTime="2025-01-01T00:00:00Z"') : text))],
  ['dash/type-back', 'what was static is dynamic', edit((text, now) => (now > 3_000 && now < 3_600 ? text.replace('type="dynamic"', 'type="static" mediaPresentationDuration="PT52S"').replace(/ minimumUpdatePeriod="[^"]*" timeShiftBufferDepth="[^"]*"/, '') : text))],
  ['dash/period-moved', 'a Period moves', later((text) => text.replace('id="e1" start="PT26S"', 'id="e1" start="PT26.5S"'), 14_000)],
  ['dash/period-vanished', 'the last Period vanishes', edit((text, now) => (now > 16_000 && now < 17_000 ? text.replace(/<Period id="e1"[^]*?<\/Period>/, '') : text))],
  ['dash/timeline-changed', 'a segment becomes longer', later((text) => text.replace(/d="180000" r="(\d+)"/, (_, repeat) => `d="180000" r="${Number(repeat) - 2}"/><S d="190000"/><S d="170000"`), 4_100), 'dash/segment-time', 'dash/outside'],
  ['dash/timeline-back', 'a timeline loses its end', edit((text, now) => (now > 8_000 && now < 8_600 ? text.replace(/ r="(\d+)"/, (_, repeat) => ` r="${Number(repeat) - 3}"`) : text))],
  ['dash/timeline-back', 'a representation is gone', edit((text, now) => (now > 8_000 && now < 8_600 ? text.replace(/<AdaptationSet id="2"[^]*?<\/AdaptationSet>/, '') : text))],
  ['dash/number-changed', 'numbers begin again', later((text) => text.replace(/startNumber="(\d+)"/, (_, number) => `startNumber="${Number(number) + 1}"`)), 'dash/segment-time'],
  ['dash/template-changed', 'other names', later((text) => text.replace('$RepresentationID$/s-$Number$.m4s', '$RepresentationID$/s-$Number$.m4s?other'))],
  ['dash/codecs', 'the profile of another stream', edit((text) => text.replace('avc1.64001e', 'avc1.42001e'))],
  ['dash/codecs', 'another size', edit((text) => text.replaceAll('width="640"', 'width="1280"'))],
  ['dash/bandwidth', 'less bandwidth than there is', edit((text) => text.replaceAll('bandwidth="40000"', 'bandwidth="4000"'))],
  ['dash/segment-time', 'a segment that is not where it is said to be', edit((text) => text.replaceAll(/<S t="(\d+)" d="180000"/g, (_, time) => `<S t="${Number(time) + 900}" d="180000"`))],
  ['dash/chunked', 'the segment in progress comes whole', (reply, { path, now }) => (path.startsWith('v0/s-') && now > 2_000 ? { ...reply, headers: reply.headers.set('content-length', String(reply.body.length)) } : undefined)],
];

t.test('each planted fault is found by the rule that is meant for it, and by no other', async (t) => {
  for (const [rule, what, tamper, ...consequences] of planted) {
    const { byRule, findings } = await look(tamper);
    t.same([...byRule.keys()].sort(), [rule, ...consequences].sort(), `${what}\n${findings.map((one) => `${one.at} ${one.rule} ${one.where}: ${one.says}`).join('\n')}`);
  }
  const tried = new Set<string>(planted.map(([rule]) => rule));
  t.same(Object.keys(catalogue).filter((rule) => rule.startsWith('dash/') && !tried.has(rule)), []);
});

t.test('HLS and DASH of one stream are held against each other', async (t) => {
  for (const same of [true, false]) {
    const time = new VirtualTime();
    const hls = new GoodStream(time, { breaks: false, away: 0, tamper: (reply, { path }) => (!same && path === 'a0/s-12.m4s' ? { ...reply, body: Buffer.concat([reply.body, Buffer.from('\0\0\0\x08free', 'latin1')]), headers: new Map(reply.headers).set('content-length', String(reply.body.length + 8)) } : undefined) });
    const dash = new GoodManifest(time);
    const urls = ['http://hls.test/play/master.m3u8', 'http://dash.test/play/manifest.mpd'];
    const report = await time.drive(watchStream(urls, { fetch: (url, ask) => (url.includes('hls') ? hls : dash).fetch(url, ask), time, seconds: 10 }));
    t.same([...report.byRule.keys()].sort(), same ? [] : ['both/same-bytes', 'cmaf/segment-is-parts']);
  }
});
