/** A TCP line between a sender and the server that spoils what is sent: bits turned, bytes dropped, bytes that come twice. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Random } from './random.ts';

export type SpoilingLine = {
  readonly port: number;
  readonly counts: { connections: number; spoiled: number };
  close(): Promise<void>;
};

/** Nothing is spoiled in so many bytes of a connection, drawn by lot below this: some damage meets the handshake, most of it media. */
const mostCalmBytes = 100_000;

/** `share`: how many of a hundred pieces, as the network cuts them, are spoiled. */
export const spoilingLine = async (to: number, { share, seed }: { share: number; seed: number }): Promise<SpoilingLine> => {
  const random = new Random(seed);
  const counts = { connections: 0, spoiled: 0 };
  const sockets = new Set<Socket>();

  const spoil = (bytes: Buffer): Buffer => {
    counts.spoiled += 1;
    const at = random.below(bytes.length);
    const some = at + 1 + random.below(64);
    switch (random.below(3)) {
      case 0: {
        const turned = Buffer.from(bytes);
        for (let left = 1 + random.below(8); left > 0; left -= 1) {
          const place = random.below(turned.length);
          turned[place] = (turned[place] ?? 0) ^ (1 << random.below(8));
        }
        return turned;
      }
      case 1:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(some)]);
      default:
        return Buffer.concat([bytes.subarray(0, some), bytes.subarray(at)]);
    }
  };

  const server = createServer((sender) => {
    counts.connections += 1;
    const receiver = connect(to, '127.0.0.1');
    let calm = random.below(4) === 0 ? random.below(4_000) : random.below(mostCalmBytes);
    for (const socket of [sender, receiver]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        sender.destroy();
        receiver.destroy();
      });
    }
    sender.on('data', (chunk) => {
      calm -= chunk.length;
      const bytes = calm < 0 && random.below(100) < share ? spoil(chunk) : chunk;
      if (bytes.length > 0 && !receiver.write(bytes)) sender.pause();
    });
    receiver.on('drain', () => sender.resume());
    receiver.pipe(sender);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
