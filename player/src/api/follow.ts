/**
 * What happens on a channel, as it happens: the socket's topic `channel:@name`, and polling while there is no socket
 * (a proxy that does not pass WebSockets is the commonest fault of self-hosted sites; the page must still change by itself).
 */
import { backOff } from '../lib/back-off.ts';
import type { Instant } from './types.ts';

export type ChannelState = 'offline' | 'starting' | 'live' | 'waiting' | 'ended';

export type ChannelNow = {
  readonly state: ChannelState;
  readonly videoId: string | null;
  readonly startedAt: Instant | null;
  readonly viewers: number;
  readonly title: string;
  /** Waiting: when the server gives up on the host, in milliseconds since 1970. */
  readonly until?: number | null;
};

export type Socket = {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
};

export type FollowTools = {
  open(): Socket;
  /** Null: the server could not say. */
  poll(): Promise<ChannelNow | null>;
  later(milliseconds: number, run: () => void): () => void;
  random(): number;
};

const socketRetry = { first: 500, most: 20_000 };
/** After this long without a word from the socket, polling stands in for it. */
const pollEvery = 4_000;

const states: readonly unknown[] = ['offline', 'starting', 'live', 'waiting', 'ended'] satisfies ChannelState[];

/** Null for whatever is not a message of this topic: other topics, acknowledgements, newer kinds. */
export const readMessage = (topic: string, data: unknown): ChannelNow | null => {
  if (typeof data !== 'string') return null;
  let message: unknown;
  try {
    message = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof message !== 'object' || message === null) return null;
  const { topic: of, type, data: now } = message as { topic?: unknown; type?: unknown; data?: unknown };
  if (of !== topic || (type !== 'snapshot' && type !== 'update')) return null;
  if (typeof now !== 'object' || now === null || !states.includes((now as { state?: unknown }).state)) return null;
  return now as ChannelNow;
};

/** Returns the way to stop. */
export const followChannel = (name: string, tell: (now: ChannelNow) => void, tools: FollowTools): (() => void) => {
  const topic = `channel:@${name}`;
  let stopped = false;
  let heard = false;
  let attempt = 0;
  let socket: Socket | null = null;
  let cancelRetry = (): void => {};
  let cancelPoll = (): void => {};

  const poll = async (): Promise<void> => {
    const now = await tools.poll();
    if (stopped || heard) return;
    if (now) tell(now);
    cancelPoll = tools.later(pollEvery, () => void poll());
  };

  const connect = (): void => {
    const mine = tools.open();
    socket = mine;
    mine.onopen = () => mine.send(JSON.stringify({ subscribe: topic }));
    mine.onmessage = (event) => {
      const now = readMessage(topic, event.data);
      if (stopped || !now) return;
      heard = true;
      attempt = 0;
      cancelPoll();
      tell(now);
    };
    mine.onclose = () => {
      if (stopped) return;
      socket = null;
      if (heard) cancelPoll = tools.later(pollEvery, () => void poll());
      heard = false;
      cancelRetry = tools.later(backOff(attempt++, socketRetry, tools.random), connect);
    };
  };

  cancelPoll = tools.later(pollEvery, () => void poll());
  connect();
  return () => {
    stopped = true;
    cancelRetry();
    cancelPoll();
    socket?.close();
  };
};
