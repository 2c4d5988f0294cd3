/** What can be played while it changes: trims and removals that come in the middle of something. */
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { PretendStream } from '../../packager/hls/pretend-stream.ts';
import { LiveRun } from '../../packager/live/run.ts';
import { MemoryLog } from '../../packager/log/memory-log.ts';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import { createLog } from '../log.ts';
import { PlayableVideos } from './presentations.ts';
import type { Recorded } from './runs.ts';

const log = createLog('error', { write: () => undefined });
const rhythm = { segmentMicros: 2e6, segmentLimitMicros: 2.4e6, gopMicros: 2e6, partLimitMicros: 335_334, longestFrameMicros: 33_333, frameRate: 30, audioFramesPerPart: 16 };

const calm = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const liveRun = (clock: FakeClock, closed: string[]): LiveRun => {
  const memory = new MemoryLog();
  const close = memory.close.bind(memory);
  memory.close = async () => {
    closed.push('v0');
    await close();
  };
  const { policy } = new PretendStream().snapshot();
  const track = { id: 'v0', kind: 'video', codec: 'h264', timescale: 90_000, partTarget: 0.335, group: 'video', bandwidth: 1, averageBandwidth: 1 } as const;
  const facts = { video: 'video-00000001', run: 'k3v9x0a2b7', startedAt: 0, policy, rhythm, tracks: [track] };
  return new LiveRun({ facts, logs: new Map([['v0', memory]]), clock, onFault: (error) => t.fail(String(error)) });
};

t.test('a trim that is taken off a show that is on changes nothing of it', async (t) => {
  const clock = new FakeClock();
  const closed: string[] = [];
  const videos = new PlayableVideos({ clock, log, open: async () => null, liveOn: () => null });
  const run = liveRun(clock, closed);
  videos.add(run);
  videos.forget('video-00000001');
  t.equal(videos.find('video-00000001'), run);
  clock.advance(60_000);
  await calm();
  t.same(closed, [], 'its logs are open');
  await run.end();
  videos.forget('video-00000001');
  t.not(videos.find('video-00000001'), run, 'when it is over it can be trimmed');
  clock.advance(60_000);
  await calm();
  t.same(closed, ['v0']);
});

t.test('what was being opened when it was trimmed is opened again', async (t) => {
  const opening: ((recorded: Recorded) => void)[] = [];
  const videos = new PlayableVideos({ clock: new FakeClock(), log, open: () => new Promise((resolve) => opening.push(resolve)), liveOn: () => null });
  const recorded = (inMicros: number | null): Recorded => {
    const stream = new PretendStream().segments(2).end();
    stream.cut = { inMicros, outMicros: null };
    const snapshot: PresentationSnapshot = stream.snapshot();
    return { snapshot, readers: new Map(), weight: 0, close: async () => undefined };
  };
  const asked = videos.find('video-00000001');
  videos.forget('video-00000001');
  opening[0]?.(recorded(null));
  await calm();
  opening[1]?.(recorded(1_000_000));
  t.equal((await asked)?.snapshot().cut.inMicros, 1_000_000);
});

t.test('recordings are kept open as far as their indexes fit, and the one that was used last whatever it is', async (t) => {
  const clock = new FakeClock();
  const closed: string[] = [];
  const snapshot = new PretendStream().segments(2).end().snapshot();
  const open = async (video: string): Promise<Recorded> => ({
    ...{ snapshot, readers: new Map(), weight: Number(video.split('-')[1]) * 1024 * 1024 },
    close: async () => void closed.push(video),
  });
  const videos = new PlayableVideos({ clock, log, open, liveOn: () => null });
  const play = async (video: string): Promise<void> => {
    t.ok(await videos.find(video));
    await calm();
    clock.advance(60_000);
    await calm();
  };
  for (const video of ['a-100', 'b-100', 'c-50']) await play(video);
  t.same(closed, []);
  await play('a-100');
  await play('d-50');
  t.same(closed, ['b-100'], 'not the one that was asked for since');
  await play('e-1000');
  t.same(closed, ['b-100', 'c-50', 'a-100', 'd-50']);
  t.ok(await videos.find('e-1000'));
  t.equal(closed.length, 4);
  for (let more = 0; more < 70; more += 1) await play(`f${more}-0`);
  t.equal(closed.length, 4 + 1 + 6, 'and 64 at most');
});

