import t, { type Test } from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { audioConfig, units, videoConfig } from '../../packager/live/pretend-sender.ts';
import { LiveRun } from '../../packager/live/run.ts';
import { MemoryLog } from '../../packager/log/memory-log.ts';
import type { EvictReason, PublishVerdict } from '../../packager/media/publish.ts';
import { rtmpClock } from '../../packager/media/unit.ts';
import { newId } from '../catalog/ids.ts';
import { testCatalog, testFolder } from '../catalog/testing.ts';
import { Attempts } from '../live/attempts.ts';
import { LiveDesk } from '../live/desk.ts';
import { createLog } from '../log.ts';
import type { HookAnswer } from './call.ts';
import { judgeAnswer, PublishHook } from './publish-hook.ts';
import { PublishNotices } from './publish-notices.ts';

const answered = (status: number, body = ''): HookAnswer => ({ kind: 'answered', status, body });
const yes = answered(200);
type Told = { readonly event: string; readonly id: string; readonly reason?: string; readonly [field: string]: unknown };

/** A desk, a hook whose answers a test decides, and a catalog in which its debts are. */
const stage = async (t: Test, { folder, onFailure = 'refuse', clock = new FakeClock() }: { folder?: string; onFailure?: 'refuse' | 'allow'; clock?: FakeClock } = {}) => {
  const { catalog } = await testCatalog(t, { clock, ...(folder !== undefined && { folder }) });
  const told: Told[] = [];
  const ears: { readonly wants: (told: Told) => boolean; readonly resolve: (told: Told) => void }[] = [];
  const answers: { publish: () => HookAnswer | Promise<HookAnswer>; publish_done: () => HookAnswer | Promise<HookAnswer> } = { publish: () => yes, publish_done: () => yes };
  const caller = {
    call: async (event: string, _id: string, body: string, unwanted?: AbortSignal): Promise<HookAnswer> => {
      const one = JSON.parse(body) as Told;
      told.push(one);
      for (const { wants, resolve } of ears) if (wants(one)) resolve(one);
      const answer = event === 'publish' ? answers.publish() : answers.publish_done();
      const givenUp = new Promise<HookAnswer>((resolve) => unwanted?.addEventListener('abort', () => resolve({ kind: 'failed', why: 'given up' })));
      return Promise.race([answer, givenUp]);
    },
  };
  /** Resolves with what has been, or will be, told of this event for the n-th time. */
  const hears = async (event: string, times = 1): Promise<Told> => {
    const known = told.filter((one) => one.event === event);
    if (known[times - 1]) return known[times - 1] as Told;
    let left = times - known.length;
    return new Promise((resolve) => ears.push({ wants: (one) => one.event === event && --left === 0, resolve }));
  };
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line) });
  const notices = new PublishNotices({ store: catalog.publishNotices, caller, clock, log });
  const hook = new PublishHook({ caller, notices, onFailure, clock, log, newId, videoOf: (id) => desk.channel(id)?.status.videoId ?? null });
  const keys = new Set(['key-mill']);
  const networks: string[] = [];
  const attempts = new Attempts(clock);
  const desk: LiveDesk = new LiveDesk({
    ...{ clock, log, attempts, hook, reconnectWindow: 60_000, newVideoAfter: 86_400_000, takeoverSilence: 2_000, rival: () => undefined },
    streamKeys: {
      resolve: async (key) =>
        keys.has(key)
          ? {
              ...{ channelId: 'id-mill', streamKeyId: 'key1', channelName: 'mill', ownerId: 'owner1', title: 'The mill' },
              ...{ latency: 'low', visibility: 'public', ladder: 'source', protection: 'none', dvrSeconds: null, captions: [], allowedNetworks: networks },
            }
          : null,
    },
    passphraseOf: async () => null,
    createRun: async (_, shape, onFault) => {
      const logs = new Map(shape.tracks.map(({ id }) => [id, new MemoryLog()] as const));
      return new LiveRun({ facts: { video: 'video-mill', run: 'run12345', ...shape }, logs, clock, onFault });
    },
    finishRun: async () => undefined,
    changed: () => undefined,
    ladders: { wish: () => undefined, soundBitRate: () => null, open: () => null },
    sounds: { wish: () => () => null, open: () => null },
  });
  const admit = (address = '192.0.2.1', evict: (reason: EvictReason) => void = () => undefined, left = new AbortController().signal): Promise<PublishVerdict> =>
    desk.admit({ protocol: 'rtmps', key: 'key-mill', address, software: 'OBS', clock: rtmpClock, left, evict });
  await notices.start();
  return { admit, answers, attempts, catalog, clock, desk, hears, hook, keys, lines, networks, notices, told };
};

