/** What happens on a channel: the topic `channel:@name`. */
import { createTopics } from './topics.ts';
import type { Socket, TopicTools } from './topics.ts';
import type { Instant } from './types.ts';

export type { Socket };

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

export type FollowTools = TopicTools & {
  /** Null: the server could not say. */
  poll(): Promise<ChannelNow | null>;
  /** Of a link to the channel. */
  readonly grant?: string | undefined;
};

const states: readonly unknown[] = ['offline', 'starting', 'live', 'waiting', 'ended'] satisfies ChannelState[];

export const readChannel = (data: unknown): ChannelNow | null => {
  if (typeof data !== 'object' || data === null || !states.includes((data as { state?: unknown }).state)) return null;
  return data as ChannelNow;
};

/** Returns the way to stop. */
export const followChannel = (name: string, tell: (now: ChannelNow) => void, tools: FollowTools): (() => void) =>
  createTopics(tools).follow({ name: `channel:@${name}`, grant: tools.grant, read: readChannel, poll: () => tools.poll(), tell });
