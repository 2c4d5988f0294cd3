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

const ended = (first: number, last: number): Slots => ({ first, last, growing: false, scheme: 'cbcs' });
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
  await settled(ring.prepare({ first: 0, last: 1, growing: true, scheme: 'cbcs' }) ?? turn());
  t.equal(ring.prepare({ first: 0, last: 1, growing: true, scheme: 'cbcs' }), null, 'nobody waits for it');
  t.equal(ring.prepare({ first: 0, last: 1, growing: true, scheme: 'cbcs' }), null);
  for (let turns = 0; turns < 5; turns += 1) await turn();
  t.same(service.asked, ['one 0,1', 'one 2']);
  t.equal(ring.prepare(ended(0, 2)), null);
  service.faults.set('one', 'refuses');
  t.equal(ring.prepare({ first: 0, last: 2, growing: true, scheme: 'cbcs' }), null);
  await settled(new Promise((resolve) => setTimeout(resolve, 30)));
  t.equal(ring.prepare({ first: 0, last: 2, growing: true, scheme: 'cbcs' }), null, 'that it is not to be had costs nothing yet');
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

const keysOf = async ({ service }: ReturnType<typeof stage>, slot: number): Promise<Buffer> => (await new FakeKeyService().keys('one', [slot], new AbortController().signal))[0]?.kid ?? Buffer.alloc(service.asked.length);

t.test('of a show of 60,000 keys one segment costs one question, and all of them may be listed', async (t) => {
  const made = await opened(t);
  const { ring, service, settled } = made;
  t.match(await settled(ring.prepare(ended(30_000, 30_000)) ?? turn()), { code: null, waited: 0 });
  t.same(service.asked, ['one 30000']);
  const list = ring.prepare(ended(0, 59_999)) ?? turn();
  await turn();
  await ring.prepare(ended(59_000, 59_000));
  t.equal(ring.key(59_000).key.length, 16, 'nobody waits behind it');
  t.ok(service.asked.length < 20, `${service.asked.length} questions before`);
  await list;
  t.equal(ring.prepare(ended(0, 59_999)), null);
  for (const slot of [0, 30_000, 59_999]) t.equal(ring.key(slot).key.length, 16);
  await settled(ring.prepare(ended(60_000, 60_000)) ?? turn());
  t.equal(ring.held, 50_000, 'the oldest go');
  const asked = service.asked.length;
  const kid = await keysOf(made, 1);
  t.equal(ring.withId(kid), null);
  await settled(ring.find([kid], ended(0, 60_000)) ?? turn());
  t.equal(service.asked.at(-1), 'one 1', 'whose id it is is known');
  t.same(ring.withId(kid)?.kid, kid);
  t.equal(ring.find([Buffer.alloc(16)], ended(0, 60_000)), null, 'and whose none is');
  t.equal(service.asked.length, asked + 1);
});

t.test('a key is found by its id, and nothing is asked for behind it', async (t) => {
  const made = await opened(t);
  const { ring, service, settled } = made;
  const kid = await keysOf(made, 70);
  await settled(ring.find([kid], ended(0, 1000)) ?? turn());
  t.equal(service.asked.length, 2);
  t.equal(ring.find([kid], ended(0, 1000)), null);
  t.equal(ring.find([], ended(0, 1000)), null);
});

t.test('however many questions an answer takes, it is late after the same time', async (t) => {
  const { ring, service, settled, clock, told } = await opened(t);
  const plain = service.keys.bind(service);
  service.keys = async (...question) => {
    await new Promise<void>((resolve) => clock.after(1000, resolve));
    return plain(...question);
  };
  const { code, waited } = await settled(ring.prepare(ended(0, 9999)) ?? turn());
  t.equal(code, 'late');
  t.ok(waited <= longestMs + 1000, `${waited} ms`);
  t.same(told, ['one late']);
  t.match(await settled(ring.prepare(ended(9000, 9000)) ?? turn()), { code: null }, 'who needs less gets it');
});

t.test('that the next key is not to be had is nothing to whoever needs another one', async (t) => {
  const { ring, service, settled } = await opened(t);
  await settled(ring.prepare(ended(0, 1)) ?? turn());
  const plain = service.keys.bind(service);
  service.keys = async (video, slots, stop) => {
    if (slots.includes(2)) throw new Error('not yet');
    return plain(video, slots, stop);
  };
  t.equal(ring.prepare({ ...ended(0, 1), growing: true }), null);
  t.match(await settled(ring.prepare(ended(5, 5)) ?? turn()), { code: null });
  await settled(new Promise((resolve) => setTimeout(resolve, 30)));
  t.match(await settled(ring.prepare(ended(7, 7)) ?? turn()), { code: null });
  t.match(await settled(ring.prepare(ended(2, 2)) ?? turn()), { code: 'failed' }, 'and who needs it hears so');
});

t.test('a key of which some players would hear nothing is of no use', async (t) => {
  const { ring, service, settled } = await opened(t);
  const plain = service.keys.bind(service);
  service.keys = async (...question) => (await plain(...question)).map((key) => ({ ...key, signals: [{ by: 'system', systemId: '0a1b2c3d-0000-4000-8000-00000000abcd', pssh: null, hls: null, dash: null }] }));
  t.match(await settled(ring.prepare(ended(0, 0)) ?? turn()), { code: 'unusable' });
});
