import { readFileSync } from 'node:fs';
import t from 'tap';
import type { AudioFacts, IngestFacts, LineFacts, VideoFacts } from './facts.ts';
import { findingCodes, type FindingCode } from './findings.ts';
import { judge, rules } from './judge.ts';
import { lineReport } from './test-publisher.ts';

const goodVideo: VideoFacts = {
  ...{ codec: 'h264', codecString: 'avc1.640028', profile: 'High', width: 1920, height: 1080, bitDepth: 8, chroma: '4:2:0', interlaced: false, declaredFps: 30 },
  ...{ fps: 30, bitrate: 4_500_000, reordered: true, openKeys: 0, silent: 20, patience: 3_000 },
  gop: { last: 2_000, min: 2_000, max: 2_000, recent: { min: 2_000, max: 2_000, count: 8 }, running: 500 },
};
const goodAudio: AudioFacts = { codec: 'aac', codecString: 'mp4a.40.2', sampleRate: 48_000, channels: 2, bitrate: 160_000, silent: 15 };
const goodLine: LineFacts = { ...lineReport({ packets: 100_000 }), recent: { packets: 4_000, lost: 10, dropped: 0, undecrypted: 0, bitrate: 4_700_000 } };
const good: IngestFacts = {
  session: { protocol: 'srt', software: null, address: '192.0.2.1', since: 0, age: 60_000 },
  video: goodVideo,
  audio: goodAudio,
  arrival: { jitter: 3, late: 40, speed: 1 },
  line: goodLine,
  broadcast: { since: 0, sessions: 1, reconnects: 0, recentReconnects: 0, recentRivals: 0, jumps: 0, recentJumps: 0, gaps: 0, changes: [], lastEnd: null },
  protection: null,
  ladder: null,
  secondSound: null,
  uncarried: [],
};
const video = (more: Partial<VideoFacts>): IngestFacts => ({ ...good, video: { ...goodVideo, ...more } });
const audio = (more: Partial<AudioFacts>): IngestFacts => ({ ...good, audio: { ...goodAudio, ...more } });
const gop = (last: number, running = 0): IngestFacts => video({ gop: { ...goodVideo.gop, last, running } });
const evenly = (min: number, max: number): IngestFacts => video({ gop: { ...goodVideo.gop, recent: { min, max, count: 8 } } });
const arrival = (more: Partial<IngestFacts['arrival']>): IngestFacts => ({ ...good, arrival: { ...good.arrival, ...more } });
const line = (more: Partial<LineFacts>, recent: Partial<LineFacts['recent']> = {}): IngestFacts => ({ ...good, line: { ...goodLine, ...more, recent: { ...goodLine.recent, ...recent } } });
const broadcast = (more: Partial<IngestFacts['broadcast']>): IngestFacts => ({ ...good, broadcast: { ...good.broadcast, ...more } });
const ladder = (more: Partial<NonNullable<IngestFacts['ladder']>>): IngestFacts => ({ ...good, ladder: { ladder: 'own', encoding: [], shed: [], leftOut: [], restarts: 0, sinceRestartMs: null, ...more } });
const changed = (what: IngestFacts['broadcast']['changes'][number]['what'], ago: number): IngestFacts => broadcast({ changes: [{ what, from: 'a', to: 'b', ago }] });

const found = (facts: IngestFacts, standing: readonly FindingCode[] = []): string[] => judge(facts, new Set(standing)).map(({ code }) => code);

t.test('nothing is found wrong with a good stream, nor with silence before one', async (t) => {
  t.same(found(good), []);
  t.same(found(good, findingCodes), [], 'also by the wider thresholds of what stands');
  t.same(found({ ...good, session: null, video: null, audio: null, line: null }), []);
});

