import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import type { WhenOver } from '../delivery/presentation.ts';
import { longestMs, mostByLink, mostOfOne, mostVideos, silenceMs, Viewings, type Seat, type StreamPolicy } from './viewings.ts';

const grant = (id: string, change: Partial<Seat> = {}): Seat => ({
  ...{ id, video: 'b27pp67vwmr07r9f', account: '6c0mp8qcmgg9d65y', expiresAt: Date.UTC(2030, 0, 1), own: true, streams: null, viewer: null },
  ...change,
});
const at = (host: number, agent = 'a player') => ({ address: `192.0.2.${host}`, agent });
const account = grant('').account;

const setUp = (perAccount = 2, whenFull: StreamPolicy = 'refuse-new') => {
  const clock = new FakeClock();
  return { clock, viewings: new Viewings(clock, { perAccount, whenFull }) };
};

t.test('one more than may watch is refused, and gets in when one of the others has been silent for a minute', async (t) => {
  const { clock, viewings } = setUp();
  t.equal(viewings.take(grant('one'), at(1)), null);
  t.equal(viewings.take(grant('two'), at(2)), null);
  t.equal(viewings.look(grant('three'), at(3)), 'too-many-streams', 'a list says so already');
  t.equal(viewings.take(grant('three'), at(3)), 'too-many-streams');
  t.equal(viewings.take(grant('other', { account: 'another0account0' }), at(3)), null, 'another account is another matter');
  for (let seconds = 0; seconds < silenceMs / 1000; seconds += 10) {
    clock.advance(10_000);
    t.equal(viewings.take(grant('one'), at(1)), null);
  }
  t.equal(viewings.look(grant('three'), at(3)), null);
  t.equal(viewings.take(grant('three'), at(3)), null, 'in the place of the one that crashed');
  t.equal(viewings.take(grant('two'), at(2)), 'too-many-streams');
});

t.test('lists take no place', async (t) => {
  const { viewings } = setUp(1);
  for (let host = 1; host < 20; host += 1) t.equal(viewings.look(grant(`${host}`), at(host)), null);
  t.same(viewings.ofAccount(account), []);
});

t.test('where the oldest is stopped, it stays stopped until somebody begins it anew', async (t) => {
  const { clock, viewings } = setUp(2, 'stop-oldest');
  for (const host of [1, 2, 3]) {
    clock.advance(1000);
    t.equal(viewings.look(grant(`${host}`), at(host)), null);
    t.equal(viewings.take(grant(`${host}`), at(host)), null);
  }
  for (let seconds = 0; seconds < 300; seconds += 10) {
    for (const host of [1, 2, 3]) t.equal(viewings.take(grant(`${host}`), at(host)), host === 1 ? 'stream-stopped' : null);
    t.equal(viewings.look(grant('1'), at(1)), 'stream-stopped');
    clock.advance(10_000);
  }
  viewings.restart(grant('1'), at(1));
  t.equal(viewings.take(grant('1'), at(1)), null);
  t.same([2, 3].map((host) => viewings.take(grant(`${host}`), at(host))), ['stream-stopped', null], 'the oldest of those');
});

t.test('"stop that one" stops that one and frees its place, and only one’s own', async (t) => {
  const { clock, viewings } = setUp();
  viewings.take(grant('one'), at(1, 'Firefox'));
  clock.advance(5000);
  viewings.take(grant('two'), at(2, 'Safari'));
  const [first, second] = viewings.ofAccount(account);
  t.match(first, { agent: 'Firefox', address: '192.0.2.1', grant: 'one', videoId: 'b27pp67vwmr07r9f', startedAt: clock.wall() - 5000 });
  t.equal(viewings.stop('another0account0', first?.id ?? ''), false);
  t.equal(viewings.stop(account, 'nosuchstream'), false);
  t.equal(viewings.stop(account, first?.id ?? ''), true);
  t.same(viewings.ofAccount(account).map(({ id }) => id), [second?.id]);
  t.equal(viewings.take(grant('one'), at(1, 'Firefox')), 'stream-stopped');
  t.equal(viewings.take(grant('three'), at(3)), null);
  viewings.restart(grant('one'), at(1, 'Firefox'));
  t.equal(viewings.look(grant('one'), at(1, 'Firefox')), 'too-many-streams', 'its place is taken by now');
});

