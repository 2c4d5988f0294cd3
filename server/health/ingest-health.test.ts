import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { audioConfig, units, videoConfig } from '../../packager/live/pretend-sender.ts';
import type { PublishSink } from '../../packager/media/publish.ts';
import { createLog } from '../log.ts';
import { IngestHealth } from './ingest-health.ts';
import { readReport } from './report.ts';
import { requestOf } from './test-publisher.ts';

const deaf: PublishSink = { track: () => undefined, write: () => true, drained: async () => undefined, event: () => undefined, hint: () => undefined, end: () => undefined };

const stage = () => {
  const clock = new FakeClock();
  const kept = new Map<string, string>();
  const warned: string[] = [];
  const store = { put: async (id: string, report: string) => (kept.set(id, report), true), get: async (id: string) => kept.get(id) ?? null };
  const health = new IngestHealth({ clock, log: createLog('warn', { write: (line) => void warned.push(line) }), reports: store });
  const told: string[] = [];
  const heard: string[] = [];
  health.tells(() => heard, (id) => told.push(id));
  const send = (sink: PublishSink, ms: number, from = 0): void => {
    let last = from;
    for (const unit of units(ms, { from })) {
      clock.advance(Math.max(0, unit.dts - last));
      last = Math.max(last, unit.dts);
      sink.write(unit);
    }
  };
  const connect = (channel: string): PublishSink => {
    const sink = health.watch(channel, requestOf(), deaf);
    for (const track of [videoConfig, audioConfig()]) sink.track(track);
    return sink;
  };
  return { clock, health, store, kept, warned, told, heard, send, connect };
};

t.test('whoever listens is told once a second, and nobody else is', async (t) => {
  const { health, told, heard, send, connect } = stage();
  const one = connect('one');
  connect('two');
  send(one, 3_000);
  t.same(told, []);
  heard.push('one', 'nobody');
  send(one, 3_000, 3_000);
  t.same(told, ['one', 'one', 'one']);
  t.equal(health.view('nobody'), null);
});

t.test('what is known of a broadcast is kept each minute, at its end, and when the server stops', async (t) => {
  const { health, kept, send, connect } = stage();
  const sink = connect('one');
  health.begins('one', 'video1');
  send(sink, 30_000);
  t.equal(kept.size, 0);
  send(sink, 31_000, 30_000);
  await Promise.resolve();
  t.match(readReport(kept.get('video1') ?? ''), { sessionCount: 1, video: [{ codec: 'h264' }] });
  t.match(await health.of('video1'), { sessionCount: 1, gop: { min: 2_000, max: 2_000 } }, 'live, it is as new as can be');
  sink.end('announced');
  await health.ends('video1');
  t.match(readReport(kept.get('video1') ?? ''), { sessions: [{ end: 'announced', protocol: 'rtmp' }], audio: [{ sampleRate: 48_000 }] });
  const next = connect('one');
  health.begins('one', 'video2');
  send(next, 1_000, 70_000);
  t.match(await health.of('video2'), { sessionCount: 1, reconnects: 0 }, 'the next broadcast is its own');
  await health.stop();
  t.match(readReport(kept.get('video2') ?? ''), { sessions: [{ end: null }] });
});

t.test('a broadcast that a stop interrupted goes on in its report', async (t) => {
  const before = stage();
  before.health.begins('one', 'video1');
  before.send(before.connect('one'), 10_000);
  await before.health.stop();
  const after = stage();
  for (const [id, report] of before.kept) after.kept.set(id, report);
  await after.health.resumes('one', 'video1');
  after.send(after.connect('one'), 1_000);
  t.match(await after.health.of('video1'), { sessionCount: 2, reconnects: 1 });
  t.equal((await after.health.of('video1'))?.sessions.length, 2);
});

t.test('a store that fails costs a line in the log, and no show its end', async (t) => {
  const { health, store, warned, send, connect } = stage();
  store.put = async () => Promise.reject(new Error('the disk is full'));
  const sink = connect('one');
  health.begins('one', 'video1');
  send(sink, 2_000);
  await health.ends('video1');
  t.match(warned, [/the disk is full/]);
});

t.test('a report that cannot be read is none, and the broadcast goes on with a new one', async (t) => {
  for (const text of ['{"version":1,"sess', '', 'null']) {
    const { health, kept, warned, send, connect } = stage();
    kept.set('video1', text);
    t.equal(await health.of('video1'), null);
    await health.resumes('one', 'video1');
    t.match(warned, [/cannot be read/, /cannot be read/]);
    send(connect('one'), 1_000);
    t.match(await health.of('video1'), { sessionCount: 1 });
  }
});

t.test('who was sent away is remembered for a while, and then by nobody; ten thousand of them never', async (t) => {
  const { clock, health, connect } = stage();
  connect('one').end('protocol-error');
  health.idle('one');
  clock.advance(60_000);
  t.ok(health.view('one'));
  clock.advance(90_000);
  t.equal(health.view('one'), null);
  for (let at = 0; at < 10_000; at += 1) {
    connect(`many${at}`).end('lost');
    health.idle(`many${at}`);
  }
  clock.advance(1_000);
  t.equal(Array.from({ length: 10_000 }, (_, at) => health.view(`many${at}`)).filter(Boolean).length, 500);
  clock.advance(130_000);
  t.equal(health.view('many9999'), null);
});

t.test('metrics are sums by protocol, however many channels there are', async (t) => {
  const { health, send, connect } = stage();
  const sinks = ['a', 'b', 'c'].map(connect);
  for (const sink of sinks) send(sink, 100);
  sinks[0]?.end('lost');
  connect('a');
  t.match(health.figures, { publishers: { rtmp: 3 }, sessions: { rtmp: 4 }, reconnects: 1 });
  t.ok((health.figures.units['rtmp'] ?? 0) >= 3 * 3);
  t.equal(Object.keys(health.figures.publishers).length, 1);
});
