/**
 * The topic `channel:<id>` or `channel:@name`: what a channel's page shows, as it changes. Messages: `snapshot`
 * and `updated` {channel as GET answers it}, `live` {videoId}, `ended` {videoId}, `deleted`.
 * Live code may publish more on it (`publish('channel:' + id, …)`: the host lost the connection, viewers).
 */
import type { Catalog } from '../catalog/catalog.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import type { ApiHooks } from '../api/hooks.ts';
import { maySee } from '../api/routes/access.ts';
import { channelView } from '../api/routes/channel-view.ts';
import type { WebSockets } from './websockets.ts';

type Parts = {
  readonly sockets: WebSockets;
  readonly catalog: Pick<Catalog, 'channels'>;
  readonly hooks: Pick<ApiHooks, 'liveOf'>;
  readonly events: EventDispatcher;
  /** What addresses in messages begin with. Empty: relative ones, since no request says how we were reached. */
  readonly base?: string;
};

/** Returns the way to stop hearing events. */
export const channelTopic = ({ sockets, catalog, hooks, events, base = '' }: Parts): (() => void) => {
  const view = async (id: string): Promise<unknown> => {
    const channel = await catalog.channels.get(id);
    return channel && channelView(channel, { hooks, base });
  };
  sockets.topics.define('channel', {
    async authorise(name, who) {
      const channel = name.startsWith('@') ? await catalog.channels.byName(name.slice(1)) : await catalog.channels.get(name);
      return channel && maySee(who, channel) ? channel.id : null;
    },
    snapshot: (id) => view(id),
  });
  const stops = [
    events.subscribe('channel.updated', async ({ channelId }) => {
      const topic = `channel:${channelId}`;
      await sockets.recheck(topic);
      sockets.publish(topic, 'updated', await view(channelId));
    }),
    events.subscribe('channel.deleted', async ({ channelId }) => {
      sockets.publish(`channel:${channelId}`, 'deleted', {});
      await sockets.recheck(`channel:${channelId}`);
    }),
    events.subscribe('video.live', ({ channelId, videoId }) => sockets.publish(`channel:${channelId}`, 'live', { videoId })),
    events.subscribe('video.ended', ({ channelId, videoId }) => {
      if (channelId !== null) sockets.publish(`channel:${channelId}`, 'ended', { videoId });
    }),
    events.subscribe('account.sessions-ended', ({ accountId, sessionId }) => sockets.endSessions(accountId, sessionId)),
  ];
  return () => {
    for (const stop of stops) stop();
  };
};
