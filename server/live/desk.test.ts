import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { audioConfig, units, videoConfig } from '../../packager/live/pretend-sender.ts';
import { LiveRun } from '../../packager/live/run.ts';
import { MemoryLog } from '../../packager/log/memory-log.ts';
import type { EvictReason, PublishSink, PublishVerdict } from '../../packager/media/publish.ts';
import { rtmpClock } from '../../packager/media/unit.ts';
import type { ResolvedKey } from '../catalog/stream-keys.ts';
import { createLog } from '../log.ts';
import { Attempts } from './attempts.ts';
import { LiveDesk } from './desk.ts';

/** `home-…`: a key that is for one network. `second-…`: another key of the same channel. */
const keyOf = (name: string, channel = name.replace(/^second-/, '')): ResolvedKey => ({
  ...{ channelId: `id-${channel}`, streamKeyId: `key-${name}`, channelName: channel, ownerId: 'owner1', title: channel },
  ...{ latency: 'low', visibility: 'public', ladder: 'source', protection: 'none', dvrSeconds: null, captions: [], allowedNetworks: channel.startsWith('home-') ? ['203.0.113.0/24', '2001:db8:7::/48'] : [] },
});

class Stage {
  readonly clock = new FakeClock();
  readonly evicted: string[] = [];
  readonly lines: string[] = [];
  /** Who is measured: the keys. */
  readonly measured: string[] = [];
  /** What the end of a show waits for. */
  ending: Promise<void> = Promise.resolve();
  /** What the catalog waits for before it answers. */
  catalog: Promise<void> = Promise.resolve();
  readonly attempts = new Attempts(this.clock);
  /** Channels of which it was told that a second encoder came. */
  readonly rivals: string[] = [];
  readonly desk = new LiveDesk({
    clock: this.clock,
    log: createLog('info', { write: (line) => void this.lines.push(line) }),
    reconnectWindow: 60_000,
    newVideoAfter: 86_400_000,
    takeoverSilence: 2_000,
    attempts: this.attempts,
    rival: (channelId) => void this.rivals.push(channelId),
    hook: null,
    streamKeys: {
      resolve: async (key) => {
        await this.catalog;
        return key.startsWith('key-') ? keyOf(key.slice(4)) : null;
      },
    },
    passphraseOf: async (channel) => (channel.includes('secret') ? 'correct horse' : null),
    createRun: async (owner, shape, onFault) => {
      const logs = new Map(shape.tracks.map(({ id }) => [id, new MemoryLog()] as const));
      return new LiveRun({ facts: { video: `video-${owner.channelName}`, run: 'run12345', ...shape }, logs, clock: this.clock, onFault });
    },
    finishRun: () => this.ending,
    measured: (_, request, sink) => {
      this.measured.push(request.key);
      return sink;
    },
    changed: () => undefined,
    ladders: { wish: () => undefined, soundBitRate: () => null, open: () => null },
    sounds: { wish: () => () => null, open: () => null },
  });

  admit(key: string, address = '192.0.2.1', protocol: 'rtmp' | 'srt' = 'rtmp'): Promise<PublishVerdict> {
    const evict = (reason: EvictReason): void => void this.evicted.push(`${key} ${reason}`);
    return this.desk.admit({ protocol, key, address, clock: rtmpClock, evict });
  }

  async live(channel: string): Promise<PublishSink> {
    const verdict = await this.admit(`key-${channel}`);
    if (!verdict.ok) throw new Error(verdict.message);
    for (const track of [videoConfig, audioConfig()]) verdict.sink.track(track);
    for (const unit of units(5_000)) verdict.sink.write(unit);
    await calm();
    return verdict.sink;
  }
}

const calm = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

t.test('a channel is known from its publisher\'s coming to its end, and no longer', async (t) => {
  const stage = new Stage();
  t.same(stage.desk.channels, []);
  const sink = await stage.live('mill');
  t.same(stage.desk.channels.map(({ name, state }) => [name, state]), [['mill', 'live']]);
  sink.end('announced');
  await calm();
  t.same(stage.desk.channels, []);
  t.equal(stage.desk.channel('id-mill'), null, 'nothing is kept of it');
  t.equal(await stage.desk.end('id-mill', 'ended-by-owner'), false);
});

t.test('who hangs up before a show began leaves nothing behind', async (t) => {
  const stage = new Stage();
  const verdict = await stage.admit('key-mill');
  if (verdict.ok) verdict.sink.end('lost');
  await calm();
  t.equal(stage.desk.channel('id-mill'), null);
});