t.test('a publisher is asked about before it is let in, and its end is told', async (t) => {
  const { admit, hears, clock, told, desk } = await stage(t);
  const verdict = await admit();
  if (!verdict.ok) throw new Error(verdict.message);
  const { sink } = verdict;
  const channel = { id: 'id-mill', name: 'mill', title: 'The mill' };
  const known = { channel, ownerId: 'owner1', streamKeyId: 'key1', protocol: 'rtmps', address: '192.0.2.1', software: 'OBS' };
  t.match(told, [{ event: 'publish', ...known, videoId: null, at: /^\d{4}-/ }]);
  for (const track of [videoConfig, audioConfig()]) sink.track(track);
  const sent = units(5_000);
  for (const unit of sent) sink.write(unit);
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(5_000);
  sink.end('lost');
  const bytes = sent.reduce((sum, { data }) => sum + data.length, 0);
  t.match(await hears('publish_done'), { ...known, id: told[0]?.id, reason: 'lost', duration: 5, bytes, videoId: 'video-mill' });
  sink.end('lost');
  // Back within the window: asked again, with the video that goes on.
  await admit();
  t.match(await hears('publish', 2), { videoId: 'video-mill' });
  t.notMatch(JSON.stringify(told), 'key-mill', 'never the key');
  t.not(told[0]?.id, told.at(-1)?.id);
  await desk.close();
});

t.test('a refusal is told to the sender and written down, and nothing is owed for it', async (t) => {
  const { admit, answers, attempts, catalog, told, lines } = await stage(t);
  answers.publish = () => answered(200, '{"allow":false,"reason":"Not\\npaid."}');
  t.same(await admit(), { ok: false, code: 'refused', message: 'Not paid.' });
  answers.publish = () => answered(403);
  t.match(await admit(), { ok: false, code: 'refused', message: 'This stream was refused.' });
  t.match(attempts.ofChannel('id-mill'), [{ reason: 'hook-refused', count: 2 }]);
  t.same(await catalog.publishNotices.left(), []);
  for (let n = 0; n < 20; n += 1) await admit();
  t.equal(told.length, 10, 'who was refused ten times is slowed down before the hook is asked');
  t.ok(lines.length < 15);
});

t.test('no answer means what the operator has chosen', async (t) => {
  const strict = await stage(t);
  const clock = new FakeClock();
  const lax = await stage(t, { onFailure: 'allow', clock });
  const noAnswers = [answered(500), answered(302), answered(200, 'OK'), answered(200, '{"allow":1}'), { kind: 'failed', why: 'no answer within 2000 ms' } as const];
  for (const answer of noAnswers) {
    strict.answers.publish = () => answer;
    lax.answers.publish = () => answer;
    t.match(await strict.admit(), { ok: false, code: 'refused', message: /could not find out/ });
    t.match(await lax.admit(), { ok: true });
    clock.advance(5_000); // the next one is no second encoder
  }
  t.match(strict.attempts.all(), [{ reason: 'hook-failed', count: noAnswers.length }]);
  t.match(lax.lines.join(''), 'The publish hook gave no answer.');
  for (let n = 0; n < 20; n += 1) await strict.admit();
  strict.answers.publish = () => yes;
  t.match(await strict.admit(), { ok: true }, 'nobody is kept out for longer than the outage lasts');
  await Promise.all([strict.desk.close(), lax.desk.close()]);
});

t.test('what an answer means', async (t) => {
  t.match(judgeAnswer(answered(204)), { kind: 'allowed' });
  t.match(judgeAnswer(answered(200, ' {"allow": true, "more": []} ')), { kind: 'allowed' });
  t.match(judgeAnswer(answered(200, '{}')), { kind: 'allowed' });
  t.match(judgeAnswer(answered(401, '{"reason":"who?"}')), { kind: 'refused', reason: 'who?' });
  t.match(judgeAnswer(answered(404, '<html>')), { kind: 'refused', reason: 'This stream was refused.' });
  t.match(judgeAnswer(answered(200, '{"allow":false,"reason":7}')), { kind: 'refused', reason: 'This stream was refused.' });
  t.equal((judgeAnswer(answered(200, JSON.stringify({ allow: false, reason: '😀'.repeat(900) }))) as { reason: string }).reason.length, 400);
  t.match(judgeAnswer(answered(200, '[]')), { kind: 'failed' });
});

t.test('what became of the key and the channel meanwhile counts', async (t) => {
  const { admit, answers, attempts, hears, keys, networks, desk } = await stage(t);
  answers.publish = () => {
    keys.clear();
    return yes;
  };
  t.match(await admit(), { ok: false, code: 'unknown-key' });
  t.match(await hears('publish_done'), { reason: 'not-started', bytes: 0 });
  keys.add('key-mill');
  answers.publish = () => {
    networks.push('203.0.113.0/24');
    return yes;
  };
  t.match(await admit(), { ok: false, code: 'unknown-key' });
  t.match(await hears('publish_done', 2), { reason: 'not-started' });
  t.match(attempts.ofChannel('id-mill'), [{ reason: 'forbidden-network' }]);
  networks.length = 0;
  let others: PublishVerdict | null = null;
  answers.publish = async () => {
    answers.publish = () => yes;
    others = await admit('198.51.100.7');
    return yes;
  };
  t.match(await admit(), { ok: false, code: 'busy' });
  t.match(others, { ok: true });
  t.match(await hears('publish_done', 3), { reason: 'not-started', address: '192.0.2.1' });
  await desk.close();
});

