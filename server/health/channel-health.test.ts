import t from 'tap';
import { audioConfig, picture, sound, units, videoConfig } from '../../packager/live/pretend-sender.ts';
import { largestReport } from '../catalog/ingest-reports.ts';
import type { FindingCode } from './findings.ts';
import { writeReport, readReport } from './report.ts';
import { HealthStage, lineReport } from './test-publisher.ts';
import { healthView } from './view.ts';

const only = (codes: readonly FindingCode[], ...wanted: FindingCode[]): FindingCode[] => codes.filter((code) => wanted.includes(code));

t.test('what is told of a good stream is what came', async (t) => {
  const { facts, health, codes } = new HealthStage().connect().send(units(20_000, { gop: 60 }));
  const { video, audio } = facts;
  t.match(video, { codec: 'h264', profile: 'High', chroma: '4:2:0', bitDepth: 8, reordered: false });
  t.equal(video?.fps, 30);
  t.same(video?.gop, { last: 2_000, min: 2_000, max: 2_000, recent: { min: 2_000, max: 2_000, count: 8 }, running: 1_967 });
  t.equal(video?.bitrate, 30 * 304 * 8, 'bytes as they came, a second');
  t.match(audio, { codec: 'aac', codecString: 'mp4a.40.2', sampleRate: 48_000, channels: 2 });
  t.ok(facts.arrival.jitter <= 2, 'no jitter but the rounding of stamps');
  t.equal(facts.arrival.speed, 1);
  t.equal(facts.line, null, 'RTMP counts no packets, and none are told');
  const { minute } = health.view;
  t.equal(minute.frames.at(-1), 30);
  t.equal(minute.frames.length, 59);
  t.equal(minute.frames[0], 0, 'before there was anything, nothing');
  t.same(only(codes, 'gopSizeLong', 'gopSizeOver', 'openGop', 'videoIngestionStarved', 'noAudioStream', 'arrivalUneven', 'frameRateLow'), []);
});

t.test('a long group of pictures is found while it runs, and goes when it is mended', async (t) => {
  const stage = new HealthStage().connect().send(units(4_000));
  t.same(only(stage.codes, 'gopSizeLong', 'gopSizeOver'), []);
  const long = units(8_500, { gop: 1_000, from: 4_000 });
  stage.send(long.filter(({ dts }) => dts < 9_500));
  t.same(only(stage.codes, 'gopSizeLong', 'gopSizeOver'), [], 'nobody knows yet how long it will be');
  stage.send(long.filter(({ dts }) => dts >= 9_500));
  t.same(only(stage.codes, 'gopSizeLong', 'gopSizeOver'), ['gopSizeOver'], 'it is found while it runs');
  const since = stage.health.findings.find(({ code }) => code === 'gopSizeOver')?.since ?? 0;
  t.ok(Math.abs(since - (stage.clock.wall() - 2_400)) <= 1_000, 'since it was too long');
  stage.send(units(4_100, { from: 12_500 }));
  stage.pass(0);
  t.same(only(stage.codes, 'gopSizeLong', 'gopSizeOver'), ['gopSizeOver'], 'it stays for a moment');
  stage.send(units(3_000, { from: 16_600 }));
  t.same(only(stage.codes, 'gopSizeLong', 'gopSizeOver'), []);
  const kept = stage.health.report.findings.find(({ code }) => code === 'gopSizeOver');
  t.match(kept, { severity: 'error', times: 1 }, 'and is remembered');
  t.ok((kept?.lasted ?? 0) > 2_000);
  stage.send(units(20_000, { gop: 150, from: 20_000 }));
  t.same(only(stage.codes, 'gopSizeLong', 'gopSizeOver'), ['gopSizeLong'], 'five seconds are the milder one');
});

