import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { ChannelTopic } from './channel-topic.ts';

t.test('pages hear that viewers came or went, and nothing while nobody does', async (t) => {
  const clock = new FakeClock();
  const told: unknown[] = [];
  const status = { state: 'live', videoId: 'video000', startedAt: 1, until: null } as const;
  let count = 0;
  const topic = new ChannelTopic({
    sockets: { topics: { define: () => undefined }, publish: (_topic: string, _type: string, data: unknown) => told.push(data) } as never,
    catalog: { channels: { get: async () => ({ title: 'Show' }) } } as never,
    events: { subscribe: () => () => undefined } as never,
    grants: { ofChannel: async () => 'grant-other-channel' },
    clock,
    status: () => status,
    viewers: () => count,
    live: () => [{ id: 'channel0', status }],
    failed: (error) => t.error(error),
  });
  t.teardown(() => topic.stop());
  for (const now of [1, 1, 3, 3, 0]) {
    count = now;
    clock.advance(5_000);
    await turn();
  }
  t.match(told, [{ viewers: 1, title: 'Show' }, { viewers: 3 }, { viewers: 0 }]);
  t.equal(told.length, 3);
});