t.test('a late yes for a connection that its encoder has given up does not throw out the one that came after it', async (t) => {
  const { admit, answers, clock, hears, desk } = await stage(t);
  let answer = (_: HookAnswer): void => undefined;
  answers.publish = () => new Promise((resolve) => (answer = resolve));
  const first = admit();
  await hears('publish');
  answers.publish = () => yes;
  const evicted: EvictReason[] = [];
  t.match(await admit('192.0.2.1', (reason) => evicted.push(reason)), { ok: true });
  clock.advance(5_000);
  answer(yes);
  t.match(await first, { ok: false, code: 'busy' }, 'however silent the other one is: it asked later');
  t.match(await hears('publish_done'), { reason: 'not-started' });
  t.same(evicted, []);
  t.match(await admit(), { ok: true });
  t.same(evicted, ['taken-over'], 'who comes after it takes over, as ever');
  await desk.close();
});

t.test('nobody makes room for a sender that has gone while it was asked about', async (t) => {
  const { admit, answers, hears, desk } = await stage(t);
  const evicted: EvictReason[] = [];
  t.match(await admit('192.0.2.1', (reason) => evicted.push(reason)), { ok: true });
  const sender = new AbortController();
  answers.publish = () => {
    sender.abort(); // The answer is on its way already.
    return yes;
  };
  t.match(await admit('192.0.2.1', undefined, sender.signal), { ok: false });
  t.match(await hears('publish_done'), { reason: 'not-started' });
  t.same(evicted, []);
  await desk.close();
});

t.test('who hangs up while the hook thinks is not asked about any longer: nothing is refused, owed or told', async (t) => {
  for (const onFailure of ['refuse', 'allow'] as const) {
    const { admit, answers, attempts, catalog, hears, hook, told, lines, desk } = await stage(t, { onFailure });
    answers.publish = () => new Promise<never>(() => undefined);
    const sender = new AbortController();
    const asked = admit('192.0.2.1', undefined, sender.signal);
    await hears('publish');
    sender.abort();
    t.match(await asked, { ok: false });
    t.match(await admit('192.0.2.1', undefined, sender.signal), { ok: false }, 'nor is who has gone before it is asked about');
    t.equal(told.length, 1);
    t.same(attempts.all(), []);
    t.same(hook.counters, { allowed: 0, refused: 0, failed: 0 });
    t.same(await catalog.publishNotices.left(), []);
    t.equal(desk.channel('id-mill'), null);
    t.notMatch(lines.join(''), 'refused');
    answers.publish = () => yes;
    t.match(await admit(), { ok: true });
    await desk.close();
  }
});

t.test('who is sent away is told of with the reason', async (t) => {
  const { admit, hears, desk } = await stage(t);
  let end = (): void => undefined;
  const verdict = await admit('192.0.2.1', () => end());
  if (!verdict.ok) throw new Error(verdict.message);
  end = () => verdict.sink.end('evicted');
  await admit('192.0.2.1');
  t.match(await hears('publish_done'), { reason: 'taken-over' });
  await desk.close();
});

t.test('an end is told until it is heard, and given up after ten times', async (t) => {
  const { admit, answers, hears, catalog, clock, told, notices, lines } = await stage(t);
  answers.publish_done = () => answered(503);
  const verdict = await admit();
  if (verdict.ok) verdict.sink.end('announced');
  for (let tries = 1; tries <= 10; tries += 1) {
    await hears('publish_done', tries);
    // Until it is written down when it is to be told again.
    while ((await catalog.publishNotices.due(1)).length > 0) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 20; turn += 1) await catalog.publishNotices.left();
    clock.advance(3_600_000);
  }
  await notices.stop();
  const ends = told.filter(({ event }) => event === 'publish_done');
  t.equal(ends.length, 10);
  t.equal(new Set(ends.map((one) => JSON.stringify(one))).size, 1, 'the same each time');
  t.equal(await catalog.publishNotices.nextDueAt(), null);
  t.match(lines.join(''), 'it is given up');
});

t.test('what a stop or a kill leaves is told by the next start', async (t) => {
  const folder = await testFolder(t);
  const clock = new FakeClock();
  const first = await stage(t, { folder, clock });
  first.answers.publish_done = () => ({ kind: 'failed', why: 'nobody there' });
  const verdict = await first.admit();
  if (verdict.ok) verdict.sink.end('announced');
  await first.hears('publish_done');
  await first.notices.stop();
  // This one is on when the server is killed.
  await first.admit();
  await first.catalog.close();
  const second = await stage(t, { folder, clock });
  clock.advance(10_000);
  await second.hears('publish_done', 2);
  t.same(second.told.map(({ reason }) => reason).sort(), ['announced', 'server-stopped']);
  t.match(second.told.find(({ reason }) => reason === 'server-stopped'), { duration: null, bytes: null });
  await second.notices.stop();
  t.equal(await second.catalog.publishNotices.nextDueAt(), null);
});