t.test('a rare key frame that decoding cannot begin at is not clean', async (t) => {
  const stage = new HealthStage().connect();
  stage.send(units(2_000));
  // Key frames by the sender's word, whose slices are no IDR.
  const open = units(8_000, { from: 2_000 }).map((unit, index) => (unit.kind === 'video' && unit.key ? { ...picture(unit.dts, false), key: true } : unit) ?? index);
  t.same(only(stage.codes, 'openGop'), []);
  t.same(only(stage.send(open).codes, 'openGop'), ['openGop']);
  t.same(only(stage.send(units(30_000, { from: 10_000 })).codes, 'openGop'), []);
});

t.test('less media than time is starvation; it ends when the line is well again', async (t) => {
  const stage = new HealthStage().connect().send(units(12_000));
  t.same(only(stage.codes, 'videoIngestionStarved'), []);
  stage.send(units(8_000, { from: 12_000 }), 0.7);
  t.same(only(stage.codes, 'videoIngestionStarved'), ['videoIngestionStarved']);
  stage.send(units(20_000, { from: 20_000 }));
  t.same(only(stage.codes, 'videoIngestionStarved'), []);
  stage.pass(5_000);
  t.same(only(stage.codes, 'videoIngestionStarved', 'audioIngestionStarved'), ['videoIngestionStarved'], 'nothing at all is starvation, too, and of one thing only');
});

t.test('a screen that is shared at one picture in a second, or in four, is slow and not starved', async (t) => {
  for (const every of [1_000, 4_000]) {
    const stage = new HealthStage().connect();
    const pictures = units(60_000, { fps: 1000 / every, gop: 1 });
    stage.send(pictures).pass(every - 10);
    t.same(only(stage.codes, 'videoIngestionStarved', 'audioIngestionStarved', 'arrivalUneven'), [], `one in ${every} ms`);
    t.equal(stage.facts.video?.fps, 1000 / every);
    t.ok(stage.facts.broadcast.gaps <= 1);
    stage.pass(4 * every);
    t.same(only(stage.codes, 'videoIngestionStarved'), ['videoIngestionStarved'], 'until it stops');
  }
});

t.test('media that comes faster than it is played is told of', async (t) => {
  const stage = new HealthStage().connect().send(units(60_000), 2);
  t.same(only(stage.codes, 'videoIngestionFasterThanRealtime', 'videoIngestionStarved'), ['videoIngestionFasterThanRealtime']);
  t.match(stage.health.findings.find(({ code }) => code === 'videoIngestionFasterThanRealtime'), { params: { times: 2 } });
});

t.test('a line that holds media back for a second and a half is uneven, and not starved', async (t) => {
  const stage = new HealthStage().connect().send(units(20_000));
  stage.pass(1_500);
  const late = units(1_500, { from: 20_000 });
  for (const unit of late) stage.sink.write(unit);
  stage.send(units(3_000, { from: 21_500 }));
  t.same(only(stage.codes, 'arrivalUneven', 'videoIngestionStarved'), ['arrivalUneven']);
  t.ok(stage.facts.arrival.late > 1_300);
  stage.send(units(30_000, { from: 24_500 }));
  t.same(only(stage.codes, 'arrivalUneven'), []);
});

t.test('a track that is missing, one that stops, and one that cannot be carried are told apart', async (t) => {
  const silent = new HealthStage().connect({ tracks: [videoConfig] }).send(units(10_000, { only: 'video' }));
  t.same(only(silent.codes, 'noAudioStream', 'noVideoStream', 'audioCodec'), ['noAudioStream']);
  const radio = new HealthStage().connect({ tracks: [audioConfig()] }).send(units(10_000, { only: 'audio' }));
  t.same(only(radio.codes, 'noAudioStream', 'noVideoStream'), ['noVideoStream']);
  const stops = new HealthStage().connect().send(units(10_000));
  stops.send(units(6_000, { from: 10_000, only: 'video' }));
  t.same(only(stops.codes, 'audioIngestionStarved', 'noAudioStream'), ['audioIngestionStarved']);
  const unknown = new HealthStage().connect({ tracks: [videoConfig] });
  unknown.sink.uncarried?.('audio', 'MP3');
  unknown.send(units(10_000, { only: 'video' }));
  t.same(only(unknown.codes, 'noAudioStream', 'audioCodec'), ['audioCodec']);
  t.match(unknown.health.findings[0], { severity: 'error', params: { codec: 'MP3' } });
  unknown.end('protocol-error').pass(30_000);
  t.same(only(unknown.codes, 'audioCodec'), ['audioCodec'], 'whoever was sent away for it can read why');
  unknown.connect().send(units(1_000, { from: 40_000 })).pass(2_000);
  t.same(only(unknown.codes, 'audioCodec'), []);
});

