/** The browser's socket, timers and polling for what is followed. */
import { api } from './endpoints.ts';
import { askedGrant } from './head-start.ts';
import { followChannel } from './follow.ts';
import type { ChannelNow } from './follow.ts';
import { healthTopic } from './health.ts';
import type { Health } from './health.ts';
import { videoTopic } from './follow-video.ts';
import type { VideoNow } from './follow-video.ts';
import { createTopics } from './topics.ts';
import { tasksTopic, workTopic } from './work.ts';
import type { Tasks, WorkNow } from './work.ts';
import type { Socket, TopicTools } from './topics.ts';

const poll = async (name: string): Promise<ChannelNow | null> => {
  try {
    const { live, title } = await api.channel(`@${name}`, askedGrant());
    return {
      state: live ? 'live' : 'offline',
      videoId: live?.videoId ?? null,
      startedAt: live?.startedAt ?? null,
      viewers: live?.viewers ?? 0,
      title,
    };
  } catch {
    return null; // the next poll asks again; the page keeps what it knew
  }
};

const tools: TopicTools = {
  open(): Socket {
    const browser = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/ws`);
    const socket: Socket = {
      send: (text) => browser.send(text),
      close: () => browser.close(),
      onopen: null,
      onmessage: null,
      onclose: null,
    };
    browser.onopen = () => socket.onopen?.();
    browser.onmessage = (event) => socket.onmessage?.(event);
    browser.onclose = () => socket.onclose?.();
    return socket;
  },
  later(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

export const follow = (name: string, tell: (now: ChannelNow) => void): (() => void) =>
  followChannel(name, tell, { ...tools, poll: () => poll(name), grant: askedGrant() });

/** Everything else that the page follows shares a socket. */
const others = createTopics(tools);

export const followVideo = (id: string, tell: (now: VideoNow) => void): (() => void) =>
  others.follow(videoTopic(id, tell));

export const followHealth = (channel: string, tell: (now: Health) => void): (() => void) =>
  others.follow(healthTopic(channel, tell));

export const followTasks = (video: string, tell: (now: Tasks) => void): (() => void) => others.follow(tasksTopic(video, tell));

export const followWork = (tell: (now: WorkNow) => void): (() => void) => others.follow(workTopic(tell));
