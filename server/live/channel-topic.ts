/**
 * The WebSocket topic `channel:<id>` or `channel:@name`: what a channel's page shows, whole, at every change.
 * `snapshot` and `update` carry {state, videoId, startedAt, until, viewers, title}.
 */
import { findChannel, maySee } from '../api/routes/access.ts';
import type { Grants } from '../auth/grants.ts';
import type { Clock } from '../../packager/clock.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import type { WebSockets } from '../ws/websockets.ts';
import type { ChannelStatus } from './channel.ts';

type Parts = {
  readonly sockets: WebSockets;
  readonly catalog: Pick<Catalog, 'channels'>;
  readonly events: EventDispatcher;
  /** Who has a link to a channel follows it by that. */
  readonly grants: Pick<Grants, 'ofChannel'>;
  readonly status: (channelId: string) => ChannelStatus;
  readonly viewers: (video: string) => number;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
  /** Channels on which something is live. */
  readonly live: () => readonly { readonly id: string; readonly status: ChannelStatus }[];
};

/** How soon pages see that viewers came or went. */
const COUNT_EVERY_MS = 5_000;

export class ChannelTopic {
  readonly #p: Parts;
  readonly #counts = new Map<string, number>();
  #cancel: () => void = () => undefined;

  constructor(parts: Parts) {
    this.#p = parts;
    const { sockets, catalog, events, grants } = parts;
    sockets.topics.define('channel', {
      async authorise(name, who, by) {
        const channel = await findChannel({ catalog }, name);
        if (!channel || maySee(who, channel)) return channel && channel.id;
        const verdict = by ? await grants.ofChannel(by.text, channel, by.from) : 'none';
        return typeof verdict === 'string' ? null : { name: channel.id, until: verdict.until };
      },
      snapshot: (id) => this.#view(id, parts.status(id)),
    });
    const recheck = async (channelId: string): Promise<void> => {
      await sockets.recheck(`channel:${channelId}`);
      await this.changed(channelId, parts.status(channelId));
    };
    events.subscribe('channel.updated', ({ channelId }) => recheck(channelId));
    events.subscribe('channel.deleted', ({ channelId }) => recheck(channelId));
    events.subscribe('grant.revoked', ({ opens }) => (opens.kind === 'channel' ? sockets.recheck(`channel:${opens.id}`) : undefined));
    events.subscribe('account.sessions-ended', ({ accountId, sessionId }) => sockets.endSessions(accountId, sessionId));
    events.subscribe('account.updated', ({ accountId, role }) => sockets.endOtherRoles(accountId, role));
    this.#countLater();
  }

  stop(): void {
    this.#cancel();
  }

  async changed(channelId: string, status: ChannelStatus): Promise<void> {
    const view = await this.#view(channelId, status);
    if (view) this.#p.sockets.publish(`channel:${channelId}`, 'update', view);
  }

  #countLater(): void {
    this.#cancel = this.#p.clock.after(COUNT_EVERY_MS, () => {
      this.#tellCounts().catch(this.#p.failed).finally(() => this.#countLater());
    });
  }

  async #tellCounts(): Promise<void> {
    const live = this.#p.live();
    for (const { id, status } of live) {
      const count = status.videoId === null ? 0 : this.#p.viewers(status.videoId);
      if (this.#counts.get(id) !== count) await this.changed(id, status);
      this.#counts.set(id, count);
    }
    for (const id of this.#counts.keys()) if (!live.some((channel) => channel.id === id)) this.#counts.delete(id);
  }

  async #view(channelId: string, status: ChannelStatus): Promise<object | null> {
    const channel = await this.#p.catalog.channels.get(channelId);
    return channel && { ...status, viewers: status.videoId === null ? 0 : this.#p.viewers(status.videoId), title: channel.title };
  }
}