t.test('sound of an odd rate, and another one in the middle of a broadcast', async (t) => {
  const stage = new HealthStage().connect({ tracks: [videoConfig, audioConfig(8)] }).send(units(3_000, { sampleRate: 16_000 }));
  t.same(only(stage.codes, 'audioSampleRate', 'audioSampleRateMismatch'), ['audioSampleRate']);
  stage.sink.track(audioConfig(3));
  stage.send(units(3_000, { from: 3_000 }));
  t.same(only(stage.codes, 'audioSampleRate', 'audioSampleRateMismatch'), ['audioSampleRateMismatch']);
  t.match(stage.health.findings.find(({ code }) => code === 'audioSampleRateMismatch'), { params: { from: '16000', to: '48000' } });
  stage.send(units(60_000, { from: 6_000 }));
  t.same(only(stage.codes, 'audioSampleRateMismatch'), [], 'what has happened is told for a minute');
  t.equal(stage.health.report.audio.length, 2);
});

t.test('sessions that are lost and come back are counted, and told of when they are many', async (t) => {
  const stage = new HealthStage();
  for (let turn = 0; turn < 4; turn += 1) stage.connect().send(units(3_000, { from: turn * 10_000 })).end('lost').pass(2_000);
  t.equal(stage.facts.session, null);
  t.equal(stage.facts.broadcast.reconnects, 3);
  t.same(only(stage.codes, 'reconnects'), ['reconnects']);
  t.equal(stage.health.report.sessions.length, 4);
  t.match(stage.health.report.sessions[0], { protocol: 'rtmp', software: 'OBS', end: 'lost' });
  stage.connect().send(units(3_000)).end('announced');
  const kept = stage.health.finish();
  t.equal(kept.reconnects, 4);
  stage.connect();
  t.equal(stage.facts.broadcast.reconnects, 0, 'another broadcast begins with none');
});

t.test('an encoder is called what it calls itself in its metadata, if that can be read', (t) => {
  const stage = new HealthStage().connect();
  for (const encoder of [undefined, 29, '', '\u0000 \n']) stage.sink.hint({ encoder });
  t.equal(stage.facts.session?.software, 'OBS', 'nothing of that is a name');
  stage.sink.hint({ encoder: `obs-output module (libobs version 29.0.2)\n${'x'.repeat(200)}` });
  t.match(stage.facts.session?.software, /^obs-output module \(libobs version 29\.0\.2\)x+$/, 'printable');
  t.equal(stage.facts.session?.software?.length, 100, 'and no longer than anybody reads');
  stage.end('announced');
  t.match(stage.health.report.sessions, [{ software: /^obs-output module/ }]);
  t.end();
});

t.test('a broadcast that begins while the one before is remembered inherits nothing of it', (t) => {
  const stage = new HealthStage().connect({ tracks: [videoConfig, audioConfig(8)] }).send(units(3_000, { sampleRate: 16_000 })).end('lost').pass(1_000);
  stage.connect().send(units(10_000)).send(units(3_000, { from: 10_000, shift: 100_000 })).end('announced');
  t.ok(stage.codes.includes('audioSampleRateMismatch'));
  t.equal(stage.health.finish().reconnects, 1);
  t.ok(stage.codes.includes('audioSampleRateMismatch'), 'its owner may read of it for a while');
  stage.pass(30_000);
  const began = stage.clock.wall();
  stage.connect({ tracks: [videoConfig, audioConfig(8)] }).send(units(10_000, { sampleRate: 16_000 }));
  t.same(only(stage.codes, 'audioSampleRateMismatch', 'stampsJumped', 'reconnects'), []);
  t.match(stage.facts.broadcast, { since: began, sessions: 1, reconnects: 0, recentReconnects: 0, jumps: 0, recentJumps: 0, changes: [], lastEnd: null });
  const { report } = stage.health;
  t.equal(report.since, began);
  t.equal(report.audio.length, 1);
  t.ok(report.history.video.every((bits) => bits > 0), 'no points of the silence between');
  t.end();
});

