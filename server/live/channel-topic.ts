/**
 * The WebSocket topic `channel:<id>` or `channel:@name`: what a channel's page shows, whole, at every change.
 * `snapshot` and `update` carry {state, videoId, startedAt, until, viewers, title}.
 */
import { maySee } from '../api/routes/access.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import type { WebSockets } from '../ws/websockets.ts';
import type { ChannelStatus } from './channel.ts';

type Parts = {
  readonly sockets: WebSockets;
  readonly catalog: Pick<Catalog, 'channels'>;
  readonly events: EventDispatcher;
  readonly status: (channelId: string) => ChannelStatus;
  readonly viewers: (video: string) => number;
};

export class ChannelTopic {
  readonly #p: Parts;

  constructor(parts: Parts) {
    this.#p = parts;
    const { sockets, catalog, events } = parts;
    sockets.topics.define('channel', {
      async authorise(name, who) {
        const channel = name.startsWith('@') ? await catalog.channels.byName(name.slice(1)) : await catalog.channels.get(name);
        return channel && maySee(who, channel) ? channel.id : null;
      },
      snapshot: (id) => this.#view(id, parts.status(id)),
    });
    const recheck = async (channelId: string): Promise<void> => {
      await sockets.recheck(`channel:${channelId}`);
      await this.changed(channelId, parts.status(channelId));
    };
    events.subscribe('channel.updated', ({ channelId }) => recheck(channelId));
    events.subscribe('channel.deleted', ({ channelId }) => recheck(channelId));
    events.subscribe('account.sessions-ended', ({ accountId, sessionId }) => sockets.endSessions(accountId, sessionId));
  }

  async changed(channelId: string, status: ChannelStatus): Promise<void> {
    const view = await this.#view(channelId, status);
    if (view) this.#p.sockets.publish(`channel:${channelId}`, 'update', view);
  }

  async #view(channelId: string, status: ChannelStatus): Promise<object | null> {
    const channel = await this.#p.catalog.channels.get(channelId);
    return channel && { ...status, viewers: status.videoId === null ? 0 : this.#p.viewers(status.videoId), title: channel.title };
  }
}
