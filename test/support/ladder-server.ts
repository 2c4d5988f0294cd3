/** The real delivery in front of one presentation of a test, on a loopback port of its own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../packager/clock.ts';
import { FakeGatekeeper, fakeKeys, reachedHere } from '../../server/delivery/fake-presentation.ts';
import { createDelivery, type Delivery } from '../../server/delivery/handler.ts';
import type { Presentation } from '../../server/delivery/presentation.ts';

export type LadderServer = {
  /** Below it lie `master.m3u8` and `manifest.mpd`. */
  readonly base: string;
  readonly delivery: Delivery;
  readonly errors: unknown[];
  close(): Promise<void>;
};

export const serveLadder = async (video: string, presentation: Presentation): Promise<LadderServer> => {
  const errors: unknown[] = [];
  const delivery = createDelivery({
    presentations: { find: (asked) => (asked === video ? presentation : null), former: () => null, liveOn: () => null, onForgotten: () => undefined },
    gatekeeper: new FakeGatekeeper(),
    keys: fakeKeys,
    reachedAt: reachedHere,
    clock: systemClock,
    cacheBytes: 64 << 20,
    onError: (error) => errors.push(error),
  });
  const server = createServer((request, response) => {
    if (!delivery.handle(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/play/-/${video}`,
    delivery,
    errors,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
