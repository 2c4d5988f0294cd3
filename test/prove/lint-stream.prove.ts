/**
 * The rules checker over minutes of live: reconnects of all lengths, other parameters of the picture, stamps that begin
 * again, a picture that stops beside running sound, and a channel that is sound alone; every form of each is watched at
 * once, and nothing may be found. `MILLRACE_PROVE_SECONDS` makes it shorter or longer than ten minutes.
 */
import t from 'tap';
import { LiveSender, stampTurn } from '../support/live-sender.ts';
import { until } from '../support/playlists.ts';
import { startServer, type Channel } from '../support/server.ts';
import { flvClip } from '../support/show-sender.ts';
import { checkStream, faultsOf, paceOf } from '../support/stream-checker.ts';

const seconds = Number(process.env.MILLRACE_PROVE_SECONDS ?? 600);
const clip = await flvClip({ bframes: 2, width: 640, height: 360, kbps: 800 });
const other = await flvClip({ width: 320, height: 180, kbps: 300 });
const sound = { ...clip, avcConfig: null, units: clip.units.filter(({ kind }) => kind === 'audio') };
const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const watched = async (channel: Channel) => {
  const files = ['master.m3u8', 'manifest.mpd', 'ts/master.m3u8'];
  for (const file of files) await until(async () => (await fetch(server.liveUrl(channel, file))).status, (status) => status === 200, 20_000);
  return checkStream(files.map((file) => server.liveUrl(channel, file)), seconds + 60);
};

/** What may happen to a show. Each takes a few seconds and leaves somebody sending. */
type Event = { readonly what: string; run(sender: LiveSender, channel: Channel, at: number): Promise<LiveSender> };

const away = (ms: number, from: (at: number) => number): Event => ({
  what: `the line is gone for ${ms} ms`,
  run: async (sender, channel, at) => {
    sender.vanish();
    await wait(ms);
    return LiveSender.connect(server, channel, clip, { from: from(at) });
  },
});

const events: readonly Event[] = [
  away(1_000, () => 0),
  { what: 'other parameters in the middle of a connection', run: async (sender) => (sender.change(other), await wait(12_000), sender.change(clip), sender) },
  away(5_000, (at) => at),
  { what: 'the picture stops beside running sound', run: async (sender) => (sender.silence('video'), await wait(7_000), sender.resume(), sender) },
  // The stamps begin again 15 s after the reconnect.
  away(3_000, () => stampTurn - 15_000),
  { what: 'the sound stops beside running pictures', run: async (sender) => (sender.silence('audio'), await wait(6_000), sender.resume(), sender) },
  away(40_000, () => 7_777),
];

t.test('a show to which everything happens keeps every rule', { timeout: (seconds + 180) * 1000 }, async (t) => {
  const channel = await server.createChannel(token, { name: 'eventful' });
  const begun = performance.now();
  // The first stamps turn over in the first minute.
  let sender = await LiveSender.connect(server, channel, clip, { from: stampTurn - 20_000 });
  const checker = await watched(channel);
  const every = Math.max(20_000, (seconds * 1000) / (2 * events.length));
  let happened = 0;
  for (let next = 25_000; performance.now() - begun < seconds * 1000 - 10_000; ) {
    await wait(500);
    if (performance.now() - begun < next) continue;
    const event = events[happened % events.length];
    if (!event) break;
    happened += 1;
    t.comment(`${((performance.now() - begun) / 1000).toFixed(0)} s: ${event.what}`);
    sender = await event.run(sender, channel, performance.now() - begun);
    next = performance.now() - begun + every;
  }
  await sender.end();
  const report = await checker.done;
  t.comment(`${happened} events, ${JSON.stringify(report.counts)}`);
  for (const late of paceOf(report)) t.comment(`pace: ${late}`);
  t.same(faultsOf(report), []);
  t.equal(report.counts.skipped, 0, 'the checker kept up');
  t.ok(report.counts.parts > seconds && happened >= Math.min(events.length, Math.floor(seconds / 60)), 'it was a show');
});

t.test('sound alone keeps every rule', { timeout: 240_000 }, async (t) => {
  const channel = await server.createChannel(token, { name: 'radio' });
  const first = await LiveSender.connect(server, channel, sound);
  const checker = await watched(channel);
  await wait(30_000);
  first.vanish();
  await wait(3_000);
  const second = await LiveSender.connect(server, channel, sound, { from: 999_999 });
  await wait(20_000);
  await second.end();
  const report = await checker.done;
  t.comment(JSON.stringify(report.counts));
  t.same(faultsOf(report), []);
});

t.test('whole segments, captions and windows of all lengths keep every rule', { timeout: 240_000 }, async (t) => {
  const settings = [
    { name: 'standard', latency: 'standard', captions: ['en', 'ko'], dvr: 60 },
    { name: 'captioned', latency: 'low', captions: ['en'], dvr: 0 },
  ];
  const shows = await Promise.all(
    settings.map(async (one) => {
      const channel = await server.createChannel(token, one);
      const sender = await LiveSender.connect(server, channel, clip);
      return { channel, sender, checker: await watched(channel) };
    }),
  );
  for (let count = 0; count < 22; count += 1) {
    await wait(2_000);
    for (const { channel, sender } of shows) {
      await server.must('POST', `channels/${channel.id}/captions`, { language: 'en', text: `Words of second ${2 * count}` }, token);
      if (count === 10) sender.change(other);
    }
  }
  for (const { channel, sender, checker } of shows) {
    await sender.end();
    const report = await checker.done;
    t.comment(`${channel.name}: ${JSON.stringify(report.counts)}`);
    t.same(faultsOf(report), [], channel.name);
  }
});
