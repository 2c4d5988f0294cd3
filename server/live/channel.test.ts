import t, { type Test } from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { audioConfig, picture, sound, units, videoConfig } from '../../packager/live/pretend-sender.ts';
import { LiveRun } from '../../packager/live/run.ts';
import { MemoryLog } from '../../packager/log/memory-log.ts';
import type { EvictReason, PublishSink } from '../../packager/media/publish.ts';
import { rtmpClock, type AccessUnit } from '../../packager/media/unit.ts';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import type { ResolvedKey } from '../catalog/stream-keys.ts';
import { createLog } from '../log.ts';
import { LiveChannel, type ChannelHost, type ChannelStatus } from './channel.ts';

const WINDOW = 60_000;
const DAY = 24 * 3_600_000;

const key: ResolvedKey = {
  channelId: 'channel1',
  streamKeyId: 'key1',
  channelName: 'mill',
  ownerId: 'owner1',
  latency: 'low',
  visibility: 'public',
  ladder: 'source',
  protection: 'none',
  title: 'A show',
  dvrSeconds: null,
  captions: [], allowedNetworks: [],
};

class Stage {
  readonly clock = new FakeClock();
  readonly made: LiveRun[] = [];
  readonly onFault: ((error: unknown) => void)[] = [];
  readonly finished: string[] = [];
  readonly told: ChannelStatus[] = [];
  readonly channel: LiveChannel;
  /** What happens before a run is made, or finished. */
  beforeCreate: () => Promise<void> = async () => undefined;
  beforeFinish: () => Promise<void> = async () => undefined;

  constructor() {
    const host: ChannelHost = {
      clock: this.clock,
      log: createLog('silent'),
      reconnectWindow: WINDOW,
      newVideoAfter: DAY,
      takeoverSilence: 2_000,
      ladders: { wish: () => undefined, soundBitRate: () => null, open: () => null },
    sounds: { wish: () => () => null, open: () => null },
      createRun: async (_key, shape, onFault) => {
        await this.beforeCreate();
        const name = `video${this.made.length + 1}`;
        const logs = new Map(shape.tracks.map(({ id }) => [id, new MemoryLog()] as const));
        const run = new LiveRun({ facts: { video: name, run: `${name}00`, ...shape }, logs, clock: this.clock, onFault });
        this.made.push(run);
        this.onFault.push(onFault);
        return run;
      },
      finishRun: async (run) => {
        await this.beforeFinish();
        this.finished.push(run.facts.video);
      },
      changed: (_channel, status) => void this.told.push(status),
    };
    this.channel = new LiveChannel(key, host);
  }

  snapshot(run: number): PresentationSnapshot {
    const made = this.made[run];
    if (!made) throw new Error('no such run');
    return made.snapshot();
  }
}

class Publisher {
  readonly evicted: EvictReason[] = [];
  readonly #stage: Stage;
  #sink: PublishSink | null = null;

