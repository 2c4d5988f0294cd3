/**
 * Encoders of a live ladder die and hang while a show is on, and so does the server: the source goes on as if nothing had
 * happened, the rungs come back, and nothing is left behind. The long form is prove/ladder-faults.prove.ts.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { encodersOf, isGone, pipesOf, signalEncoders } from './support/ladder-programs.ts';
import { liveVideo, recorded, troubles } from './support/ladder-show.ts';
import { LadderStage, sent } from './support/ladder-stage.ts';
import { faultsBesideGaps } from './support/ladder-truth.ts';
import { startedBy } from './support/left-behind.ts';
import { LiveSender } from './support/live-sender.ts';
import { playlist, until } from './support/playlists.ts';
import { freePorts, type Channel, type MillraceServer } from './support/server.ts';
import { flvClip } from './support/show-sender.ts';

t.setTimeout(110_000);
const patience = 40_000;

const segmentsOf = async (server: MillraceServer, video: string, track: string): Promise<number> => (await playlist(server, video, track)).text.split('\n').filter((line) => line.startsWith('#EXTINF')).length;

/** So many more of it are there, whatever is in them. */
const goesOn = async (server: MillraceServer, video: string, track: string, by = 2): Promise<void> => {
  const before = await segmentsOf(server, video, track);
  await until(() => segmentsOf(server, video, track), (now) => now >= before + by, patience);
};

/** A whole part of it that is no hole is the last. */
const isMade = async (server: MillraceServer, video: string, track: string): Promise<void> => {
  const parts = async (): Promise<string[]> => [...(await playlist(server, video, track)).text.matchAll(/#EXT-X-PART:.*/g)].map(([line]) => line);
  const before = await parts();
  await until(parts, (now) => now.some((line) => !before.includes(line) && !line.includes('GAP=YES')), patience);
};

/** A machine that takes its time to start an encoder, or to let it end, has holes that are nobody's fault. */
const wasLate = (server: MillraceServer): boolean => troubles(server).some((line) => line.includes('"trouble":"late"'));

const health = (stage: LadderStage, channel: Channel): Promise<{ findings: { code: string; params: Record<string, unknown> }[] }> =>
  stage.server.must('GET', `channels/${channel.id}/ingest`, undefined, stage.token);
const reading = async (server: MillraceServer, name: string): Promise<number> => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await (await fetch(`${server.origin}/metrics`)).text())?.[1] ?? Number.NaN);

t.test('encoders die and hang: the source goes on, the rungs come back, and nothing stays behind', async (t) => {
  const stage = await LadderStage.open(t);
  const { server } = stage;
  const { pid } = server.child;
  const jobs = path.join(server.data, 'jobs');
  const before = { pipes: pipesOf(pid), jobs: readdirSync(jobs) };
  const channel = await stage.channel('troubled');
  const sender = await stage.send(t, channel);
  await server.live(channel);
  const video = await liveVideo(server, channel);
  const restarts = async (): Promise<number> => (await stage.encoded())[0]?.restarts ?? 0;
  for (const track of ['v1', 'v2']) await isMade(server, video, track);
  const during = { pipes: pipesOf(pid), encoders: (await encodersOf(pid)).length };
  t.ok(during.pipes > before.pipes && during.encoders === 1, 'an encoder is there');

  for (let death = 0; death < 2; death += 1) {
    const had = await restarts();
    t.equal(await signalEncoders(pid, 'SIGKILL'), 1);
    await until(restarts, (now) => now > had, patience);
    for (const track of ['v1', 'v2']) await isMade(server, video, track);
    // Others come and go meanwhile, such as those of the live picture.
    await until(async () => pipesOf(pid), (pipes) => pipes <= during.pipes);
  }

  const had = await restarts();
  const [stopped = -1] = await encodersOf(pid);
  await signalEncoders(pid, 'SIGSTOP');
  await goesOn(server, video, 'v0');
  await until(restarts, (now) => now > had, patience);
  t.ok(isGone(stopped), 'one that stands still is ended');
  for (const track of ['v1', 'v2']) await isMade(server, video, track);

  // Findings are those of the last second, and on a busy machine it may be begun anew once more meanwhile.
  const told = async (): Promise<unknown> => (await health(stage, channel)).findings.find(({ code }) => code === 'ladderRestarted')?.params['times'];
  await until(async () => [await told(), await reading(server, 'millrace_ladder_restarts_total'), await restarts()], ([times, counted, now]) => times === now && counted === now);
  t.ok((await restarts()) >= 3);
  await sender.end();
  const { source, rungs } = await recorded(server, video);
  t.equal(rungs.length, 2);
  for (const rung of rungs) {
    t.same(faultsBesideGaps(source, rung), [], `${rung.track}: what is there is right`);
    const gaps = rung.segments.filter(({ gap }) => gap).length;
    const words = `${rung.track}: ${gaps} of ${rung.segments.length} are missing`;
    if (wasLate(server)) t.comment(words);
    else t.ok(gaps < rung.segments.length / 2, words);
  }
  await until(() => startedBy(pid ?? -1), (programs) => programs.length === 0);
  await until(async () => pipesOf(pid), (pipes) => pipes === before.pipes);
  t.same(readdirSync(jobs).filter((name) => !before.jobs.includes(name)), []);
});

