/** The thread that owns the socket: whatever keeps the main thread busy, packets are taken from the kernel and answered in time. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import { Listener } from './listener.ts';
import type { Order, ThreadData, Word } from './wire.ts';

const port = parentPort;
if (!port) throw new Error('The SRT worker runs in a worker thread only.');
const { host, port: wanted, limits } = workerData as ThreadData;

const tickMs = 10;
const statisticsMs = 1_000;

const tell = (word: Word): void => {
  if (word.type === 'media') port.postMessage(word, [word.bytes.buffer as ArrayBuffer]);
  else port.postMessage(word);
};

const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: limits.socketBytes });
const listener = new Listener({
  limits,
  now: () => performance.now() * 1000,
  secret: randomBytes(32),
  tell,
  // A packet that cannot be sent is a packet that was lost: the peer asks again.
  send: (bytes, { address, port: to }) => socket.send(bytes, to, address, () => undefined),
});

/** Whatever a packet makes go wrong is not to take everybody's socket away. */
const guarded = (run: () => void): void => {
  try {
    run();
  } catch (error) {
    tell({ type: 'fault', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
};

socket.on('message', (bytes, { address, port: from }) => guarded(() => listener.onDatagram(bytes, { address, port: from })));
socket.bind(wanted, host, () => {
  tell({ type: 'listening', port: socket.address().port, receiveBuffer: socket.getRecvBufferSize() });
});

const ticking = setInterval(() => guarded(() => listener.tick()), tickMs);
const counting = setInterval(() => tell(listener.statistics()), statisticsMs);

let ended = false;
const end = (): void => {
  if (ended) return;
  ended = true;
  clearInterval(ticking);
  clearInterval(counting);
  socket.close(() => port.close());
};

socket.on('error', (error: NodeJS.ErrnoException) => {
  tell({ type: 'failed', code: error.code ?? null, message: error.message });
  end();
});

port.on('message', (order: Order) => {
  if (order.type !== 'close') {
    guarded(() => listener.onOrder(order));
    return;
  }
  listener.close();
  // What was said last has left before the socket closes.
  setImmediate(end);
});