t.test('what cbcs cannot carry is told of as soon as a show is served under it, and not when it is over', async (t) => {
  const opus = { kind: 'audio', codec: 'opus', config: Buffer.from('4f70757348656164010238010080bb0000000000', 'hex') } as const;
  const stage = new HealthStage().connect({ tracks: [videoConfig, opus] }).send(units(3_000, { only: 'video' }));
  t.same(only(stage.codes, 'videoCodecProtection', 'audioCodecProtection'), []);
  stage.health.shown('cbcs');
  t.same(only(stage.codes, 'videoCodecProtection', 'audioCodecProtection'), ['audioCodecProtection']);
  t.match(stage.health.findings, [{ code: 'audioCodecProtection', severity: 'error', params: { codec: 'Opus' } }]);
  stage.health.finish();
  t.same(only(stage.pass(2_000).codes, 'audioCodecProtection'), [], 'the next show may be protected otherwise');
});

t.test('rungs that are not made are named to whoever streams, for as long as it is so and in this show only', async (t) => {
  const stage = new HealthStage().connect().send(units(3_000));
  let shed: readonly number[] = [720, 480];
  stage.health.shown(null, () => ({ ladder: { ladder: 'own', encoding: [360], shed, leftOut: [1080], restarts: 0, sinceRestartMs: null }, secondSound: null }));
  t.same(only(stage.codes, 'ladderShed', 'ladderCut'), ['ladderCut'], 'room may be found in a moment');
  stage.pass(4_000);
  t.same(only(stage.codes, 'ladderShed'), ['ladderShed']);
  t.match(stage.health.findings.find(({ code }) => code === 'ladderShed'), { severity: 'warning', params: { heights: '720p, 480p' } });
  t.same(healthView(stage.health.view, false)['ladder'], { name: 'own', encoding: [360], shed: [720, 480], leftOut: [1080], restarts: 0 });
  shed = [];
  t.same(only(stage.pass(5_000).codes, 'ladderShed', 'ladderCut'), ['ladderCut']);
  stage.health.finish();
  t.same(only(stage.pass(2_000).codes, 'ladderCut'), [], 'the next show is planned anew');
});

t.test('a second encoder that was refused is told of for five minutes, and in this broadcast only', async (t) => {
  const stage = new HealthStage().connect().send(units(3_000));
  t.same(only(stage.codes, 'twoEncoders'), []);
  stage.health.rival();
  stage.health.rival();
  t.same(only(stage.codes, 'twoEncoders'), ['twoEncoders']);
  t.match(stage.health.findings.find(({ code }) => code === 'twoEncoders'), { severity: 'warning', params: { times: 2 } });
  stage.pass(299_000);
  t.same(only(stage.codes, 'twoEncoders'), ['twoEncoders']);
  stage.pass(2_000);
  t.same(only(stage.codes, 'twoEncoders'), []);
  stage.health.rival();
  stage.end('announced').health.finish();
  stage.connect().send(units(3_000));
  t.same(only(stage.codes, 'twoEncoders'), []);
});

t.test('of what stands on when a video follows another within a session, each counts its own time', (t) => {
  const stage = new HealthStage().connect({ tracks: [videoConfig] }).send(units(30_000, { only: 'video' }));
  const of = (report = stage.health.report) => report.findings.find(({ code }) => code === 'noAudioStream');
  const first = stage.health.finish();
  const began = stage.clock.wall();
  stage.send(units(5_000, { from: 30_000, only: 'video' }));
  t.ok((of(first)?.lasted ?? 0) > 15_000);
  t.equal(of()?.first, began);
  t.equal(of()?.lasted, stage.clock.wall() - began);
  t.end();
});

