/**
 * What the source pays when its rungs have trouble: nothing. Encoders are killed ten times, both cores are taken by others.
 * Figures are told. The source has to hold its bar whatever else the machine does; rungs and memory have to hold theirs where
 * something of it was idle.
 */
import t, { type Test } from 'tap';
import { Burners } from '../support/burners.ts';
import { percentile } from '../support/figures.ts';
import { idleFromNow, spare } from '../support/idle-time.ts';
import { pipesOf, signalEncoders, zombiesOf } from '../support/ladder-programs.ts';
import { asLiveMade, liveVideo, pictureTracks } from '../support/ladder-show.ts';
import { startedBy } from '../support/left-behind.ts';
import { LiveSender } from '../support/live-sender.ts';
import { PartTimes } from '../support/part-times.ts';
import { until } from '../support/playlists.ts';
import { memoryMb } from '../support/process-cost.ts';
import { startServer, type MillraceServer } from '../support/server.ts';
import { flvClip } from '../support/show-sender.ts';

t.setTimeout(280_000);
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const deaths = 10;
/** What whoever watches the source waits for at the most, p95. */
const mostLateMs = 2_500;
const hd = { width: 1280, height: 720, bframes: 2, kbps: 2_500 };

type Encoded = { readonly videoId: string; readonly encoding: readonly number[]; readonly shed: readonly number[]; readonly restarts: number; readonly lagMs: number };
type On = { readonly video: string; readonly tracks: readonly string[]; readonly times: PartTimes; readonly sender: LiveSender; readonly state: () => Promise<Encoded> };

// The ladders that come with it, and it carries whatever is asked of it.
const server = await startServer({ env: { MILLRACE_ENCODE_CORES: '64', ...asLiveMade } });
t.teardown(() => server.stop());
const token = await server.login();
const offers = (): Promise<{ items: { cores: number | null }[] }> => server.must('GET', 'ladders', undefined, token);
await until(offers, ({ items }) => items.every(({ cores }) => cores !== null), 100_000);

const show = async (t: Test, on: MillraceServer, name: string, clip: Parameters<typeof flvClip>[0]): Promise<On> => {
  const source = await flvClip(clip);
  const channel = await on.createChannel(token, { name, ladder: 'standard' });
  const sender = await LiveSender.connect(on, channel, source);
  t.teardown(() => sender.vanish());
  await on.live(channel);
  const video = await liveVideo(on, channel);
  const tracks = await pictureTracks(on, video);
  const times = new PartTimes(on, video, sender, tracks);
  t.teardown(() => times.stop());
  // The first parts come all at once: the gate has looked at them.
  await until(async () => tracks.map((track) => times.late(track).length), (counts) => counts.every((count) => count > 16), 40_000);
  const state = async (): Promise<Encoded> => {
    const { shows } = await on.must<{ shows: Encoded[] }>('GET', 'ladders', undefined, token);
    const mine = shows.find(({ videoId }) => videoId === video);
    if (!mine) throw new Error(`${name} is not encoded`);
    return mine;
  };
  return { video, tracks, times, sender, state };
};

const told = (late: readonly number[]): string => `p50 ${Math.round(percentile(late, 0.5))} ms, p95 ${Math.round(percentile(late, 0.95))} ms, most ${Math.round(Math.max(...late))} ms, ${late.length} parts`;

/** A bar of a machine that has time for it; on another one the figure is told. */
const holds = (t: Test, idle: number, good: boolean, words: string): void => {
  if (idle > spare) t.ok(good, words);
  else t.comment(`${good ? 'so it is' : 'not so'}, with ${(idle * 100).toFixed(0)} % of the processors idle: ${words}`);
};

const ended = async (t: Test, { sender, times }: On): Promise<void> => {
  await sender.end();
  await times.stop();
  t.same(times.faults, [], 'whoever watches gets what was named');
};

