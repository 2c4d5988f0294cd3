/**
 * How long it takes to write a playlist of 3,000 segments, and to wake 5,000 viewers who wait for one.
 *
 *     node bench/playlist.ts
 */
import { fork } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../packager/clock.ts';
import { mediaPlaylist } from '../packager/hls/media.ts';
import { PretendStream } from '../packager/hls/pretend-stream.ts';
import { FakeGatekeeper, fakeKeys, FakePresentation, FakePresentations, reachedHere } from '../server/delivery/fake-presentation.ts';
import { createDelivery } from '../server/delivery/handler.ts';

const viewers = 5000;
const path = '/play/-/video-00000001/v0/index.m3u8?_HLS_msn=9&_HLS_part=2';

const share = (values: readonly number[], of: number): string => ([...values].sort((a, b) => a - b)[Math.floor(values.length * of)] ?? 0).toFixed(2);
const tell = (values: readonly number[]): string => `${share(values, 0.1)} ms (p10), ${share(values, 0.5)} ms (median)`;
const timed = (run: () => unknown): number => {
  const from = performance.now();
  run();
  return performance.now() - from;
};
const turn = (): Promise<void> => new Promise((next) => setImmediate(next));

const longPlaylist = (): void => {
  // A recording's is written once, for whoever comes first: others were written before it, its own lines were not.
  const recordings = Array.from({ length: 20 }, () => new PretendStream({ partBytes: 10 }).segments(3000).end().snapshot());
  const first = recordings.map((snapshot) => timed(() => Buffer.from(mediaPlaylist(snapshot, 'v0', { whole: true }))));
  const stream = new PretendStream().segments(3000);
  const warm: number[] = [];
  const delta: number[] = [];
  for (let round = 0; round < 100; round++) {
    if (round % 6 === 0) stream.close();
    stream.part();
    const snapshot = stream.snapshot();
    warm.push(timed(() => Buffer.from(mediaPlaylist(snapshot, 'v0'))));
    delta.push(timed(() => Buffer.from(mediaPlaylist(snapshot, 'v0', { skip: true }))));
  }
  const bytes = mediaPlaylist(stream.snapshot(), 'v0').length;
  console.log(`playlist of 3,000 segments (${bytes >> 10} KB): first ${tell(first)}, then ${tell(warm)}; delta ${tell(delta)}`);
};

/** The viewers live in a process of their own, so that only the server's work is in the server's time. */
const crowd = async (port: number): Promise<void> => {
  const sockets: Socket[] = [];
  let answered = 0;
  for (let viewer = 0; viewer < viewers; viewer++) {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n`));
    socket.once('data', () => {
      answered++;
      if (answered === viewers) process.send?.('answered');
    });
    sockets.push(socket);
    if (viewer % 200 === 0) await turn();
  }
};

type Waking = {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly waiting: () => number;
  readonly wake: () => void;
  readonly answered: () => number;
};

/** Milliseconds until the last viewer was answered, CPU for each, and the longest turn of the event loop. */
const wakeUp = async (name: string, { handle, waiting, wake, answered }: Waking): Promise<void> => {
  const server = createServer(handle);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', 4096, ready));
  const { port } = server.address() as AddressInfo;
  const child = fork(import.meta.filename, [String(port)]);
  const heard = new Promise((done) => child.once('message', done));
  while (waiting() < viewers) await new Promise((next) => setTimeout(next, 10));
  const rss = process.memoryUsage().rss >> 20;

  let longest = 0;
  let last = performance.now();
  let watching = true;
  const watch = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (watching) setImmediate(watch);
  };
  await turn();
  last = performance.now();
  setImmediate(watch);
  const from = performance.now();
  const cpu = process.cpuUsage();
  wake();
  while (answered() < viewers) await turn();
  await turn();
  const handed = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  await heard;
  watching = false;
  const each = ((user + system) / viewers).toFixed(1);
  console.log(`${viewers} waiters, ${name}: the last answered after ${handed.toFixed(0)} ms; CPU ${each} µs each; longest turn ${longest.toFixed(1)} ms; RSS ${rss} MB`);
  child.kill();
  server.closeAllConnections();
  server.close();
};

const withDelivery = (): Waking => {
  const presentations = new FakePresentations();
  const presentation = presentations.add(new FakePresentation()).do((stream) => stream.segments(8).part().part());
  const gatekeeper = new FakeGatekeeper();
  // The deadline of three target durations is not what is measured.
  const clock = { ...systemClock, after: () => () => undefined };
  const delivery = createDelivery({ presentations, gatekeeper, keys: fakeKeys, reachedAt: reachedHere, clock, cacheBytes: 64 << 20, onError: console.error });
  return {
    handle: (request, response) => void delivery.handle(request, response),
    waiting: () => delivery.stats().waiters,
    wake: () => void presentation.do((stream) => stream.part()),
    answered: () => delivery.stats().requests.get('playlist 200') ?? 0,
  };
};

/** The peer: `node:http` with the least that can be done, all in one turn. */
const bare = (): Waking => {
  const held: ServerResponse[] = [];
  const body = gzipSync(mediaPlaylist(new PretendStream().segments(8).part().part().part().snapshot(), 'v0'));
  return {
    handle: (_, response) => void held.push(response),
    waiting: () => held.length,
    answered: () => viewers - held.length,
    wake: () => {
      for (const response of held.splice(0)) response.writeHead(200, ['Content-Length', String(body.length), 'Content-Encoding', 'gzip']).end(body);
    },
  };
};

const port = process.argv[2];
if (port === undefined) {
  longPlaylist();
  for (let round = 0; round < 3; round++) {
    await wakeUp('bare node:http', bare());
    await wakeUp('delivery', withDelivery());
  }
} else {
  await crowd(Number(port));
}
