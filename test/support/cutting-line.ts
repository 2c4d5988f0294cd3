/**
 * A TCP line that breaks: each connection is cut, in both directions at once, when so many bytes have gone towards the
 * server, as often as it was told to; after that it holds. Seeded, so that a failure comes again.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Random } from './random.ts';

export type CuttingLine = {
  readonly origin: string;
  /** Connections that were cut. */
  readonly cuts: number;
  close(): Promise<void>;
};

export type Cutting = {
  readonly times: number;
  /** Bytes after which a connection is cut: up to twice as many. */
  readonly after: number;
  readonly seed?: number;
};

export const cuttingLine = async (port: number, { times, after, seed = 1 }: Cutting): Promise<CuttingLine> => {
  const random = new Random(seed);
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    let left = after + random.below(after);
    client.on('data', (chunk) => {
      left -= chunk.length;
      if (left <= 0 && cuts < times) {
        cuts += 1;
        // What has gone on has gone on; the rest is lost with the line.
        upstream.write(chunk.subarray(0, Math.max(0, chunk.length + left)), end);
        client.pause();
        return;
      }
      if (!upstream.write(chunk)) client.pause();
    });
    upstream.on('drain', () => client.resume());
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
