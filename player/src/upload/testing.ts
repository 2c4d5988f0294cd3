/** Uploads in Node against a stand-in of the server. Where nothing is done but waiting, the clock jumps. */
import { put } from '../../../test/support/put.ts';
import { Random } from '../../../test/support/random.ts';
import { uploadStandIn } from '../../../test/support/upload-stand-in.ts';
import type { UploadStandIn } from '../../../test/support/upload-stand-in.ts';
import type { Method } from '../api/client.ts';
import { readVideo } from '../api/follow-video.ts';
import type { VideoNow } from '../api/follow-video.ts';
import { ApiProblem, problemOf } from '../api/problem.ts';
import { interruptible } from '../lib/interruptible.ts';
import { retryAfterMs } from '../lib/retry-after.ts';
import { sliceReader } from './digest.ts';
import type { UploadApi, UploadTools } from './ground.ts';
import type { Memory } from './memory.ts';
import { Queue } from './queue.ts';
import type { UploadItem, UploadState } from './types.ts';
import { AskProblem } from './wire.ts';
import type { Wire } from './wire.ts';

type Test = { teardown(end: () => unknown): void };

export const wholeMemory = (): Memory & { readonly kept: Map<string, string> } => {
  const kept = new Map<string, string>();
  return {
    kept,
    find: (fingerprint) => kept.get(fingerprint) ?? null,
    keep: (fingerprint, video) => void kept.set(fingerprint, video),
    forget: (fingerprint) => void kept.delete(fingerprint),
  };
};

const waitOf = (header: string | null): number | null => retryAfterMs(header, Date.now());

type Counted = <A extends unknown[], T>(run: (...args: A) => Promise<T>) => (...args: A) => Promise<T>;

const apiOf = (origin: string, counted: Counted): UploadApi => {
  const uncounted = async (method: Method, path: string, body?: unknown, options: { idempotencyKey?: string; signal?: AbortSignal } = {}): Promise<unknown> => {
    const headers = options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey };
    const request = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(options.signal && { signal: options.signal }) };
    const response = await fetch(`${origin}/api/v1${path}`, request).catch((error: unknown) => {
      throw new ApiProblem(0, 'unreachable', String(error));
    });
    const text = await response.text().catch((error: unknown) => {
      throw new ApiProblem(0, 'unreachable', String(error));
    });
    const said: unknown = text === '' ? undefined : JSON.parse(text);
    if (!response.ok) throw problemOf(response.status, said, waitOf(response.headers.get('retry-after')));
    return said;
  };
  const ask = counted(uncounted) as <T>(...args: Parameters<typeof uncounted>) => Promise<T>;
  return {
    createUpload: (body, options) => ask('POST', '/videos', body, options),
    signUpload: (id, options) => ask('POST', `/videos/${id}/upload`, undefined, options),
    myVideos: (state, cursor, options) => ask('GET', `/videos?state=${state}${cursor === null ? '' : `&cursor=${cursor}`}`, undefined, options),
    video: (id) => ask('GET', `/videos/${id}`),
    changeVideo: (id, body) => ask('PATCH', `/videos/${id}`, body),
    deleteVideo: (id) => ask('DELETE', `/videos/${id}`),
  };
};

const nodeWire: Wire = {
  async put(sending, signal) {
    const { status, retryAfter, body } = await put(sending, signal);
    return { status, body, retryAfterMs: waitOf(retryAfter) };
  },
  async ask<T>(method: 'GET' | 'POST', url: string, signal: AbortSignal): Promise<T> {
    let response: Response;
    let said: unknown;
    try {
      response = await fetch(url, { method, signal });
      said = await response.json().catch(() => null);
    } catch (error) {
      throw new ApiProblem(0, 'unreachable', String(error));
    }
    if (!response.ok) throw new AskProblem(response.status, said, waitOf(response.headers.get('retry-after')));
    return said as T;
  },
};