t.test('stamps that leap are jumps; time without media is a gap', async (t) => {
  const stage = new HealthStage().connect().send(units(5_000));
  stage.pass(5_000).send(units(3_000, { from: 10_000 }));
  t.match(stage.facts.broadcast, { gaps: 1, jumps: 0 });
  for (const unit of units(3_000, { from: 13_000, shift: 100_000 })) {
    stage.pass(20);
    stage.sink.write(unit);
  }
  t.match(stage.facts.broadcast, { gaps: 1, jumps: 1 });
  t.same(only(stage.codes, 'stampsJumped'), ['stampsJumped']);
});

t.test('stamps that turn over leap nowhere', async (t) => {
  const stage = new HealthStage().connect();
  for (const unit of units(20_000, { shift: 2 ** 32 - 10_000 })) {
    stage.pass(0.5);
    stage.sink.write(unit);
  }
  t.match(stage.facts.broadcast, { gaps: 0, jumps: 0 });
  t.equal(stage.facts.video?.fps, 30);
});

t.test('what SRT counts is told as it is, and judged over ten seconds', async (t) => {
  const stage = new HealthStage().connect({ protocol: 'srt' });
  let packets = 0;
  const second = (more: { lost?: number; dropped?: number; rttMs?: number; latencyMs?: number } = {}): void => {
    packets += 300;
    stage.sink.line?.(lineReport({ packets, bytes: packets * 1_316, ...more }));
    stage.send([picture(packets, true), sound(packets)]).pass(1_000);
  };
  for (let at = 0; at < 12; at += 1) second();
  t.equal(stage.facts.line?.recent.bitrate, 300 * 1_316 * 8);
  t.same(only(stage.codes, 'srtLossHigh', 'srtLatencyLow', 'srtDropped', 'srtUndecryptable'), []);
  for (let at = 1; at < 6; at += 1) second({ lost: at * 60 });
  t.same(only(stage.codes, 'srtLossHigh', 'srtDropped'), ['srtLossHigh']);
  for (let at = 0; at < 20; at += 1) second({ lost: 300 });
  t.same(only(stage.codes, 'srtLossHigh'), []);
  second({ lost: 310, dropped: 8 });
  t.same(only(stage.codes, 'srtDropped'), ['srtDropped']);
  for (let at = 0; at < 8; at += 1) second({ lost: 310, dropped: 8, rttMs: 700 });
  t.same(only(stage.codes, 'srtLatencyLow'), ['srtLatencyLow']);
  t.match(stage.health.findings.find(({ code }) => code === 'srtLatencyLow'), { params: { latency: 1_200, rtt: 700, wanted: 2_800 } });
});

t.test('ten hours of a broadcast that does everything wrong are kept in a small report, and are what they were after a restart', async (t) => {
  const stage = new HealthStage();
  for (let turn = 0; turn < 600; turn += 1) {
    stage.connect({ tracks: [videoConfig, audioConfig(turn % 12)] });
    stage.send([picture(0, true), sound(0), picture(700_000, false), picture(20_000, true)], 20).pass(15_000);
    for (let name = 0; name < 10; name += 1) stage.sink.uncarried?.('audio', `codec ${name} ${'x'.repeat(500)}`);
    stage.pass(5_000).end('lost').pass(2_000);
  }
  const kept = stage.health.report;
  const text = writeReport(kept);
  t.ok(text.length < largestReport / 2, `${text.length} bytes`);
  t.ok(kept.history.video.length <= 240);
  t.same(readReport(text), kept);
  const next = new HealthStage();
  next.health.restore(kept);
  next.connect().send(units(3_000));
  t.equal(next.health.report.sessionCount, 601);
  t.equal(next.health.report.since, kept.since);
  t.equal(next.health.report.history.step, kept.history.step);
});
