/**
 * Stream keys: several for a channel, each revocable. They are looked up by a keyed hash, and kept sealed, so
 * that their owner can be shown one again and a copied catalog alone gives none away.
 */
import type { Ground } from './ground.ts';
import { must } from './ground.ts';
import { newId, newStreamKey } from './ids.ts';
import type { Latency, Protection, Schema, Visibility } from './schema.ts';

export type StreamKeyRow = Pick<Schema['streamKeys'], 'id' | 'channelId' | 'label' | 'createdAt' | 'revokedAt'> & {
  /** Addresses and networks that it may be used from; none: all. */
  readonly allowedNetworks: readonly string[];
};
export type KeySettings = { readonly label: string; readonly allowedNetworks: readonly string[] };

/** What live code must know of whoever brings a key. */
export type ResolvedKey = {
  readonly channelId: string;
  readonly streamKeyId: string;
  readonly channelName: string;
  readonly ownerId: string;
  readonly latency: Latency;
  readonly visibility: Visibility;
  readonly ladder: string;
  readonly protection: Protection;
  readonly title: string;
  /** Null: the whole show. */
  readonly dvrSeconds: number | null;
  /** Languages of the live captions that a show announces when it begins. */
  readonly captions: readonly string[];
  /** Addresses and networks that the key may be used from; none: all. */
  readonly allowedNetworks: readonly string[];
};

export interface StreamKeyStore {
  resolve(key: string): Promise<ResolvedKey | null>;
  /** Throws CatalogError `reference` when the channel is gone; null: it has as many keys as it may have. */
  create(channelId: string, settings: KeySettings): Promise<{ streamKey: StreamKeyRow; key: string } | null>;
  ofChannel(channelId: string): Promise<StreamKeyRow[]>;
  reveal(channelId: string, id: string): Promise<string | null>;
  /** The oldest key that holds, in the clear: what an owner's page shows. */
  first(channelId: string): Promise<{ streamKey: StreamKeyRow; key: string } | null>;
  /** Null: there is no such key, or it holds no more. */
  change(channelId: string, id: string, settings: Partial<KeySettings>): Promise<StreamKeyRow | null>;
  revoke(channelId: string, id: string): Promise<boolean>;
}

/** As the catalog keeps them. */
export const listOf = (text: string): readonly string[] => JSON.parse(text) as readonly string[];

const longestKey = 128;
export const mostKeys = 20;

const lookupOf = ({ vault }: Pick<Ground, 'vault'>, key: string): string => vault.mac('stream-key', key).toString('base64url');

export const newKeyRow = (ground: Pick<Ground, 'vault' | 'clock'>, channelId: string, { label, allowedNetworks }: KeySettings): { row: Schema['streamKeys']; key: string } => {
  const key = newStreamKey();
  const id = newId();
  const sealed = ground.vault.seal('stream-key', id, key);
  const row = { id, channelId, label, lookup: lookupOf(ground, key), sealed, allowedNetworks: JSON.stringify(allowedNetworks), createdAt: ground.clock.wall(), revokedAt: null };
  return { row, key };
};

export const shownKey = ({ id, channelId, label, allowedNetworks, createdAt, revokedAt }: Schema['streamKeys']): StreamKeyRow => ({
  ...{ id, channelId, label, createdAt, revokedAt },
  allowedNetworks: listOf(allowedNetworks),
});

export const createStreamKeys = (ground: Ground): StreamKeyStore => {
  const { db, clock, vault, write } = ground;
  const holding = (channelId: string) => db.selectFrom('streamKeys').selectAll().where('channelId', '=', channelId).where('revokedAt', 'is', null);
  return {
    async resolve(key) {
      if (key.length === 0 || key.length > longestKey) return null;
      const row = await db
        .selectFrom('streamKeys')
        .innerJoin('channels', 'channels.id', 'streamKeys.channelId')
        .select(['streamKeys.id as streamKeyId', 'streamKeys.allowedNetworks', 'channels.id as channelId', 'channels.name as channelName', 'channels.title', 'channels.ownerId'])
        .select(['channels.latency', 'channels.visibility', 'channels.ladder', 'channels.protection', 'channels.dvrSeconds', 'channels.captions'])
        .where('streamKeys.lookup', '=', lookupOf(ground, key))
        .where('streamKeys.revokedAt', 'is', null)
        .executeTakeFirst();
      return row ? { ...row, captions: listOf(row.captions), allowedNetworks: listOf(row.allowedNetworks) } : null;
    },
    async create(channelId, settings) {
      if ((await holding(channelId).execute()).length >= mostKeys) return null;
      const { row, key } = newKeyRow(ground, channelId, settings);
      await write([must(db.insertInto('streamKeys').values(row))], [{ type: 'stream-key.created', channelId, streamKeyId: row.id }]);
      return { streamKey: shownKey(row), key };
    },
    async ofChannel(channelId) {
      const rows = await holding(channelId).orderBy('createdAt').orderBy('id').execute();
      return rows.map(shownKey);
    },
    async reveal(channelId, id) {
      const row = await holding(channelId).where('id', '=', id).executeTakeFirst();
      return row ? vault.open('stream-key', row.id, row.sealed) : null;
    },
    async first(channelId) {
      const row = await holding(channelId).orderBy('createdAt').orderBy('id').limit(1).executeTakeFirst();
      return row ? { streamKey: shownKey(row), key: vault.open('stream-key', row.id, row.sealed) } : null;
    },
    async change(channelId, id, { label, allowedNetworks }) {
      const set = { ...(label !== undefined && { label }), ...(allowedNetworks !== undefined && { allowedNetworks: JSON.stringify(allowedNetworks) }) };
      if (Object.keys(set).length > 0) {
        const update = db.updateTable('streamKeys').set(set).where('id', '=', id).where('channelId', '=', channelId);
        if (!(await write([must(update.where('revokedAt', 'is', null))]))) return null;
      }
      const row = await holding(channelId).where('id', '=', id).executeTakeFirst();
      return row ? shownKey(row) : null;
    },
    async revoke(channelId, id) {
      const update = db.updateTable('streamKeys').set({ revokedAt: clock.wall() }).where('id', '=', id).where('channelId', '=', channelId);
      const done = await write([must(update.where('revokedAt', 'is', null))], [{ type: 'stream-key.revoked', channelId, streamKeyId: id }]);
      return done !== null;
    },
  };
};