  constructor(stage: Stage) {
    this.#stage = stage;
  }
  get sink(): PublishSink {
    if (!this.#sink) throw new Error('not let in yet');
    return this.#sink;
  }
  async connect(address = '192.0.2.1', tracks = [videoConfig, audioConfig()]): Promise<this> {
    const evict = (reason: EvictReason): void => {
      this.evicted.push(reason);
      this.#sink?.end('evicted');
    };
    this.#sink = await this.#stage.channel.attach({ protocol: 'rtmp', key: 'secret', address, clock: rtmpClock, evict }, key, 1);
    for (const track of tracks) this.#sink.track(track);
    return this;
  }
  send(sent: readonly AccessUnit[]): this {
    let last = sent[0]?.dts ?? 0;
    for (const unit of sent) {
      this.#stage.clock.advance(Math.max(0, unit.dts - last));
      last = Math.max(last, unit.dts);
      this.sink.write(unit);
    }
    return this;
  }
}

/** Everything that has been begun and waits for no clock is done. */
const calm = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const live = async (): Promise<{ stage: Stage; sender: Publisher }> => {
  const stage = new Stage();
  const sender = (await new Publisher(stage).connect()).send(units(5_000));
  await calm();
  return { stage, sender };
};
const level = (t: Test, { tracks }: PresentationSnapshot): void => {
  t.equal(new Set(tracks.map(({ endSegment }) => endSegment)).size, 1, 'every track has the same segments');
};

t.test('offline, starting, live, waiting, live again, ended', async (t) => {
  const stage = new Stage();
  t.equal(stage.channel.state, 'offline');
  const first = await new Publisher(stage).connect();
  t.equal(stage.channel.state, 'starting');
  first.send(units(5_000));
  await calm();
  t.match(stage.channel.status, { state: 'live', videoId: 'video1' });
  first.sink.end('lost');
  await calm();
  t.match(stage.channel.status, { state: 'waiting', videoId: 'video1', until: stage.clock.wall() + WINDOW });
  t.equal(stage.snapshot(0).state, 'live', 'the playlist is held as it is');
  stage.clock.advance(WINDOW - 1);
  const second = (await new Publisher(stage).connect()).send(units(5_000, { shift: 70_000 }));
  stage.clock.advance(WINDOW);
  await calm();
  t.match(stage.channel.status, { state: 'live', videoId: 'video1', until: null });
  second.sink.end('announced');
  await calm();
  t.equal(stage.channel.idle, true);
  t.match(stage.told.at(-1), { state: 'ended', videoId: 'video1', until: null });
  t.same(stage.finished, ['video1']);
  t.equal(stage.snapshot(0).state, 'ended');
  t.same(stage.snapshot(0).epochs.map(({ epoch }) => epoch), [0, 1]);
  level(t, stage.snapshot(0));
});

t.test('nobody returns: the show ends with its window, once', async (t) => {
  const { stage, sender } = await live();
  sender.sink.end('lost');
  await calm();
  stage.clock.advance(WINDOW);
  await calm();
  t.same(stage.finished, ['video1']);
  t.equal(stage.channel.idle, true);
});

t.test('who comes from the same address takes over, and the show goes on', async (t) => {
  const { stage, sender } = await live();
  t.equal(stage.channel.admits({ address: '198.51.100.1', streamKeyId: 'key1', asked: 2 }), 'busy');
  const other = (await new Publisher(stage).connect()).send(units(5_000, { shift: 9_000 }));
  await calm();
  t.same(sender.evicted, ['taken-over']);
  sender.sink.write(picture(5_000, true));
  sender.sink.end('announced');
  await calm();
  t.match(stage.channel.status, { state: 'live', videoId: 'video1' });
  other.sink.end('announced');
  await calm();
  level(t, stage.snapshot(0));
});

t.test('of three who come at once, the last one has the channel', async (t) => {
  const { stage, sender } = await live();
  const second = new Publisher(stage);
  const third = new Publisher(stage);
  await Promise.all([second.connect(), third.connect()]);
  t.same([sender.evicted, second.evicted, third.evicted], [['taken-over'], ['taken-over'], []]);
  second.send(units(3_000));
  third.send(units(3_000, { shift: 50_000 }));
  await calm();
  t.equal(stage.snapshot(0).epochs.length, 2, 'what the second sent is nowhere');
});

t.test('ended while it is opening: what was held is a recording', async (t) => {
  const stage = new Stage();
  let go = (): void => undefined;
  stage.beforeCreate = () => new Promise((resolve) => (go = resolve));
  const sender = (await new Publisher(stage).connect()).send(units(3_000));
  sender.sink.end('announced');
  await calm();
  t.same(stage.finished, []);
  go();
  await calm();
  t.same(stage.finished, ['video1']);
  t.equal(stage.channel.idle, true);
  level(t, stage.snapshot(0));
});

t.test('a run that cannot be made sends its publisher away, and the next one is let in', async (t) => {
  const stage = new Stage();
  stage.beforeCreate = async () => Promise.reject(new Error('planted'));
  const sender = (await new Publisher(stage).connect()).send(units(3_000));
  await calm();
  t.same(sender.evicted, ['fault']);
  t.equal(stage.channel.idle, true);
  stage.beforeCreate = async () => undefined;
  (await new Publisher(stage).connect()).send(units(3_000));
  await calm();
  t.equal(stage.channel.state, 'live');
});

t.test('a catalog that fails at the end of a show does not keep the channel from its next one', async (t) => {
  const { stage, sender } = await live();
  stage.beforeFinish = async () => Promise.reject(new Error('planted'));
  sender.sink.end('announced');
  await calm();
  t.equal(stage.snapshot(0).state, 'ended', 'viewers have their ENDLIST');
  t.equal(stage.channel.idle, true);
  t.match(stage.told.at(-1), { state: 'ended' });
  (await new Publisher(stage).connect()).send(units(5_000));
  await calm();
  t.match(stage.channel.status, { state: 'live', videoId: 'video2' });
});

t.test('a log that refuses ends the show, for its publisher and for those who watch', async (t) => {
  const { stage, sender } = await live();
  stage.onFault[0]?.(new Error('planted'));
  await calm();
  t.same(sender.evicted, ['fault']);
  t.equal(stage.snapshot(0).state, 'ended');
  t.same(stage.finished, ['video1']);
  stage.onFault[0]?.(new Error('planted, and late'));
  await calm();
  t.same(stage.finished, ['video1'], 'once');
});

t.test('however many reasons there are to end, a show ends once and leaves no window behind', async (t) => {
  const { stage, sender } = await live();
  sender.sink.end('lost');
  const ending = stage.channel.end('ended-by-owner');
  stage.onFault[0]?.(new Error('planted'));
  await ending;
  await calm();
  t.same(stage.finished, ['video1']);
  t.match(stage.told.at(-1), { state: 'ended', until: null });
  t.equal(stage.channel.status.until, null);
});

t.test('who comes while the show ends gets a show of their own', async (t) => {
  const { stage, sender } = await live();
  let go = (): void => undefined;
  stage.beforeFinish = () => new Promise((resolve) => (go = resolve));
  sender.sink.end('announced');
  const next = new Publisher(stage).connect();
  await calm();
  go();
  (await next).send(units(5_000));
  await calm();
  t.match(stage.channel.status, { state: 'live', videoId: 'video2' });
  t.equal(stage.snapshot(0).state, 'ended');
});

t.test('ended by its owner while a publisher is about to be let in: nobody is in', async (t) => {
  const { stage } = await live();
  const next = new Publisher(stage);
  const connecting = next.connect();
  await stage.channel.end('ended-by-owner');
  await connecting;
  t.same(next.evicted, ['ended-by-owner']);
  next.send(units(3_000));
  await calm();
  t.equal(stage.channel.idle, true);
  t.equal(stage.made.length, 1);
});

t.test('a channel that never stops gets a new video at a key frame, and keeps what its sender declared', async (t) => {
  const stage = new Stage();
  const sender = await new Publisher(stage).connect();
  sender.sink.hint({ videodatarate: 5_000 });
  sender.send(units(5_000));
  await calm();
  stage.clock.advance(DAY);
  sender.send(units(5_000, { shift: 5_000 }));
  await calm();
  t.match(stage.channel.status, { state: 'live', videoId: 'video2' });
  t.same(stage.finished, ['video1']);
  const [first, second] = [stage.snapshot(0), stage.snapshot(1)];
  t.equal(first.state, 'ended');
  t.equal(second.tracks[0]?.bandwidth, 6_250_000);
  t.same(sender.evicted, []);
  level(t, first);
});

t.test('what a channel has become holds for the show that begins next, not for the one that is on', async (t) => {
  const { stage, sender } = await live();
  stage.channel.becomes({ latency: 'standard', ladder: 'source', protection: 'none', dvrSeconds: 30, captions: [] });
  t.match(stage.snapshot(0).policy, { latency: 'low', dvrSeconds: 43_200 });
  stage.clock.advance(DAY);
  sender.send(units(5_000, { shift: 5_000 }));
  await calm();
  t.match(stage.snapshot(0).policy, { latency: 'low', dvrSeconds: 43_200 });
  t.match(stage.snapshot(1).policy, { latency: 'standard', dvrSeconds: 30 });
});

t.test('a track that turns up while the run is being made is a new run, not lost', async (t) => {
  const stage = new Stage();
  const go: (() => void)[] = [];
  stage.beforeCreate = () => new Promise((resolve) => void go.push(resolve));
  const sender = (await new Publisher(stage).connect('192.0.2.1', [audioConfig()])).send(units(3_000, { only: 'audio' }));
  sender.sink.track(videoConfig);
  sender.send(units(5_000, { from: 3_000 }));
  for (const made of go) made();
  await calm();
  t.same(stage.made.map(({ facts }) => facts.tracks.map(({ kind }) => kind)), [['audio'], ['video', 'audio']]);
  t.match(stage.channel.status, { state: 'live', videoId: 'video2' });
  t.same(stage.finished, ['video1']);
});

t.test('media that cannot be read costs its sender the session, and opens the window', async (t) => {
  const { stage, sender } = await live();
  sender.sink.write({ ...picture(5_000, true), data: Buffer.from('ffffffff00', 'hex') });
  await calm();
  t.same(sender.evicted, ['fault']);
  t.equal(stage.channel.state, 'waiting');
});

t.test('the server stops: in every state the publisher goes, and the show is neither ended nor lost', async (t) => {
  const starting = new Stage();
  const early = (await new Publisher(starting).connect()).send([sound(0)]);
  await starting.channel.suspend();
  t.same(early.evicted, ['shutting-down']);
  t.equal(starting.channel.idle, true);

  const { stage, sender } = await live();
  await stage.channel.suspend();
  t.same(sender.evicted, ['shutting-down']);
  t.equal(stage.snapshot(0).state, 'live');
  t.same(stage.finished, []);

  const waiting = await live();
  waiting.sender.sink.end('lost');
  await waiting.stage.channel.suspend();
  waiting.stage.clock.advance(2 * WINDOW);
  await calm();
  t.same(waiting.stage.finished, []);
  t.equal(waiting.stage.channel.status.until, null);
});

t.test('a resumed show waits for its publisher, goes on with it, or ends with its window; and a fault ends it', async (t) => {
  const before = await live();
  await before.stage.channel.suspend();
  const [run] = before.stage.made;
  if (!run) return t.fail('no run');

  const returns = new Stage();
  returns.channel.resume(run);
  t.match(returns.channel.status, { state: 'waiting', videoId: 'video1' });
  await new Publisher(returns).connect();
  t.match(returns.channel.status, { state: 'live', videoId: 'video1', until: null });

  const stays = new Stage();
  stays.channel.resume(run);
  stays.channel.fault(run, new Error('planted'));
  await calm();
  t.equal(stays.channel.idle, true);
  t.same(stays.finished, ['video1']);
});