t.test('a server that dies or stops in the middle of a show takes its encoders along, and the show goes on', async (t) => {
  const data = mkdtempSync(path.join(tmpdir(), 'millrace-test-'));
  t.teardown(() => rmSync(data, { recursive: true, force: true }));
  const ports = await freePorts();
  const clip = await flvClip(sent);
  const options = { data, ports, env: { MILLRACE_LIVE_RECONNECT_WINDOW: '60s' } };
  const send = async ({ server }: LadderStage, from: number): Promise<LiveSender> => {
    const sender = await LiveSender.connect(server, channel, clip, { from });
    t.teardown(() => sender.vanish());
    await server.live(channel);
    return sender;
  };
  const takesAlong = async ({ server }: LadderStage, end: () => Promise<unknown>): Promise<void> => {
    const encoders = await encodersOf(server.child.pid);
    t.equal(encoders.length, 1);
    await end();
    await until(async () => encoders.filter((pid) => !isGone(pid)), (left) => left.length === 0);
  };

  const first = await LadderStage.open(t, options);
  const channel = await first.channel('cut-off');
  await send(first, 0);
  const video = await liveVideo(first.server, channel);
  await isMade(first.server, video, 'v2');
  await goesOn(first.server, video, 'v0', 1);
  const { segments: before } = await playlist(first.server, video, 'v0');
  await takesAlong(first, () => first.server.kill9());

  const second = await LadderStage.open(t, options);
  const sender = await send(second, 100_000);
  t.equal(await liveVideo(second.server, channel), video);
  for (const track of ['v1', 'v2']) await isMade(second.server, video, track);
  await sender.end();
  const { source, rungs } = await recorded(second.server, video);
  const seam = [...new Set(source.segments.map(({ map }) => map))];
  t.equal(seam.length, 2);
  const there = source.segments.map(({ name }) => name);
  t.same(before.filter(({ uri }) => !there.includes(uri)), [], 'what was there is there');
  t.equal(rungs.length, 2);
  for (const rung of rungs) {
    t.equal(rung.segments.length, source.segments.length, `${rung.track} has the segments of the source`);
    t.same(rung.epochs.filter(({ complaints }) => complaints !== ''), [], `${rung.track} can be decoded`);
    const holes = source.segments.map(({ map }, at) => ({ map, mark: rung.segments[at]?.gap === false ? '-' : 'x' }));
    for (const [{ server }, [map]] of [[first, seam], [second, seam.toReversed()]] as const) {
      const side = holes.filter((one) => one.map === map).map(({ mark }) => mark).join('');
      if (wasLate(server)) t.comment(`${rung.track}: a machine that is too slow, ${side}`);
      else t.match(side, /-/, `${rung.track}: some of it is there on each side of the seam, ${side}`);
    }
  }

  await send(second, 200_000);
  await isMade(second.server, await liveVideo(second.server, channel), 'v2');
  await takesAlong(second, async () => t.same(await second.server.stop(), { code: 0, signal: null }));
});
