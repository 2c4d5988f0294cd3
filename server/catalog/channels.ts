/** Channels: a name, an owner, and how shows on it are made. */
import type { ServerEvent } from '../events/types.ts';
import type { Ground, Part } from './ground.ts';
import { also, must } from './ground.ts';
import { newId } from './ids.ts';
import { cutPage, isAfter, type Page, type PageRequest } from './page.ts';
import type { Latency, Protection, Schema, Visibility } from './schema.ts';
import { listOf, newKeyRow, shownKey, type StreamKeyRow } from './stream-keys.ts';

type Stored = Schema['channels'];
export type ChannelRow = Omit<Stored, 'srtPassphraseSealed' | 'captions' | 'downloads'> & {
  readonly srtPassphrase: string | null;
  readonly captions: readonly string[];
  readonly downloads: boolean;
};
export type NewChannel = {
  readonly name: string;
  readonly ownerId: string;
  readonly title: string;
  readonly description: string;
  readonly visibility: Visibility;
  readonly latency: Latency;
  readonly ladder: string;
  readonly protection: Protection;
  readonly srtPassphrase: string | null;
  /** How far back whoever watches live can go; null: to the beginning of the show. */
  readonly dvrSeconds: number | null;
  /** Languages (BCP 47) of the live captions that shows announce. */
  readonly captions: readonly string[];
  /** Whether recordings may be downloaded, unless their owner says otherwise of one. */
  readonly downloads: boolean;
};
export type ChannelChange = Partial<Omit<NewChannel, 'name' | 'ownerId'>>;
export type ChannelQuery = PageRequest & {
  /** Public channels and this account's own; null: all of them (admin). */
  readonly seenBy: { readonly accountId: string | null } | null;
  readonly ownerId?: string;
};

export interface ChannelStore {
  /** With its first stream key. Throws CatalogError `unique` when the name is taken. */
  create(channel: NewChannel): Promise<{ channel: ChannelRow; streamKey: StreamKeyRow; key: string }>;
  get(id: string): Promise<ChannelRow | null>;
  byName(name: string): Promise<ChannelRow | null>;
  list(query: ChannelQuery): Promise<Page<ChannelRow>>;
  /** What is live on it follows its title, its visibility and its downloads. Null: no such channel. */
  update(id: string, change: ChannelChange): Promise<ChannelRow | null>;
  /** Its recordings stay with their owner. */
  remove(id: string): Promise<boolean>;
}

const nameShape = /^[a-z0-9_-]{1,40}$/;
export const isChannelName = (name: string): boolean => nameShape.test(name);

export const createChannels = (ground: Ground): ChannelStore => {
  const { db, clock, vault, write } = ground;
  const sealed = (id: string, passphrase: string | null): string | null =>
    passphrase === null ? null : vault.seal('srt-passphrase', id, passphrase);
  const opened = ({ srtPassphraseSealed, captions, downloads, ...row }: Stored): ChannelRow => ({
    ...row,
    captions: listOf(captions),
    downloads: downloads !== 0,
    srtPassphrase: srtPassphraseSealed === null ? null : vault.open('srt-passphrase', row.id, srtPassphraseSealed),
  });
  const one = async (column: 'id' | 'name', value: string): Promise<ChannelRow | null> => {
    const row = await db.selectFrom('channels').selectAll().where(column, '=', value).executeTakeFirst();
    return row ? opened(row) : null;
  };
  /** A show on air is called as its channel, and hidden or shown with it; its recording is not there yet, so whether it may be downloaded follows too. */
  const liveFollows = async (channelId: string, { title, visibility, downloads }: ChannelChange, now: number): Promise<{ parts: Part[]; events: ServerEvent[] }> => {
    const set = { ...(title !== undefined && { title }), ...(visibility !== undefined && { visibility }), ...(downloads !== undefined && { downloads: Number(downloads) }) };
    const changed = Object.keys(set);
    if (changed.length === 0) return { parts: [], events: [] };
    const live = await db.selectFrom('videos').select(['id', 'visibility']).where('channelId', '=', channelId).where('state', '=', 'live').execute();
    const update = db.updateTable('videos').set({ ...set, updatedAt: now }).where('channelId', '=', channelId).where('state', '=', 'live');
    const events = live.map((video) => ({ type: 'video.updated', videoId: video.id, channelId, visibility: visibility ?? video.visibility, changed }) as const);
    return { parts: [also(update)], events };
  };
  return {
    async create({ srtPassphrase, captions, downloads, ...channel }) {
      const now = clock.wall();
      const id = newId();
      const row: Stored = {
        ...channel,
        id,
        srtPassphraseSealed: sealed(id, srtPassphrase),
        captions: JSON.stringify(captions),
        downloads: Number(downloads),
        createdAt: now,
        updatedAt: now,
      };
      const { row: keyRow, key } = newKeyRow(ground, id, { label: '', allowedNetworks: [] });
      await write(
        [must(db.insertInto('channels').values(row)), must(db.insertInto('streamKeys').values(keyRow))],
        [
          { type: 'channel.created', channelId: id, name: channel.name, ownerId: channel.ownerId },
          { type: 'stream-key.created', channelId: id, streamKeyId: keyRow.id },
        ],
      );
      return { channel: opened(row), streamKey: shownKey(keyRow), key };
    },
    get: (id) => one('id', id),
    byName: (name) => one('name', name),
    async list({ limit, after, seenBy, ownerId }) {
      let query = db.selectFrom('channels').selectAll();
      if (seenBy) query = query.where((eb) => eb.or([eb('visibility', '=', 'public'), eb('ownerId', '=', seenBy.accountId ?? '')]));
      if (ownerId !== undefined) query = query.where('ownerId', '=', ownerId);
      if (after) query = query.where(isAfter('channels', after));
      const rows = await query.orderBy('createdAt', 'desc').orderBy('id', 'desc').limit(limit + 1).execute();
      return cutPage(rows.map(opened), limit);
    },
    async update(id, change) {
      const before = await one('id', id);
      if (!before) return null;
      const now = clock.wall();
      const { srtPassphrase, captions, downloads, ...plain } = change;
      const set = {
        ...plain,
        ...(srtPassphrase !== undefined && { srtPassphraseSealed: sealed(id, srtPassphrase) }),
        ...(captions !== undefined && { captions: JSON.stringify(captions) }),
        ...(downloads !== undefined && { downloads: Number(downloads) }),
        updatedAt: now,
      };
      // Said again, a title is none that somebody has just thought of: a show that was called otherwise stays so.
      const { title: _same, ...others } = change;
      const live = await liveFollows(id, change.title === before.title ? others : change, now);
      const done = await write(
        [must(db.updateTable('channels').set(set).where('id', '=', id)), ...live.parts],
        [{ type: 'channel.updated', channelId: id, name: before.name, changed: Object.keys(change) }, ...live.events],
      );
      return done ? one('id', id) : null;
    },
    async remove(id) {
      const channel = await one('id', id);
      if (!channel) return false;
      const { name, ownerId } = channel;
      const done = await write([must(db.deleteFrom('channels').where('id', '=', id))], [{ type: 'channel.deleted', channelId: id, name, ownerId }]);
      return done !== null;
    },
  };
};