t.test('somebody else is busy until the publisher has been silent for two seconds', async (t) => {
  const stage = new Stage();
  await stage.live('mill');
  t.match(await stage.admit('key-mill', '198.51.100.7'), { ok: false, code: 'busy' });
  t.same(stage.evicted, []);
  stage.clock.advance(2_000);
  t.match(await stage.admit('key-mill', '198.51.100.7'), { ok: true });
  t.same(stage.evicted, ['key-mill taken-over']);
});

t.test('the same key from the same address takes over at once; another key of the channel waits until the publisher is silent', async (t) => {
  const stage = new Stage();
  await stage.live('mill');
  t.match(await stage.admit('key-second-mill'), { ok: false, code: 'busy' });
  t.same(stage.evicted, [], 'two machines behind one address do not throw each other out');
  t.match(await stage.admit('key-mill'), { ok: true });
  t.same(stage.evicted, ['key-mill taken-over']);
  stage.clock.advance(2_000);
  t.match(await stage.admit('key-second-mill'), { ok: true });
  t.equal(stage.evicted.length, 2);
  t.match(await stage.admit('key-second-mill', '192.0.2.1', 'srt'), { ok: true }, 'in whatever way it comes back');
  t.equal(stage.evicted.length, 3);
});

t.test('two encoders with one key behind one address do not take turns', async (t) => {
  const stage = new Stage();
  await stage.live('mill');
  const second = await stage.admit('key-mill');
  if (!second.ok) throw new Error(second.message);
  t.same(stage.evicted, ['key-mill taken-over'], 'the second one may be the same, back again');
  const [picture] = units(40);
  if (!picture) throw new Error('no picture');
  for (const track of [videoConfig, audioConfig()]) second.sink.track(track);
  for (let seconds = 0; seconds < 90; seconds += 1) {
    second.sink.write({ ...picture, dts: seconds * 1_000, pts: seconds * 1_000 });
    if (seconds % 3 === 2) t.match(await stage.admit('key-mill'), { ok: false, code: 'busy', message: /Another encoder/ });
    stage.clock.advance(1_000);
  }
  t.equal(stage.evicted.length, 1, 'also when its half minute has long been over');
  t.match(stage.attempts.ofChannel('id-mill'), [{ reason: 'two-encoders', count: 30 }]);
  t.same(new Set(stage.rivals), new Set(['id-mill']));
  t.equal(stage.rivals.length, 30);
  t.match(await stage.admit('key-mill', '198.51.100.7'), { ok: false, code: 'busy', message: /Somebody/ });
  t.match(await stage.admit('key-second-mill'), { ok: false, code: 'busy', message: /Somebody/ });
  t.equal(stage.rivals.length, 30, 'others are no rivals of it');
  // It has crashed, and its connection is half open: the next one is in as soon as it is silent.
  stage.clock.advance(1_000);
  t.match(await stage.admit('key-mill'), { ok: true });
  t.equal(stage.evicted.length, 2);
  t.match(await stage.admit('key-mill'), { ok: true }, 'and nobody has thrown out one that was sending');
  await stage.desk.close();
});

t.test('of two that wait for the end of the show before, only who has the channel then is measured', async (t) => {
  const stage = new Stage();
  const old = await stage.live('mill');
  let ended = (): void => undefined;
  stage.ending = new Promise((resolve) => (ended = resolve));
  old.end('announced');
  const first = stage.admit('key-mill');
  await calm();
  const second = stage.admit('key-mill');
  await calm();
  ended();
  t.match(await Promise.all([first, second]), [{ ok: true }, { ok: true }]);
  t.same(stage.evicted, ['key-mill taken-over']);
  t.equal(stage.measured.length, 2, 'the one before, and the second of these');
  await stage.desk.close();
});

t.test('the end of one channel is nothing to another', async (t) => {
  const stage = new Stage();
  await stage.live('one');
  await stage.live('two');
  t.equal(await stage.desk.end('id-one', 'channel-deleted'), true);
  t.same(stage.evicted, ['key-one channel-deleted']);
  await stage.desk.keyRevoked('id-two', 'another key of the channel');
  t.equal(stage.evicted.length, 1);
  await stage.desk.keyRevoked('id-two', 'key-two');
  t.equal(stage.evicted[1], 'key-two key-revoked');
  t.same(stage.desk.channels, []);
});