t.test('an answer that takes long keeps its place until it is over', async (t) => {
  const { clock, viewings } = setUp(1);
  let over: WhenOver = () => undefined;
  viewings.take(grant('one'), { ...at(1), onOver: (run) => (over = run) });
  clock.advance(10 * silenceMs);
  t.equal(viewings.take(grant('two'), at(2)), 'too-many-streams');
  over(true);
  clock.advance(silenceMs - 1);
  t.equal(viewings.take(grant('two'), at(2)), 'too-many-streams');
  clock.advance(1);
  t.equal(viewings.take(grant('two'), at(2)), null);
});

t.test('whom others vouch for is counted by his name, with the number that they said', async (t) => {
  const { viewings } = setUp(1);
  const pupil = (id: string, viewer: string, streams: number | null = null): Seat => grant(id, { own: false, viewer, streams });
  t.equal(viewings.take(pupil('one', 'kim'), at(1)), null);
  t.equal(viewings.take(pupil('two', 'kim'), at(2)), 'too-many-streams');
  t.equal(viewings.take(pupil('three', 'lee', 2), at(1)), null);
  t.equal(viewings.take(pupil('four', 'lee', 2), at(2)), null);
  t.equal(viewings.take(pupil('five', 'lee', 2), at(3)), 'too-many-streams');
});

t.test('a grant that is good begins another day of watching; one that is over does not', async (t) => {
  const { clock, viewings } = setUp(0);
  for (let ms = 0; ms <= longestMs; ms += silenceMs / 2) {
    t.equal(viewings.goesOn(grant('one'), at(1)), ms > 0 && ms < longestMs);
    viewings.take(grant('one'), at(1));
    clock.advance(silenceMs / 2);
  }
  t.equal(viewings.goesOn(grant('one'), at(1)), true, 'it was good when it was asked for last');
});

t.test('what is remembered is bounded, and what is over goes as others come', async (t) => {
  const clock = new FakeClock();
  const most = 200;
  const viewings = new Viewings(clock, { perAccount: 0, whenFull: 'refuse-new' }, most);
  for (let count = 0; count < most + 50; count += 1) viewings.take(grant('one'), at(1, `player ${count}`));
  t.equal(viewings.size, most);
  t.equal(viewings.goesOn(grant('one'), at(1, 'player 0')), false, 'who was silent longest is forgotten first');
  t.equal(viewings.goesOn(grant('one'), at(1, `player ${most}`)), true);
  clock.advance(silenceMs);
  for (let count = 0; count < most; count += 1) viewings.take(grant('two'), at(2, `player ${count}`));
  t.equal(viewings.size, most, 'and what is over makes room');
  clock.advance(silenceMs);
  for (let count = 0; count < most / 2; count += 1) viewings.take(grant('three'), at(3, `player ${count}`));
  t.equal(viewings.size, most / 2);
});

t.test('a grant that is over goes on for the video that was begun while it was good, and for no other', async (t) => {
  const { clock, viewings } = setUp(0);
  const [one, other] = ['b27pp67vwmr07r9f', 'c27pp67vwmr07r9f'];
  const expiresAt = clock.wall() + 1000;
  const now = grant('kim', { video: one, expiresAt });
  viewings.take(now, at(1));
  clock.advance(2000);
  t.equal(viewings.goesOn(now, at(1)), true);
  t.equal(viewings.goesOn(grant('kim', { video: other, expiresAt }), at(1)), false, 'another video');
  t.equal(viewings.goesOn(grant('kim', { video: one, expiresAt: expiresAt - 1000 }), at(1)), false, 'one that was over when this began');
  viewings.take(grant('kim', { video: other }), at(1));
  for (let ms = 0; ms < silenceMs; ms += 10_000) {
    clock.advance(10_000);
    viewings.take(grant('kim', { video: other }), at(1));
  }
  t.equal(viewings.goesOn(now, at(1)), false, 'of which nothing was asked for in a minute');
});

t.test('one player is one, whatever it plays, and is listed with what it plays now', async (t) => {
  const { clock, viewings } = setUp(1);
  t.equal(viewings.take(grant('one', { video: 'first' }), at(1)), null);
  clock.advance(5000);
  t.equal(viewings.take(grant('one', { video: 'second' }), at(1)), null);
  t.match(viewings.ofAccount(account), [{ videoId: 'second', startedAt: clock.wall(), seenAt: clock.wall() }]);
  t.equal(viewings.take(grant('two'), at(2)), 'too-many-streams');
  for (let count = 0; count < mostVideos; count += 1) viewings.take(grant('one', { video: `${count}` }), at(1));
  t.same(['second', '0'].map((video) => viewings.goesOn(grant('one', { video }), at(1))), [false, true], 'what is known of one player is bounded');
});

