/** A TCP relay between a sender and the server that knows when the last byte went on: bytes are seen, never changed. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type Relay = {
  readonly port: number;
  /** `performance.now()` at the last byte that was passed on to the server. */
  lastByteAt(): number;
  /** The first that each side has said, in the first connection. */
  readonly said: { readonly sender: Buffer; readonly server: Buffer };
  /** Breaks every connection, in both directions at once; whoever connects again gets through. */
  cut(): void;
  close(): Promise<void>;
};

/** More than any handshake and the commands behind it. */
const mostKept = 16_384;

export const relayTo = async (port: number): Promise<Relay> => {
  let last = Number.NaN;
  const sockets = new Set<Socket>();
  const said = { sender: Buffer.alloc(0), server: Buffer.alloc(0) };
  const keep = (side: keyof typeof said, chunk: Buffer): void => {
    if (said[side].length < mostKept) said[side] = Buffer.concat([said[side], chunk]).subarray(0, mostKept);
  };
  const server = createServer((sender) => {
    const receiver = connect(port, '127.0.0.1');
    for (const socket of [sender, receiver]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        sender.destroy();
        receiver.destroy();
      });
    }
    sender.on('data', (chunk) => {
      if (!receiver.write(chunk)) sender.pause();
      last = performance.now();
      keep('sender', chunk);
    });
    receiver.on('data', (chunk) => keep('server', chunk));
    receiver.on('drain', () => sender.resume());
    receiver.pipe(sender);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    lastByteAt: () => last,
    said,
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
};
