/** The rules of MPEG-TS: a live stream that keeps them, over the turn of its clock, and each planted fault. */
import t from 'tap';
import { catalogue, type RuleId } from './catalogue.ts';
import { headers, iso, media, origin, problem, type Reply } from './testing/good-stream.ts';
import { transportOf, type TransportOptions } from './testing/transport.ts';
import { VirtualTime } from './testing/virtual-time.ts';
import type { Fetch } from './watch/answer.ts';
import { watchStream } from './watch/watch.ts';

type Plant = (msn: number) => TransportOptions | Buffer | undefined;

const begin = Date.UTC(2026, 0, 1) - 20_000;

const look = async (plant: Plant = () => undefined) => {
  const time = new VirtualTime();
  const list = (): string => {
    const closed = Math.floor((20_000 + time.now()) / 2000);
    const first = Math.max(1, closed - 7);
    let text = `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}\n#EXT-X-INDEPENDENT-SEGMENTS\n`;
    for (let msn = first; msn <= closed; msn += 1) text += `#EXT-X-PROGRAM-DATE-TIME:${iso(begin + (msn - 1) * 2000)}\n#EXTINF:2.000000,\ns-${msn}.ts\n`;
    return text;
  };
  const reply = (file: string): Reply => {
    const playlist = (text: string, keep: string): Reply => ({ status: 200, headers: headers('application/vnd.apple.mpegurl', keep).set('content-encoding', 'gzip'), body: Buffer.from(text) });
    if (file === 'master.m3u8') return playlist('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.64001e",RESOLUTION=640x360,FRAME-RATE=10.000\nindex.m3u8\n', 'max-age=10');
    if (file === 'index.m3u8') return playlist(list(), 'no-cache');
    const msn = Number(/s-(\d+)\.ts/.exec(file)?.[1] ?? 0);
    if (msn === 0) return problem(404);
    const planted = plant(msn);
    const answer = media(Buffer.isBuffer(planted) ? planted : transportOf(msn, planted), 'video');
    return { ...answer, headers: answer.headers.set('content-type', 'video/mp2t') };
  };
  const fetch: Fetch = async (url) => {
    const given = reply(new URL(url).pathname.split('/').at(-1) ?? '');
    const now = time.now();
    return { url, ...given, wire: given.body.length, chunked: false, askedAt: now, beganAt: now, endedAt: now, trouble: null };
  };
  return time.drive(watchStream([`${origin}master.m3u8`], { fetch, time, seconds: 20 }));
};

t.test('a transport stream that keeps the rules has no finding', async (t) => {
  const { findings, counts } = await look();
  t.same(findings, []);
  t.ok(counts.segments > 10, JSON.stringify(counts));
});

const at = (number: number, options: TransportOptions): Plant => (msn) => (msn === number ? options : undefined);
const from = (number: number, options: TransportOptions): Plant => (msn) => (msn >= number ? options : undefined);

const planted: readonly (readonly [RuleId, string, Plant])[] = [
  ['ts/packets', 'a segment that is cut off', (msn) => (msn === 13 ? transportOf(msn).subarray(0, -100) : undefined)],
  ['ts/packets', 'a packet that is lost in the middle of a byte', (msn) => (msn === 13 ? Buffer.concat([transportOf(msn).subarray(0, 400), transportOf(msn).subarray(401), Buffer.alloc(1)]) : undefined)],
  ['ts/tables', 'no PAT and PMT', at(13, { bare: true })],
  ['ts/counter', 'counters that begin again', from(13, { counter: 5 })],
  ['ts/clock', 'a clock that goes back between segments', from(13, { clockShift: -90_000 })],
  ['ts/times', 'decode times that begin again', (msn) => (msn >= 13 ? { shift: -90_000, clockShift: 90_000 } : undefined)],
  ['ts/key', 'a segment that begins without a key frame', at(13, { key: false })],
  ['ts/duration', 'half a segment', (msn) => (msn >= 13 ? { pictures: 10, counter: (msn - 12) * -10 + 10 } : undefined)],
];

t.test('each planted fault is found by the rule that is meant for it, and by no other', async (t) => {
  for (const [rule, what, plant] of planted) {
    const { byRule, findings } = await look(plant);
    t.same([...byRule.keys()], [rule], `${what}\n${findings.map((one) => `${one.at} ${one.rule} ${one.where}: ${one.says}`).join('\n')}`);
  }
  const tried = new Set<string>(planted.map(([rule]) => rule));
  t.same(Object.keys(catalogue).filter((rule) => rule.startsWith('ts/') && !tried.has(rule)), []);
});
