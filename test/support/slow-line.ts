/**
 * A line of so many bytes a second towards the server, which all connections share as they share an uplink; what comes
 * back is not slowed. It can be cut, it can stop carrying anything, and it tells how far it has come.
 *
 *     const line = await slowLine(server.ports.http, 2_500_000);  t.teardown(() => line.close());
 *     await line.passed(4e6);
 *     line.cut();
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type SlowLine = {
  readonly port: number;
  /** Bytes that went towards the server. */
  readonly bytes: number;
  /** Resolves when so many bytes have gone. */
  passed(bytes: number): Promise<void>;
  /** Every connection breaks, in both directions. Returns how many. */
  cut(): number;
  /** Nothing goes towards the server any more, and no connection breaks; until `release`. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
};

const tickMs = 5;
/** Of one connection, before the next one has its turn: a packet or so of a line that many share. */
const turnBytes = 4_096;

export const slowLine = async (to: number, bytesPerSecond: number): Promise<SlowLine> => {
  const pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  const marks: { readonly at: number; readonly reached: () => void }[] = [];
  let bytes = 0;
  let held = false;
  let budget = 0;
  let last = performance.now();

  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1');
    const pair = { client, upstream };
    pairs.add(pair);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined); // 'close' follows
      socket.on('close', () => {
        pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('end', () => upstream.end());
    client.on('readable', pass);
    upstream.pipe(client);
  });
  const pass = (): void => {
    if (held) return;
    for (let idle = 0; idle < pairs.size && budget >= 1; ) {
      const [pair] = pairs;
      if (!pair) break;
      // Whoever had a turn goes to the end: were the first one always first, the others would starve.
      pairs.delete(pair);
      pairs.add(pair);
      const { client, upstream } = pair;
      const length = Math.floor(Math.min(client.readableLength, budget, turnBytes));
      const chunk = length < 1 || upstream.writableNeedDrain ? null : (client.read(length) as Buffer | null);
      idle = chunk ? 0 : idle + 1;
      if (!chunk) continue;
      upstream.write(chunk);
      budget -= chunk.length;
      bytes += chunk.length;
    }
    for (const mark of marks.filter(({ at }) => at <= bytes)) {
      marks.splice(marks.indexOf(mark), 1);
      mark.reached();
    }
  };
  const ticking = setInterval(() => {
    const now = performance.now();
    // A moment in which nothing was sent is not made up for.
    budget = Math.min(bytesPerSecond * 0.05, budget + (bytesPerSecond * (now - last)) / 1000);
    last = now;
    pass();
  }, tickMs);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): number => {
    const count = pairs.size;
    for (const { client, upstream } of pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
    return count;
  };
  return {
    port: (server.address() as AddressInfo).port,
    get bytes() {
      return bytes;
    },
    passed: (at) => new Promise((reached) => (bytes >= at ? reached() : void marks.push({ at, reached }))),
    cut,
    hold() {
      held = true;
    },
    release() {
      held = false;
      pass();
    },
    close: () =>
      new Promise((resolve) => {
        clearInterval(ticking);
        server.close(() => resolve());
        cut();
      }),
  };
};
