/** A UDP line between a sender and the server that loses, delays, reorders, doubles and spoils, the same way in every run. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Random } from './random.ts';

export type Weather = {
  /** Shares of one. */
  readonly loss?: number;
  readonly reordering?: number;
  readonly doubles?: number;
  /** Datagrams with bits that were turned on the way. */
  readonly spoiled?: number;
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

  const spoil = (bytes: Buffer): Buffer => {
    const turned = Buffer.from(bytes);
    for (let left = 1 + random.below(4); left > 0 && turned.length > 0; left -= 1) {
      const place = random.below(turned.length);
      turned[place] = (turned[place] ?? 0) ^ (1 << random.below(8));
    }
    return turned;
  };
  const chance = (share = 0): boolean => random.below(1_000_000) < share * 1_000_000;
  const pass = (bytes: Buffer, send: (bytes: Buffer) => void): void => {
    const { loss, reordering, doubles, spoiled, delayMs = 0 } = weather;
    if (chance(loss)) {
      counts.lost += 1;
      return;
    }
    counts.passed += 1;
    const out = chance(spoiled) ? spoil(bytes) : bytes;
    const once = (): void => {
      // Late enough to come behind others.
      const late = chance(reordering) ? 5 + random.below(25) : 0;
      setTimeout(() => open && send(out), delayMs + late);
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
      back.on('message', (answer) => pass(answer, (out) => front.send(out, port, address)));
    }
    const on = back;
    pass(bytes, (out) => on.send(out, to, '127.0.0.1'));
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