/** Real time, but for what nobody has to wait for: when no work is done, the next moment for which something waits is now. */
const jumpingClock = (t: Test, idle: () => boolean): UploadTools['clock'] => {
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  let jumped = 0;
  let wasIdle = false;
  const now = (): number => performance.now() + jumped;
  const look = (): void => {
    const [next] = [...timers].sort((one, other) => one.at - other.at);
    const isIdle = idle();
    if (next && isIdle && wasIdle) jumped += Math.max(0, next.at - now());
    wasIdle = isIdle;
    if (!next || next.at > now()) return;
    timers.delete(next);
    wasIdle = false; // it may have begun something
    next.run();
  };
  const interval = setInterval(look, 1);
  t.teardown(() => clearInterval(interval));
  return {
    now,
    later(milliseconds, run) {
      const timer = { at: now() + milliseconds, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
};

export type Bench = {
  readonly server: UploadStandIn;
  readonly memory: ReturnType<typeof wholeMemory>;
  /** What the program itself is to blame for. */
  readonly mistakes: unknown[];
  /** What the server says of a video, to whoever follows it. */
  say(video: string, now: Partial<VideoNow>): void;
  followed(): readonly string[];
  network: { online: boolean; changed: () => void };
  /** Of each part: whether its connection is dead from the beginning. */
  takesNothing: () => boolean;
  /** A page. Several of them remember the same, unless another memory is given: another machine. */
  page(memory?: Memory): Queue;
};

export const bench = async (t: Test): Promise<Bench> => {
  const server = await uploadStandIn();
  const memory = wholeMemory();
  const mistakes: unknown[] = [];
  const followers = new Map<string, (now: VideoNow) => void>();
  const network = { online: true, changed: (): void => {} };
  let keys = 0;
  let work = 0;
  const counted = <A extends unknown[], T>(run: (...args: A) => Promise<T>) => (...args: A): Promise<T> => {
    work += 1;
    return run(...args).finally(() => (work -= 1));
  };
  const clock = jumpingClock(t, () => work <= server.stalled);
  const api = apiOf(server.origin, counted);
  const send = counted(nodeWire.put);
  const tools = (kept: Memory): UploadTools => ({
    api,
    wire: { put: (sending, signal) => (bench.takesNothing() ? interruptible(signal, () => () => {}) : send(sending, signal)), ask: counted(nodeWire.ask) as Wire['ask'] },
    reader: { read: counted(sliceReader.read), close() {} },
    memory: kept,
    clock,
    random: Math.random,
    online: () => network.online,
    newKey: () => `key-${keys++}`,
    follow(video, tell) {
      followers.set(video, tell);
      return () => void followers.delete(video);
    },
    onNetwork(run) {
      network.changed = run;
      return () => {};
    },
    report: (error) => void mistakes.push(error),
  });
  const queues: Queue[] = [];
  t.teardown(async () => {
    for (const queue of queues) queue.destroy();
    await server.close();
  });
  const bench: Bench = {
    server,
    takesNothing: () => false,
    memory,
    mistakes,
    say: (video, now) => followers.get(video)?.(readVideo({ state: 'uploading', ...now }) ?? (now as VideoNow)),
    followed: () => [...followers.keys()],
    network,
    page(kept = memory) {
      const queue = new Queue(tools(kept));
      queues.push(queue);
      return queue;
    },
  };
  return bench;
};

export const fileOf = (size: number, { name = 'film.mp4', seed = 1, head = Buffer.alloc(0), places = [] as [number, Buffer][] } = {}): { file: File; bytes: Buffer } => {
  const bytes = new Random(seed).bytes(size);
  for (const [at, place] of [[0, head] as [number, Buffer], ...places]) place.copy(bytes, at);
  return { file: new File([Uint8Array.from(bytes)], name, { lastModified: 1 }), bytes };
};

export const itemOf = (queue: Queue, key: string): UploadItem => {
  const item = queue.items().find((item) => item.key === key);
  if (!item) throw new Error(`there is no ${key}`);
  return item;
};

/** Resolves when the item is as wished; a failure that was not wished for is one of the test. */
export const until = (queue: Queue, key: string, wish: UploadState['is'] | ((item: UploadItem) => boolean)): Promise<UploadItem> =>
  new Promise((resolve, reject) => {
    const wished = typeof wish === 'string' ? ({ state }: UploadItem) => state.is === wish : wish;
    const look = (): void => {
      const item = itemOf(queue, key);
      if (wished(item)) end(() => resolve(item));
      else if (item.state.is === 'failed') end(() => reject(new Error(JSON.stringify(item.state))));
    };
    const end = (settle: () => void): void => {
      stop();
      settle();
    };
    const stop = queue.subscribe(look);
    look();
  });
