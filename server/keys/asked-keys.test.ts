/** Keys of a service that has to be asked: ahead, for as many as there is room for, in bounded time, and of one video at a time. */
import t, { type Test } from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import type { KeyRing, Slots } from '../../packager/protect/keys.ts';
import { askedKeys } from './asked-keys.ts';
import { FakeKeyService } from './fake-service.ts';
import { longestMs } from './patience.ts';
import { KeyRings } from './rings.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const stage = () => {
  const clock = new FakeClock();
  const service = new FakeKeyService();
  const told: string[] = [];
  const rings = new KeyRings({ source: askedKeys(service, clock), clock, failed: (video, { code }) => told.push(`${video} ${code}`) });
  /** Time goes on for as long as somebody waits. */
  const settled = async <Value>(promise: Promise<Value>): Promise<{ value: Value | null; code: string | null; waited: number }> => {
    const since = clock.now();
    let over = false;
    const outcome = promise.then(
      (value) => ({ value, code: null }),
      (error: { code: string }) => ({ value: null, code: error.code }),
    );
    void outcome.then(() => (over = true));
    for (let idle = 0; !over; idle += 1) {
      await turn();
      if (idle > 4) clock.advance(50);
    }
    return { ...(await outcome), waited: clock.now() - since };
  };
  return { clock, service, told, rings, settled };
};

const ended = (first: number, last: number): Slots => ({ first, last, growing: false });
const opened = async (t: Test, video = 'one'): Promise<ReturnType<typeof stage> & { ring: KeyRing }> => {
  const made = stage();
  const { value } = await made.settled(Promise.resolve(made.rings.ringOf(video)));
  if (!value) throw new Error('no ring');
  t.equal(made.rings.ringOf(video), value, 'at once, the next time');
  return { ...made, ring: value };
};

t.test('what is prepared is there at once, and is asked for once however many want it', async (t) => {
  const { ring, service, settled } = await opened(t);
  t.throws(() => ring.key(0), { code: 'failed' });
  t.match(await settled(Promise.all([ring.prepare(ended(0, 2)), ring.prepare(ended(0, 2)), ring.prepare(ended(1, 3))])), { code: null });
  t.same(service.asked, ['one 0,1,2', 'one 3']);
  t.equal(ring.prepare(ended(0, 3)), null);
  const key = ring.key(2);
  t.equal(ring.withId(key.kid), key);
  t.equal(ring.withId(Buffer.alloc(16)), null);
  t.equal(ring.held, 4);
  await settled(ring.prepare(ended(0, 140)) ?? turn());
  t.equal(service.asked.length, 5, '64 at a time');
  t.match(await settled(ring.prepare(ended(0, 1_000_000)) ?? turn()), { code: 'unusable', waited: 0 });
  t.equal(service.asked.length, 5);
});

t.test('the next key of a show is asked for while the one before is in use', async (t) => {
  const { ring, service, settled } = await opened(t);
  await settled(ring.prepare({ first: 0, last: 1, growing: true }) ?? turn());
  t.equal(ring.prepare({ first: 0, last: 1, growing: true }), null, 'nobody waits for it');
  t.equal(ring.prepare({ first: 0, last: 1, growing: true }), null);
  for (let turns = 0; turns < 5; turns += 1) await turn();
  t.same(service.asked, ['one 0,1', 'one 2']);
  t.equal(ring.prepare(ended(0, 2)), null);
  service.faults.set('one', 'refuses');
  t.equal(ring.prepare({ first: 0, last: 2, growing: true }), null);
  await settled(new Promise((resolve) => setTimeout(resolve, 30)));
  t.equal(ring.prepare({ first: 0, last: 2, growing: true }), null, 'that it is not to be had costs nothing yet');
});

t.test('whoever does not answer, or says no, is asked three times in bounded time, and then left alone for a while', async (t) => {
  for (const [fault, code] of [['silent', 'late'], ['refuses', 'failed']] as const) {
    const { ring, service, settled, clock, told } = await opened(t);
    service.faults.set('one', fault);
    const first = await settled(ring.prepare(ended(0, 0)) ?? turn());
    t.equal(first.code, code, fault);
    t.ok(first.waited <= longestMs + 1000, `${first.waited} ms`);
    t.equal(service.asked.length, 3);
    t.match(await settled(ring.prepare(ended(0, 0)) ?? turn()), { code, waited: 0 }, 'at once');
    t.equal(service.asked.length, 3);
    clock.advance(5000);
    await settled(ring.prepare(ended(0, 0)) ?? turn());
    t.equal(service.asked.length, 6);
    t.same(told, [`one ${code}`], 'the operator is told once');
    service.faults.clear();
    clock.advance(5000);
    t.match(await settled(ring.prepare(ended(0, 0)) ?? turn()), { code: null });
    t.equal(ring.key(0).kid.length, 16);
    service.faults.set('one', fault);
    await settled(ring.prepare(ended(0, 1)) ?? turn());
    t.same(told, [`one ${code}`, `one ${code}`], 'and again when it was well in between');
  }
});

t.test('an answer that is of no use is not asked for again at once, and nothing of it is kept', async (t) => {
  for (const fault of ['short', 'twice', 'unprintable'] as const) {
    const { ring, service, settled } = await opened(t);
    service.faults.set('one', fault);
    t.match(await settled(ring.prepare(ended(0, 1)) ?? turn()), { code: 'unusable' }, fault);
    t.equal(service.asked.length, 1);
    t.equal(ring.held, 0);
  }
});

t.test('one video without keys costs no other one anything', async (t) => {
  const { rings, ring, service, settled } = await opened(t);
  const { value: other } = await settled(Promise.resolve(rings.ringOf('two')));
  service.faults.set('one', 'silent');
  const waiting = ring.prepare(ended(0, 0)) ?? turn();
  t.match(await settled(other?.prepare(ended(0, 5)) ?? turn()), { code: null, waited: 0 });
  t.equal(other?.key(5).key.length, 16);
  t.match(await settled(waiting), { code: 'late' });
});
