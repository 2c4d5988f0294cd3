/** Grants of whoever is watching: what goes on, what ends, and how many there are. */
import t from 'tap';
import type { VideoRow } from '../catalog/videos.ts';
import { Grants } from './grants.ts';
import { expired, from, no, setUp } from './testing.ts';
import { longestMs, silenceMs, Viewings } from './viewings.ts';

const media = { ...from, wantsMedia: true };

t.test('a ten-hour show is watched to its end, although the grant is over by then; whoever comes later does not get in', async (t) => {
  const { grants, recording, issue, clock } = await setUp(t);
  const video = await recording();
  const { text } = await issue(video, { expiresAt: clock.wall() + 3_600_000 });
  for (let seconds = 0; seconds < 36_000; seconds += 6) {
    const [list, segment] = [await grants.verdict(text, video.id, 'media', from), await grants.verdict(text, video.id, 'media', media)];
    if (!list.ok || !segment.ok) t.fail(`refused after ${seconds} s`);
    clock.advance(6_000);
  }
  t.same(await grants.verdict(text, video.id, 'media', { ...media, address: '192.0.2.10' }), expired, 'from another address');
  t.same(await grants.verdict(text, video.id, 'media', { ...media, agent: 'another player' }), expired, 'in another player');
  clock.advance(silenceMs);
  t.same(await grants.verdict(text, video.id, 'media', media), expired, 'who leaves has left');
});

t.test('lists alone keep no viewing going, and none lasts longer than a day', async (t) => {
  const { grants, recording, issue, clock } = await setUp(t);
  const video = await recording();
  const { text } = await issue(video, { expiresAt: clock.wall() + 30_000 });
  t.match(await grants.verdict(text, video.id, 'media', media), { ok: true });
  for (let seconds = 0; seconds < 60; seconds += 10) {
    t.match(await grants.verdict(text, video.id, 'media', from), { ok: true });
    clock.advance(10_000);
  }
  t.same(await grants.verdict(text, video.id, 'media', from), expired);

  const long = await issue(video, { expiresAt: clock.wall() + 1000 });
  let hours = 0;
  for (; (await grants.verdict(long.text, video.id, 'media', media)).ok && hours < 30; hours += 1) {
    for (let half = 0; half < 120; half += 1) {
      await grants.verdict(long.text, video.id, 'media', media);
      clock.advance(30_000);
    }
  }
  t.equal(hours, 24);
});

t.test('what is taken back ends for whoever watches, too', async (t) => {
  const { grants, recording, issue, clock, catalog, events } = await setUp(t);
  const video = await recording();
  const { text, id } = await issue(video, { expiresAt: clock.wall() + 10_000 });
  let brokenOff = 0;
  const download = { ...media, onOver: () => undefined, breakOff: () => (brokenOff += 1) };
  t.match(await grants.verdict(text, video.id, 'media', download), { ok: true });
  clock.advance(20_000);
  t.match(await grants.verdict(text, video.id, 'media', media), { ok: true });
  await catalog.grants.revoke({ kind: 'video', id: video.id }, id);
  await events.settled();
  t.equal(brokenOff, 1);
  t.same(await grants.verdict(text, video.id, 'media', media), expired, 'nobody is watching by it any more');
  clock.advance(longestMs - 20_000);
  await catalog.sweep();
  t.equal(await catalog.grants.isRevoked(id), true, 'for as long as somebody could have gone on');
  clock.advance(20_000);
  await catalog.sweep();
  t.equal(await catalog.grants.isRevoked(id), false, 'and then it is forgotten');
});