/** The last facts that are fine, the first that are not, and (where it has one) what would still be found if it stood. */
const borders: Readonly<Record<FindingCode, readonly [fine: IngestFacts, wrong: IngestFacts, stillWrong?: IngestFacts]>> = {
  videoIngestionStarved: [arrival({ speed: 0.92 }), arrival({ speed: 0.91 }), arrival({ speed: 0.96 })],
  videoIngestionFasterThanRealtime: [arrival({ speed: 1.1 }), arrival({ speed: 1.11 }), arrival({ speed: 1.05 })],
  audioIngestionStarved: [audio({ silent: 3_000 }), audio({ silent: 3_001 })],
  noVideoStream: [{ ...good, video: null, session: good.session && { ...good.session, age: 6_000 } }, { ...good, video: null, session: good.session && { ...good.session, age: 6_001 } }],
  noAudioStream: [{ ...good, audio: null, session: good.session && { ...good.session, age: 6_000 } }, { ...good, audio: null, session: good.session && { ...good.session, age: 6_001 } }],
  videoCodec: [good, { ...good, uncarried: [{ media: 'video', codec: 'Theora' }] }],
  audioCodec: [good, { ...good, uncarried: [{ media: 'audio', codec: 'Speex' }] }],
  videoCodecProtection: [{ ...video({ codec: 'hevc' }), protection: 'aes-128' }, { ...video({ codec: 'hevc' }), protection: 'cbcs' }],
  audioCodecProtection: [{ ...audio({ codec: 'opus' }), protection: 'cbcs', secondSound: 'on' }, { ...audio({ codec: 'opus' }), protection: 'cbcs' }],
  videoProfile: [video({ bitDepth: 8 }), video({ bitDepth: 10, profile: 'High 10' })],
  videoInterlaced: [video({ interlaced: null }), video({ interlaced: true })],
  gopSizeOver: [video({ gop: { ...goodVideo.gop, last: 4_000, running: 4_100 } }), gop(8_333)],
  gopSizeLong: [gop(4_100), gop(2_000, 4_101)],
  gopSizeShort: [evenly(450, 450), evenly(400, 449), evenly(400, 500)],
  gopMismatch: [evenly(2_000, 3_000), evenly(1_990, 3_000), evenly(2_000, 2_600)],
  openGop: [video({ openKeys: 1 }), video({ openKeys: 2 }), video({ openKeys: 1 })],
  bitrateHigh: [video({ bitrate: 12_000_400 }), video({ bitrate: 12_001_000 }), video({ bitrate: 11_000_000 })],
  bitrateLow: [video({ bitrate: 2_000_000 }), video({ bitrate: 1_999_000 }), video({ bitrate: 2_200_000 })],
  frameRateHigh: [video({ fps: 61, declaredFps: 60, bitrate: 6e6 }), video({ fps: 120, declaredFps: 120, bitrate: 6e6 }), video({ fps: 60.8, declaredFps: 60, bitrate: 6e6 })],
  frameRateLow: [video({ fps: 25.5 }), video({ fps: 25.4 }), video({ fps: 28 })],
  videoResolutionChanged: [changed('resolution', 60_000), changed('resolution', 59_999)],
  videoCodecMismatch: [changed('videoCodec', 60_000), changed('videoCodec', 59_999)],
  audioCodecMismatch: [changed('audioCodec', 60_000), changed('audioCodec', 59_999)],
  audioSampleRate: [audio({ sampleRate: 44_100 }), audio({ sampleRate: 32_000 })],
  audioSampleRateMismatch: [changed('sampleRate', 60_000), changed('sampleRate', 59_999)],
  audioTooManyChannels: [audio({ channels: 2 }), audio({ channels: 6 })],
  arrivalUneven: [arrival({ late: 1_000 }), arrival({ late: 1_001 }), arrival({ late: 501 })],
  stampsJumped: [good, broadcast({ recentJumps: 1 })],
  reconnects: [broadcast({ recentReconnects: 2 }), broadcast({ recentReconnects: 3 })],
  twoEncoders: [good, broadcast({ recentRivals: 1 })],
  ladderShed: [ladder({}), ladder({ shed: [720] })],
  ladderCut: [ladder({}), ladder({ leftOut: [720, 480] })],
  ladderGone: [ladder({}), ladder({ gone: true })],
  ladderRestarted: [ladder({ restarts: 2, sinceRestartMs: 60_000 }), ladder({ restarts: 2, sinceRestartMs: 59_999 })],
  opusOnly: [{ ...audio({ codec: 'opus' }), secondSound: 'on' }, { ...audio({ codec: 'opus' }), secondSound: 'none' }],
  secondSoundSilent: [{ ...audio({ codec: 'opus' }), secondSound: 'on' }, { ...audio({ codec: 'opus' }), secondSound: 'silent' }],
  srtLatencyLow: [line({ rttMs: 480 }), line({ rttMs: 481 }), line({ rttMs: 401 })],
  srtLossHigh: [line({}, { packets: 950, lost: 50 }), line({}, { packets: 949, lost: 51 }), line({}, { packets: 970, lost: 30 })],
  srtDropped: [good, line({}, { dropped: 1 })],
  srtUndecryptable: [good, line({}, { undecrypted: 1 })],
};

for (const [code, [fine, wrong, stillWrong]] of Object.entries(borders)) {
  t.test(`${code} is found on one side of its border, alone, and not on the other`, async (t) => {
    t.notOk(found(fine).includes(code));
    t.same(found(wrong), [code]);
    if (!stillWrong) return;
    t.notOk(found(stillWrong).includes(code), 'in between it does not come');
    t.same(found(stillWrong, [code as FindingCode]), [code], 'and does not go');
  });
}

t.test('a phone held upright, sixty pictures a second and newer codecs are judged by what they need', async (t) => {
  t.same(found(video({ width: 1080, height: 1920, bitrate: 11e6 })), []);
  t.same(found(video({ fps: 60, declaredFps: 60, bitrate: 2.9e6 })), ['bitrateLow']);
  t.same(found(video({ codec: 'hevc', bitrate: 1.5e6 })), []);
  t.same(found(video({ codec: 'hevc', bitDepth: 10 })), [], 'ten bits are for H.264 alone to be told of');
});

t.test('each finding has its rule, and its row in the manual', async (t) => {
  t.same(new Set(rules.map(({ code }) => code)), new Set(findingCodes));
  t.equal(rules.length, findingCodes.length);
  const manual = readFileSync(new URL('../../docs/streaming.md', import.meta.url), 'utf8');
  for (const { code, severity } of rules) t.match(manual, `| \`${code}\` | ${severity} |`);
});
