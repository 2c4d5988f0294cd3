/**
 * What happens at the server, as it happens: one socket, any number of topics, and polling for each topic of which the
 * socket says nothing (a proxy that does not pass WebSockets is the commonest fault of self-hosted sites; the page must
 * still change by itself).
 */
import { backOff } from '../lib/back-off.ts';

export type Socket = {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
};

export type TopicTools = {
  open(): Socket;
  later(milliseconds: number, run: () => void): () => void;
  random(): number;
};

export type Topic<T> = {
  /** `kind:name`, as the server calls it. */
  readonly name: string;
  /** Of a link that was handed on: it is heard by that. */
  readonly grant?: string | undefined;
  /** Null: this is not (yet) a thing that this page understands. */
  read(data: unknown): T | null;
  /** Null: the server could not say. */
  poll(): Promise<T | null>;
  tell(now: T): void;
};

export interface Topics {
  /** Returns the way to stop. The socket is there as long as anything is followed. */
  follow<T>(topic: Topic<T>): () => void;
}

const socketRetry = { first: 500, most: 20_000 };
/** After this long without a word from the socket, polling stands in for it. */
const pollEvery = 4_000;

type Message = { readonly topic: string; readonly data: unknown };

/** Null for whatever tells no state: acknowledgements, refusals, newer kinds. */
export const readMessage = (text: unknown): Message | null => {
  if (typeof text !== 'string') return null;
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof message !== 'object' || message === null) return null;
  const { topic, type, data } = message as { topic?: unknown; type?: unknown; data?: unknown };
  return typeof topic === 'string' && (type === 'snapshot' || type === 'update') ? { topic, data } : null;
};

type Follower = { readonly topic: string; readonly grant: string | undefined; hear(data: unknown): void; socketLost(): void };

export const createTopics = (tools: TopicTools): Topics => {
  const followers = new Set<Follower>();
  let socket: Socket | null = null;
  let isOpen = false;
  let attempt = 0;
  let cancelRetry = (): void => {};

  const say = (order: object): void => {
    if (isOpen) socket?.send(JSON.stringify(order));
  };
  const subscribe = ({ topic, grant }: Follower): void => say({ subscribe: topic, ...(grant === undefined ? {} : { grant }) });
  const connect = (): void => {
    const mine = tools.open();
    socket = mine;
    mine.onopen = () => {
      isOpen = true;
      for (const follower of new Map([...followers].map((one) => [one.topic, one])).values()) subscribe(follower);
    };
    mine.onmessage = (event) => {
      const message = readMessage(event.data);
      if (socket !== mine || !message) return;
      for (const follower of followers) {
        if (follower.topic !== message.topic) continue;
        attempt = 0;
        follower.hear(message.data);
      }
    };
    mine.onclose = () => {
      if (socket !== mine) return;
      socket = null;
      isOpen = false;
      for (const follower of followers) follower.socketLost();
      cancelRetry = tools.later(backOff(attempt++, socketRetry, tools.random), connect);
    };
  };
  const leave = (follower: Follower): void => {
    if (!followers.delete(follower)) return;
    if (followers.size === 0) {
      cancelRetry();
      const last = socket;
      socket = null;
      isOpen = false;
      attempt = 0;
      last?.close();
    } else if (![...followers].some(({ topic }) => topic === follower.topic)) say({ unsubscribe: follower.topic });
  };

  return {
    follow<T>({ name, grant, read, poll, tell }: Topic<T>) {
      let stopped = false;
      let heard = false;
      let cancelPoll = (): void => {};
      const pollLater = (): void => {
        cancelPoll = tools.later(pollEvery, () => {
          void poll().then((now) => {
            if (stopped || heard) return;
            if (now !== null) tell(now);
            pollLater();
          });
        });
      };
      const follower: Follower = {
        topic: name,
        grant,
        hear(data) {
          const now = read(data);
          if (now === null) return;
          heard = true;
          cancelPoll();
          tell(now);
        },
        socketLost() {
          if (heard) pollLater();
          heard = false;
        },
      };
      followers.add(follower);
      pollLater();
      if (followers.size === 1) connect();
      // Also when the topic is followed already: the new one wants its snapshot.
      else subscribe(follower);
      return () => {
        stopped = true;
        cancelPoll();
        leave(follower);
      };
    },
  };
};