t.test('who watches himself is let in for as long as he is logged in, and no longer', async (t) => {
  const { recording, owner, catalog, events, keys, clock } = await setUp(t);
  const viewings = new Viewings(clock, { perAccount: 0, whenFull: 'refuse-new' });
  const grants = new Grants({ ...catalog, keys, viewings, events, clock });
  const video = await recording();
  const logIn = async () => (await catalog.sessions.create(owner, { userAgent: '', address: '' })).session.id;
  const [one, other, third] = [await logIn(), await logIn(), await logIn()];
  const broken: string[] = [];
  const watch = async (sessionId: string, by = grants) => {
    const text = grants.mint(video, { accountId: owner, role: 'creator', sessionId })?.text ?? '';
    return by.verdict(text, video.id, 'media', { ...media, onOver: () => undefined, breakOff: () => broken.push(sessionId) });
  };
  for (const session of [one, other, third]) t.match(await watch(session), { ok: true });
  await catalog.sessions.end(one, owner);
  await events.settled();
  t.same(broken.splice(0), [one], 'what was on its way');
  t.same(await watch(one), no('grant-revoked'));
  t.same(await watch(one, new Grants({ ...catalog, keys, viewings, events, clock })), no('grant-revoked'), 'after a restart too');
  t.match(await watch(other), { ok: true });

  await catalog.accounts.update(owner, { passwordHash: 'another' }, third);
  await events.settled();
  t.same(broken.splice(0), [other, other]);
  t.same(await watch(other), no('grant-revoked'));
  t.match(await watch(third), { ok: true }, 'where the password was changed');
});

t.test('a token that is over opens no other video, and not more of one, because its viewer watches something', async (t) => {
  const { grants, recording, clock } = await setUp(t);
  const [one, other] = [await recording(), await recording()];
  const vouched = (video: VideoRow, seconds: number, maxHeight: number | null = null): string => {
    const by = { viewer: 'kim', expiresAt: clock.wall() + seconds * 1000, maxHeight, mayDownload: false, streams: null, networks: [] };
    return grants.vouch(video, 'https://school.example', by)?.text ?? 'says too much';
  };
  const [ofOther, more] = [vouched(other, 60), vouched(one, 60)];
  clock.advance(120_000);
  const good = vouched(one, 60, 480);
  t.match(await grants.verdict(good, one.id, 'media', media), { ok: true, maxHeight: 480 });
  t.same(await grants.verdict(ofOther, other.id, 'media', media), expired);
  t.same(await grants.verdict(more, one.id, 'media', media), expired);
  for (let seconds = 0; seconds < 120; seconds += 30) {
    t.match(await grants.verdict(good, one.id, 'media', media), { ok: true }, 'what was begun in time goes on');
    clock.advance(30_000);
  }
  t.same(await grants.verdict(ofOther, other.id, 'media', media), expired);
});

t.test('of a thousand who begin at once, as many are let in as may be, and no more', async (t) => {
  const { grants, recording, owner } = await setUp(t, { perAccount: 2, whenFull: 'refuse-new' });
  const video = await recording();
  const begins = Array.from({ length: 1000 }, (_, index) => {
    const text = grants.mint(video, { accountId: owner, role: 'creator', sessionId: index % 2 ? 'one' : 'two' })?.text ?? '';
    return grants.verdict(text, video.id, 'media', { ...media, address: `10.0.${index >> 8}.${index & 255}` });
  });
  const verdicts = await Promise.all(begins);
  t.equal(verdicts.filter(({ ok }) => ok).length, 2);
  t.ok(verdicts.every((verdict) => verdict.ok || verdict.code === 'too-many-streams'));
});

t.test('two viewers of one link are two, and a link may be limited', async (t) => {
  const { grants, recording, issue } = await setUp(t, { perAccount: 1, whenFull: 'refuse-new' });
  const video = await recording();
  const { text } = await issue(video, { streams: 2 });
  const at = async (address: string, agent = 'a player') => grants.verdict(text, video.id, 'media', { address, agent, wantsMedia: true });
  t.match([await at('192.0.2.1'), await at('192.0.2.1', 'another player'), await at('192.0.2.2')], [{ ok: true }, { ok: true }, no('too-many-streams')]);
  t.match(await at('192.0.2.1'), { ok: true }, 'who is in goes on');
  const open = await issue(video);
  for (let host = 1; host < 50; host += 1) t.match(await grants.verdict(open.text, video.id, 'media', { address: `192.0.2.${host}`, agent: '', wantsMedia: true }), { ok: true });
});
