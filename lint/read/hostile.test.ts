/** Whatever comes over the wire, each reader gives an answer or a finding, within bounds, and never throws. */
import t from 'tap';
import { fragmentOf, initOf } from '../testing/boxes.ts';
import { GoodStream, origin, partOf, segmentOf, tracks } from '../testing/good-stream.ts';
import { manifestOf } from '../testing/good-manifest.ts';
import { Random } from '../testing/random.ts';
import { transportOf } from '../testing/transport.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { judgeCaptions, judgeInit, judgePiece, judgeTransport } from '../rules/media.ts';
import { multivariantAlone } from '../rules/multivariant.ts';
import { playlistAlone } from '../rules/playlist-alone.ts';
import { playlistNext } from '../rules/playlist-next.ts';
import { mergeDelta } from '../rules/delta.ts';
import { mpdAlone, mpdNext } from '../rules/manifest.ts';
import { readAttributes } from './attributes.ts';
import { readDate, readDuration } from './dates.ts';
import { readPlaylist } from './m3u8.ts';
import { readMpd } from './mpd.ts';
import { readXml } from './xml.ts';

const rounds = 3_000;
const [video] = tracks;
if (!video) throw new Error('no track');
const time = new VirtualTime();
const ask = { timeoutMs: 1000, limit: 1 << 20 };
const bodies = await Promise.all(
  ['master.m3u8', 'v0/index.m3u8', 'v0/index.m3u8?_HLS_skip=YES', 'v0/iframes.m3u8'].map(async (path) => (await new GoodStream(time).fetch(origin + path, ask)).body),
);

t.test('playlists', async (t) => {
  const random = new Random(1);
  const whole = readPlaylist(bodies[1]?.toString() ?? '');
  let findings = 0;
  for (let round = 0; round < rounds; round += 1) {
    const list = readPlaylist(random.damage(bodies[round % bodies.length] ?? Buffer.alloc(0)).toString());
    if (list.kind === 'multivariant') findings += [...multivariantAlone(list)].length;
    else {
      findings += [...playlistAlone(list)].length;
      if (whole.kind === 'media') findings += [...playlistNext(whole, list)].length + mergeDelta(whole, list).faults.length;
    }
  }
  t.ok(findings > rounds, `${findings} findings`);
});

t.test('manifests', async (t) => {
  const random = new Random(2);
  const good = Buffer.from(manifestOf(20_000));
  const whole = readMpd(good.toString()).mpd;
  if (!whole) throw new Error('the good manifest cannot be read');
  let findings = 0;
  for (let round = 0; round < rounds; round += 1) {
    const { mpd, faults } = readMpd(random.damage(good).toString());
    findings += faults.length;
    if (mpd) findings += [...mpdAlone(mpd)].length + [...mpdNext(whole, mpd)].length;
  }
  t.ok(findings > rounds / 4, `${findings} findings`);
  t.match(readXml('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>').complaint, /markup/, 'no DTD, so no entities that grow');
  t.match(readXml('<a>'.repeat(100)).complaint, /deep/);
  t.match(readMpd('<MPD><Period><AdaptationSet><SegmentTemplate media="a"><SegmentTimeline><S d="1" r="99999999"/></SegmentTimeline></SegmentTemplate><Representation id="a" bandwidth="1" mimeType="video/mp4"/></AdaptationSet></Period></MPD>').faults[0]?.says, /segments/);
});

t.test('fragments and init segments', async (t) => {
  const random = new Random(3);
  const init = judgeInit(initOf({ kind: 'video', timescale: 90_000 }), 'init').init;
  const fragments = [partOf(video, 3, 1), segmentOf(video, 3), fragmentOf({ time: 0, samples: 3, ticks: 1, key: true, text: 'x', version: 0 })];
  const inits = [initOf({ kind: 'video', timescale: 90_000 }), initOf({ kind: 'audio', timescale: 48_000 })];
  let findings = 0;
  for (let round = 0; round < rounds; round += 1) {
    findings += judgeInit(random.damage(inits[round % 2] ?? Buffer.alloc(0)), 'init').faults.length;
    // Media passes: only boxes are looked at.
    const bytes = fragments[round % 3] ?? Buffer.alloc(0);
    findings += judgePiece(Buffer.concat([random.damage(bytes.subarray(0, 200)), bytes.subarray(200)]), init, { name: 'part', duration: 0.5, independent: true, start: 0 }).faults.length;
  }
  t.ok(findings > rounds, `${findings} findings`);
});

t.test('transport streams', async (t) => {
  const random = new Random(4);
  const good = transportOf(3);
  let findings = 0;
  for (let round = 0; round < rounds / 3; round += 1) {
    const counters = new Map([[256, 3]]);
    findings += judgeTransport(random.damage(good), { name: 'segment', duration: 2, independent: true, start: null }, { counters, last: new Map() }).faults.length;
  }
  t.ok(findings > rounds / 5, `${findings} findings`);
});

t.test('captions, attribute lists, dates', async (t) => {
  const random = new Random(5);
  const captions = Buffer.from('WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n1\n00:00:01.000 --> 00:00:02.000 align:start\nHello\n');
  const attributes = Buffer.from('ID="a",DURATION=1.5,SCTE35-OUT=0xFC30,X-TEXT="a, b"');
  const dates = Buffer.from('2026-01-01T00:00:00.000Z PT1H2M3.5S');
  let findings = 0;
  for (let round = 0; round < rounds; round += 1) {
    findings += judgeCaptions(random.damage(captions).toString(), 'captions', { from: 0, to: 2 }).length;
    if (readAttributes(random.damage(attributes).toString()).complaint !== null) findings += 1;
    const [date = '', duration = ''] = random.damage(dates).toString().split(' ');
    const [read, length] = [readDate(date), readDuration(duration)];
    if (Number.isNaN(read) || Number.isNaN(length)) t.fail('not a number');
  }
  t.ok(findings > rounds, `${findings} findings`);
});