t.test(`encoders are killed ${deaths} times`, async (t) => {
  const { pid } = server.child;
  const open = pipesOf(pid);
  const on = await show(t, server, 'killed', hd);
  const { tracks, times, state } = on;
  t.equal(tracks.length, 4);
  const pipes = pipesOf(pid);
  const [idleSince, from] = [idleFromNow(), performance.now()];
  const back: number[] = [];
  let early = 0;
  for (let death = 0; death < deaths; death += 1) {
    if (death === 2) early = memoryMb(pid);
    const killedAt = performance.now();
    t.equal(await signalEncoders(pid, 'SIGKILL'), 1);
    await until(async () => (await state()).restarts, (restarts) => restarts > death, 20_000);
    const rungs = tracks.slice(1);
    // The second of them is not what was on its way when it died. On a machine that is busy besides, a rung may be shed, and is back much later.
    await until(async () => rungs.map((track) => times.late(track, killedAt).length), (counts) => counts.every((count) => count >= 2), 90_000);
    back.push(Math.max(...rungs.map((track) => times.of(track, killedAt).filter(({ gap }) => !gap)[1]?.at ?? Number.NaN)) - killedAt);
    // Others come and go meanwhile, such as those of the live picture.
    await until(async () => pipesOf(pid), (now) => now <= pipes);
    // Elsewhere in the group of pictures each time.
    await wait(1_500 + 370 * (death % 4));
  }
  const [grown, idle] = [memoryMb(pid) - early, idleSince()];
  const source = times.late('v0', from);
  t.comment(`source: ${told(source)}; rungs back after ${back.map((ms) => Math.round(ms)).join(', ')} ms; ${grown.toFixed(1)} MB more`);
  for (const track of tracks.slice(1)) t.comment(`${track}: ${told(times.late(track, from))}, holes: ${times.gaps(track).length}`);
  t.same(times.gaps('v0'), [], 'nothing of the source is missing');
  t.ok(percentile(source, 0.95) <= mostLateMs, 'the source is not late');
  holds(t, idle, percentile(back, 0.7) < 3_000, 'rungs are back within three seconds');
  holds(t, idle, grown < 64, 'memory is flat');
  await until(() => zombiesOf(pid), (zombies) => zombies.length === 0);
  await ended(t, on);
  await until(() => startedBy(pid ?? -1), (programs) => programs.length === 0);
  await until(async () => pipesOf(pid), (left) => left === open);
});

t.test('others take both cores: rungs are shed, the source is not late, and they come back', async (t) => {
  const on = await show(t, server, 'crowded', hd);
  const { times, state, tracks } = on;
  // Before anybody of ours takes it.
  const idleSince = idleFromNow();
  await wait(2_000);
  const idle = idleSince();
  const burners = new Burners();
  t.teardown(() => burners.stop());
  const from = performance.now();
  const shed = async (): Promise<number> => (await state()).shed.length;
  burners.add(2);
  let since = performance.now();
  // Two cores that are fast carry a ladder on a half of each.
  for (const more of [4, 8, 16]) {
    if ((await until(shed, (count) => count > 0, 8_000).catch(() => 0)) > 0) break;
    burners.add(more);
    since = performance.now();
  }
  t.ok((await shed()) > 0, `beside ${burners.count} burners a rung is shed`);
  const took = performance.now() - since;
  await wait(8_000);
  const source = times.late('v0', from);
  const least = (await state()).encoding;
  burners.stop();
  const quietFrom = performance.now();
  await until(shed, (count) => count === 0, 90_000);
  const recovered = performance.now() - quietFrom;
  await until(async () => times.late('v1', quietFrom).length, (count) => count > 3, 20_000);
  t.comment(`shed after ${Math.round(took)} ms beside others; left were ${JSON.stringify(least)}; source: ${told(source)}; all back after ${Math.round(recovered)} ms`);
  for (const track of tracks.slice(1)) t.comment(`${track}: ${told(times.late(track, from))}, holes: ${times.gaps(track).length}`);
  t.same(times.gaps('v0'), []);
  holds(t, idle, took < 8_000, 'rungs are shed soon');
  t.ok(percentile(source, 0.95) <= mostLateMs, 'the source is not late');
  await ended(t, on);
});
