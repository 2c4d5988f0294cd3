/** The browser's socket, timers and polling for `followChannel`. */
import { api } from './endpoints.ts';
import { followChannel } from './follow.ts';
import type { ChannelNow, Socket } from './follow.ts';

const poll = async (name: string): Promise<ChannelNow | null> => {
  try {
    const { live, title } = await api.channel(`@${name}`);
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

export const follow = (name: string, tell: (now: ChannelNow) => void): (() => void) =>
  followChannel(name, tell, {
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
    poll: () => poll(name),
    later(milliseconds, run) {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
    random: Math.random,
  });