t.test('an answer that is over before anybody listens holds nothing', async (t) => {
  const { clock, viewings } = setUp(1);
  viewings.take(grant('one'), { ...at(1), onOver: (run) => run(false) });
  clock.advance(silenceMs);
  t.equal(viewings.take(grant('two'), at(2)), null);
});

t.test('who took nothing of an answer was there when he asked, and not when he was given up', async (t) => {
  const { clock, viewings } = setUp(1);
  const answer = (host: number, wasThere: boolean): void => {
    let over: WhenOver = () => undefined;
    viewings.take(grant(`${host}`), { ...at(host), onOver: (run) => (over = run) });
    clock.advance(silenceMs - 1);
    over(wasThere);
    clock.advance(1);
  };
  answer(1, true);
  t.equal(viewings.take(grant('other'), at(9)), 'too-many-streams');
  clock.advance(silenceMs);
  answer(2, false);
  t.equal(viewings.take(grant('other'), at(9)), null);
});

t.test('answers that take long do not keep what is over behind them', async (t) => {
  const { clock, viewings } = setUp(0);
  const held = 10;
  for (let count = 0; count < held; count += 1) viewings.take(grant('one'), { ...at(1, `long ${count}`), onOver: () => undefined });
  for (let count = 0; count < 100; count += 1) viewings.take(grant('one'), at(1, `player ${count}`));
  clock.advance(silenceMs);
  for (let count = 0; count < 100; count += 1) viewings.take(grant('two'), at(2, `player ${count}`));
  t.equal(viewings.size, held + 100);
});

t.test('what is stopped or taken back is broken off, and others are not', async (t) => {
  const { clock, viewings } = setUp(2, 'stop-oldest');
  const broken: string[] = [];
  const take = (id: string, change: Partial<Seat> = {}): void => {
    clock.advance(1000);
    viewings.take(grant(id, change), { ...at(1), onOver: () => undefined, breakOff: () => broken.push(id) });
  };
  const mine = { account: 'another0account0' };
  take('mine', mine);
  take('one');
  take('one');
  take('two');
  t.equal(viewings.stop(account, viewings.ofAccount(account)[0]?.id ?? ''), true);
  t.same(broken.splice(0), ['one', 'one'], 'all of its answers');
  take('three');
  t.same(broken, []);
  take('four');
  t.same(broken.splice(0), ['two'], 'the oldest of too many');
  take('link', { own: false });
  viewings.end('link');
  t.same(broken.splice(0), ['link']);
  t.equal(viewings.goesOn(grant('link', { own: false }), at(1)), false);
  viewings.endAccount(account, new Set(['four']));
  t.same(broken.splice(0).toSorted(), ['one', 'one', 'three', 'two'], 'those that were stopped too');
  t.same([grant('three'), grant('four'), grant('mine', mine)].map((by) => viewings.goesOn(by, at(1))), [false, true, true]);
});

t.test('who makes players up crowds out nobody else', async (t) => {
  const { viewings } = setUp(0);
  const guest = grant('guest', { account: 'another0account0' });
  const link = (id: string) => grant(id, { own: false });
  viewings.take(guest, at(9));
  viewings.take(link('quiet'), at(9));
  for (let count = 0; count < mostOfOne + 50; count += 1) viewings.take(grant('one'), at(1, `player ${count}`));
  t.equal(viewings.size, mostOfOne + 2);
  for (let count = 0; count < mostByLink + 50; count += 1) viewings.take(link('loud'), at(1, `player ${count}`));
  t.equal(viewings.size, mostByLink + mostOfOne + 2);
  t.same([guest, link('quiet')].map((by) => viewings.goesOn(by, at(9))), [true, true]);

  const { viewings: crowded } = setUp(1, 'stop-oldest');
  for (let count = 0; count < mostOfOne + 50; count += 1) crowded.take(grant('one'), at(1, `player ${count}`));
  t.equal(crowded.size, mostOfOne + 1, 'those that were stopped are bounded as well');
  t.equal(crowded.ofAccount(account).length, 1);
});
