/**
 * Grants that somebody made on purpose, to hand them on: they can be listed, shown again, and taken back. Those that
 * players are given for whoever watches himself are not kept.
 */
import type { Ground } from './ground.ts';
import { must } from './ground.ts';
import type { Schema } from './schema.ts';

export type GrantRow = Omit<Schema['grants'], 'sealed'>;
export type KeptGrant = GrantRow & { /** The grant itself. */ readonly text: string };

/** What a grant opens: one video, or the shows of a channel. */
export type GrantTarget = { readonly kind: 'video' | 'channel'; readonly id: string };

export interface GrantStore {
  /** False: there are as many of its video or channel as there may be. */
  add(row: GrantRow, text: string): Promise<boolean>;
  /** Those that are not over, the newest first. */
  of(target: GrantTarget): Promise<readonly KeptGrant[]>;
  /** False: there is no such grant of that, or it has been taken back. */
  revoke(target: GrantTarget, id: string): Promise<boolean>;
  isRevoked(id: string): Promise<boolean>;
  /** Forgets those that are over, and by which nobody can be watching any more. */
  sweep(): Promise<void>;
}

export const mostOfOne = 200;
/** Whoever has begun to watch may go on for as long after the grant is over: so long it must be known whether it was taken back. */
export const outlivedForMs = 24 * 3_600_000;

const columnOf = { video: 'videoId', channel: 'channelId' } as const;

const targetOf = ({ videoId, channelId }: Pick<GrantRow, 'videoId' | 'channelId'>): GrantTarget =>
  videoId === null ? { kind: 'channel', id: channelId ?? '' } : { kind: 'video', id: videoId };

/** As it stands in a row. */
export const targetIds = ({ kind, id }: GrantTarget): { readonly videoId: string | null; readonly channelId: string | null } => ({
  videoId: kind === 'video' ? id : null,
  channelId: kind === 'channel' ? id : null,
});

export const createGrants = ({ db, clock, vault, write }: Ground): GrantStore => {
  const open = ({ kind, id }: GrantTarget) => db.selectFrom('grants').where(columnOf[kind], '=', id).where('revokedAt', 'is', null).where('expiresAt', '>', clock.wall());
  return {
    async add(row, text) {
      if ((await open(targetOf(row)).select('id').execute()).length >= mostOfOne) return false;
      await write([must(db.insertInto('grants').values({ ...row, sealed: vault.seal('grant', row.id, text) }))]);
      return true;
    },
    async of(target) {
      const rows = await open(target).selectAll().orderBy('createdAt', 'desc').orderBy('id').execute();
      return rows.map(({ sealed, ...row }) => ({ ...row, text: vault.open('grant', row.id, sealed) }));
    },
    async revoke(target, id) {
      const update = db.updateTable('grants').set({ revokedAt: clock.wall() }).where('id', '=', id).where(columnOf[target.kind], '=', target.id);
      return (await write([must(update.where('revokedAt', 'is', null))], [{ type: 'grant.revoked', grantId: id, opens: target }])) !== null;
    },
    async isRevoked(id) {
      return (await db.selectFrom('grants').select('id').where('id', '=', id).where('revokedAt', 'is not', null).executeTakeFirst()) !== undefined;
    },
    async sweep() {
      await db.deleteFrom('grants').where('expiresAt', '<=', clock.wall() - outlivedForMs).execute();
    },
  };
};
