/**
 * Grants that somebody made on purpose, to hand them on: they can be listed, shown again, and taken back. Those that
 * players are given for whoever watches himself are not kept.
 */
import type { Ground } from './ground.ts';
import { must } from './ground.ts';
import type { Schema } from './schema.ts';

export type GrantRow = Omit<Schema['grants'], 'sealed'>;
export type KeptGrant = GrantRow & { /** The grant itself. */ readonly text: string };

export interface GrantStore {
  /** False: the video has as many as it may have. */
  add(row: GrantRow, text: string): Promise<boolean>;
  /** Those that are not over, the newest first. */
  ofVideo(videoId: string): Promise<readonly KeptGrant[]>;
  /** False: the video has no such grant, or it has been taken back. */
  revoke(videoId: string, id: string): Promise<boolean>;
  isRevoked(id: string): Promise<boolean>;
  /** Forgets those that are over, and by which nobody can be watching any more. */
  sweep(): Promise<void>;
}

export const mostOfVideo = 200;
/** Whoever has begun to watch may go on for as long after the grant is over: so long it must be known whether it was taken back. */
export const outlivedForMs = 24 * 3_600_000;

export const createGrants = ({ db, clock, vault, write }: Ground): GrantStore => {
  const open = (videoId: string) => db.selectFrom('grants').where('videoId', '=', videoId).where('revokedAt', 'is', null).where('expiresAt', '>', clock.wall());
  return {
    async add(row, text) {
      if ((await open(row.videoId).select('id').execute()).length >= mostOfVideo) return false;
      await write([must(db.insertInto('grants').values({ ...row, sealed: vault.seal('grant', row.id, text) }))]);
      return true;
    },
    async ofVideo(videoId) {
      const rows = await open(videoId).selectAll().orderBy('createdAt', 'desc').orderBy('id').execute();
      return rows.map(({ sealed, ...row }) => ({ ...row, text: vault.open('grant', row.id, sealed) }));
    },
    async revoke(videoId, id) {
      const update = db.updateTable('grants').set({ revokedAt: clock.wall() }).where('id', '=', id).where('videoId', '=', videoId);
      return (await write([must(update.where('revokedAt', 'is', null))], [{ type: 'grant.revoked', grantId: id, videoId }])) !== null;
    },
    async isRevoked(id) {
      return (await db.selectFrom('grants').select('id').where('id', '=', id).where('revokedAt', 'is not', null).executeTakeFirst()) !== undefined;
    },
    async sweep() {
      await db.deleteFrom('grants').where('expiresAt', '<=', clock.wall() - outlivedForMs).execute();
    },
  };
};