t.test('wrong keys are slowed down by address, and right ones never', async (t) => {
  const stage = new Stage();
  let last: PublishVerdict | null = null;
  for (let attempt = 0; attempt < 100; attempt += 1) last = await stage.admit('wrong');
  t.match(last, { ok: false, code: 'slow-down' });
  t.match(await stage.admit('key-mill'), { ok: true });
  t.ok(stage.lines.length < 50, 'nor does the log repeat it for ever');
  t.notOk(stage.lines.some((line) => line.includes('key-mill')), 'a key is never logged');
});

t.test('while the server stops nobody comes in, also not who has asked before', async (t) => {
  const stage = new Stage();
  await stage.live('one');
  let answer = (): void => undefined;
  stage.catalog = new Promise((resolve) => (answer = resolve));
  const asked = stage.admit('key-two');
  const closed = stage.desk.close();
  answer();
  t.match(await asked, { ok: false, code: 'shutting-down' });
  await closed;
  t.match(await stage.admit('key-one'), { ok: false, code: 'shutting-down' });
  t.same(stage.evicted, ['key-one shutting-down']);
  t.same(stage.desk.channels, []);
});

t.test('a passphrase is asked for before anything else is touched', async (t) => {
  const stage = new Stage();
  const first = await stage.live('secret');
  const asked: (string | null)[] = [];
  const come = (channel: string, right: boolean): Promise<PublishVerdict> =>
    stage.desk.admit({
      ...{ protocol: 'srt', key: `key-${channel}`, address: '192.0.2.1', clock: rtmpClock, evict: () => undefined },
      proves: async (passphrase) => {
        asked.push(passphrase);
        return right;
      },
    });
  t.match(await come('secret', false), { ok: false, code: 'wrong-passphrase' });
  t.same(stage.evicted, [], 'whoever was on the air still is');
  t.match(await come('open', true), { ok: true });
  t.same(asked, ['correct horse', null]);
  t.match(await come('secret', true), { ok: true });
  t.same(stage.evicted, ['key-secret taken-over']);
  first.end('evicted');
  t.notMatch(stage.lines.join(), 'correct horse');
  await stage.desk.close();
});

t.test('a key from elsewhere than it is for is, to its sender, a key that is not known', async (t) => {
  const stage = new Stage();
  const stranger = new Stage();
  for (let attempt = 0; attempt < 14; attempt += 1) {
    t.same(await stage.admit('key-home-mill', '198.51.100.7'), await stranger.admit('wrong', '198.51.100.7'), `attempt ${attempt}`);
  }
  for (const [channel, address] of [['a', '203.0.113.9'], ['b', '::ffff:203.0.113.9'], ['c', '2001:db8:7:1::5']] as const) {
    t.match(await stage.admit(`key-home-${channel}`, address), { ok: true }, address);
  }
  for (const address of ['203.0.114.9', '2001:db8:8::5', 'unknown', '']) t.match(await stage.admit('key-home-mill', address), { ok: false }, address);
  t.match(stage.attempts.ofChannel('id-home-mill').find(({ count }) => count > 1), { reason: 'forbidden-network', address: '198.51.100.7', count: 14 }, 'its owner is told');
  t.match(stranger.attempts.all(), [{ reason: 'unknown-key', address: '198.51.100.7', count: 14, channelId: null }]);
  t.notMatch(JSON.stringify([stage.attempts.all(), stage.lines]), 'key-home');
  await stage.desk.close();
});

t.test('nothing of a channel is touched or told for a key from elsewhere', async (t) => {
  const stage = new Stage();
  let asked = false;
  const verdict = await stage.desk.admit({
    ...{ protocol: 'srt', key: 'key-home-secret', address: '198.51.100.7', clock: rtmpClock, evict: () => undefined },
    proves: async () => {
      asked = true;
      return false;
    },
  });
  t.match(verdict, { ok: false, code: 'unknown-key' });
  t.equal(asked, false, 'not even whether it has a passphrase');
});

t.test('a wrong passphrase is slowed down for whoever has it, and for nobody else', async (t) => {
  const stage = new Stage();
  const come = (address: string, right: boolean): Promise<PublishVerdict> =>
    stage.desk.admit({ ...{ protocol: 'srt', key: 'key-secret', address, clock: rtmpClock, evict: () => undefined }, proves: async () => right });
  for (let attempt = 0; attempt < 10; attempt += 1) t.match(await come('192.0.2.1', false), { code: 'wrong-passphrase' });
  t.match(await come('192.0.2.1', true), { code: 'slow-down' });
  t.match(await come('192.0.2.2', true), { ok: true });
  t.match(stage.attempts.counts, { 'wrong-passphrase': 10 });
  await stage.desk.close();
});
