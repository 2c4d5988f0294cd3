/**
 * The WebSocket topic `ingest:<id>` or `ingest:@name`: how what is sent to a channel comes in, whole, once a second
 * while something is known. Only for whoever may end its shows.
 */
import { owns } from '../api/routes/access.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import type { WebSockets } from '../ws/websockets.ts';
import type { IngestHealth } from './ingest-health.ts';
import { healthView } from './view.ts';

type Parts = {
  readonly sockets: Pick<WebSockets, 'topics' | 'publish' | 'recheck' | 'heard'>;
  readonly catalog: Pick<Catalog, 'channels'>;
  readonly events: Pick<EventDispatcher, 'subscribe'>;
  readonly health: Pick<IngestHealth, 'view' | 'tells'>;
};

export const tellHealth = ({ sockets, catalog, events, health }: Parts): void => {
  sockets.topics.define('ingest', {
    async authorise(name, who) {
      const channel = name.startsWith('@') ? await catalog.channels.byName(name.slice(1)) : await catalog.channels.get(name);
      return channel && owns(who, channel) ? channel.id : null;
    },
    snapshot: async (id) => healthView(health.view(id), false),
  });
  health.tells(
    () => sockets.heard('ingest'),
    (id) => sockets.publish(`ingest:${id}`, 'update', healthView(health.view(id), false)),
  );
  events.subscribe('channel.deleted', ({ channelId }) => sockets.recheck(`ingest:${channelId}`));
};
