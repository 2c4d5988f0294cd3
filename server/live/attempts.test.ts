import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import type { PublishRequest } from '../../packager/media/publish.ts';
import { rtmpClock } from '../../packager/media/unit.ts';
import { Attempts } from './attempts.ts';

const request = (key: string, address = '192.0.2.1'): PublishRequest => ({ protocol: 'rtmp', key, address, software: 'OBS', clock: rtmpClock, evict: () => undefined });

t.test('the same attempt again counts up, another one is another', (t) => {
  const clock = new FakeClock();
  const attempts = new Attempts(clock);
  attempts.note('unknown-key', request('aaaa'), null);
  clock.advance(1_000);
  attempts.note('unknown-key', request('aaaa'), null);
  attempts.note('unknown-key', request('bbbb'), null);
  const [other, first] = attempts.all().sort((a, b) => a.count - b.count);
  t.match(first, { count: 2, address: '192.0.2.1', software: 'OBS', channelId: null });
  t.equal((first?.lastAt ?? 0) - (first?.firstAt ?? 0), 1_000);
  t.not(first?.keyFingerprint, other?.keyFingerprint);
  t.match(first?.keyFingerprint, /^[0-9a-f]{8}$/);
  t.notMatch(JSON.stringify(attempts.all()), /aaaa|bbbb/);
  t.end();
});

t.test('a flood of wrong keys is bounded, and pushes out nothing that was tried with a known one', (t) => {
  const attempts = new Attempts(new FakeClock());
  attempts.note('hook-refused', request('known'), { channelId: 'mill', detail: 'not paid' });
  for (let n = 0; n < 5_000; n += 1) attempts.note('unknown-key', request(`wrong ${n}`), null);
  for (let n = 0; n < 100; n += 1) attempts.note('forbidden-network', request('known', `198.51.100.${n}`), { channelId: 'wheel' });
  t.equal(attempts.all().length, 500 + 20 + 1);
  t.match(attempts.ofChannel('mill'), [{ detail: 'not paid' }]);
  t.equal(attempts.ofChannel('wheel').length, 20);
  t.ok(attempts.ofChannel('wheel').some(({ address }) => address === '198.51.100.99'), 'the newest stay');
  for (let n = 0; n < 2_000; n += 1) attempts.note('forbidden-network', request('known'), { channelId: `channel ${n}` });
  t.equal(attempts.all().length, 500 + 500);
  t.end();
});
