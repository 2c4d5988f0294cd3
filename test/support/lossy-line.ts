/** A UDP line between a sender and the server that loses, delays, reorders and doubles, the same way in every run. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Random } from './random.ts';

export type Weather = {
  /** Shares of one. */
  readonly loss?: number;
  readonly reordering?: number;
  readonly doubles?: number;
  /** Half of a round trip. */
  readonly delayMs?: number;
};

export type LossyLine = {
  readonly port: number;
  readonly counts: { passed: number; lost: number };
  change(weather: Weather): void;
  close(): void;
};

export const lossyLine = async (to: number, first: Weather, seed = 1): Promise<LossyLine> => {
  const random = new Random(seed);
  const front = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  const backs = new Map<string, Socket>();
  const counts = { passed: 0, lost: 0 };
  let weather = first;
  let open = true;

  const chance = (share = 0): boolean => random.below(1_000_000) < share * 1_000_000;
  const pass = (send: () => void): void => {
    const { loss, reordering, doubles, delayMs = 0 } = weather;
    if (chance(loss)) {
      counts.lost += 1;
      return;
    }
    counts.passed += 1;
    const once = (): void => {
      // Late enough to come behind others.
      const late = chance(reordering) ? 5 + random.below(25) : 0;
      setTimeout(() => open && send(), delayMs + late);
    };
    once();
    if (chance(doubles)) once();
  };

  front.on('message', (bytes, { port, address }) => {
    const name = `${address} ${port}`;
    let back = backs.get(name);
    if (!back) {
      back = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
      backs.set(name, back);
      back.on('message', (answer) => pass(() => front.send(answer, port, address)));
    }
    const out = back;
    pass(() => out.send(bytes, to, '127.0.0.1'));
  });
  front.bind(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    port: front.address().port,
    counts,
    change: (next) => {
      weather = next;
    },
    close: () => {
      open = false;
      front.close();
      for (const back of backs.values()) back.close();
    },
  };
};