t.test('a server that stops closes what it would have closed later, what is over, and what is just being opened', async (t) => {
  const clock = new FakeClock();
  const closed: string[] = [];
  const opening: ((recorded: Recorded) => void)[] = [];
  const snapshot = new PretendStream().segments(2).end().snapshot();
  const recorded = (video: string): Recorded => ({ snapshot, readers: new Map(), weight: 0, close: async () => void closed.push(video) });
  const videos = new PlayableVideos({ clock, log, open: (video) => (video === 'slow' ? new Promise((resolve) => opening.push(resolve)) : Promise.resolve(recorded(video))), liveOn: () => null });
  for (const video of ['forgotten', 'open']) await videos.find(video);
  videos.forget('forgotten');
  const growing = (video: string) => ({ ...liveRun(clock, []), snapshot: () => snapshot, facts: { video }, reader: () => null, onChange: () => () => undefined, close: async () => void closed.push(video) });
  // One has another in its place by now.
  for (const run of [growing('over'), growing('over'), growing('on')]) {
    videos.add(run);
    if (run.facts.video === 'over') videos.ended(run);
  }
  const slow = videos.find('slow');
  const stopped = videos.close();
  opening[0]?.(recorded('slow'));
  await Promise.all([slow, stopped]);
  t.same(closed.sort(), ['forgotten', 'on', 'open', 'over', 'over', 'slow']);
  clock.advance(120_000);
  await calm();
  t.equal(closed.length, 6, 'and each of them once');
});

t.test('who watches goes on with a track that has come off the list, for hours; not so where it is to be kept from him', async (t) => {
  const clock = new FakeClock();
  const closed: number[] = [];
  let opened = 0;
  const open = async (): Promise<Recorded> => {
    const stream = new PretendStream().segments(2).end().snapshot();
    opened += 1;
    const number = opened;
    const tracks = stream.tracks.map((track) => ({ ...track, id: `${track.id}-${number}` }));
    return { snapshot: { ...stream, tracks }, readers: new Map(), weight: 1, close: async () => void closed.push(number) };
  };
  const later = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await calm();
  };
  const videos = new PlayableVideos({ clock, log, open, liveOn: () => null });
  const first = await videos.find('film');
  await calm();
  const track = first?.snapshot().tracks[0]?.id ?? '';
  await videos.renew('film', true);
  t.not(await videos.find('film'), first, 'who comes sees the new list');
  await calm();
  t.equal(videos.former('film', track), first);
  t.equal(videos.former('film', 'v7'), null);
  t.equal(videos.former('other', track), null);
  await videos.renew('film', false);
  await later(60_000);
  t.equal(videos.former('film', track), first, 'a track that is added changes nothing of it');
  t.same(closed, [2]);
  await later(6 * 3_600_000);
  await later(60_000);
  t.equal(videos.former('film', track), null, 'not for ever');
  t.same(closed, [2, 1]);

  const again = await videos.find('film');
  await calm();
  await videos.renew('film', true);
  const taken = again?.snapshot().tracks[0]?.id ?? '';
  t.equal(videos.former('film', taken), again);
  await videos.forget('film');
  t.equal(videos.former('film', taken), null, 'trimmed, protected or gone: at once');
  for (let count = 0; count < 40; count += 1) {
    await videos.find(`film-${count}`);
    await calm();
    await videos.renew(`film-${count}`, true);
  }
  await later(60_000);
  t.equal(closed.length, 3 + 40 - 16, 'and not of all videos');
  await videos.close();
});
