/** The secret of a protected video, which all its keys follow from: made once, kept sealed, gone with the video. */
import type { Ground } from './ground.ts';
import { also, must } from './ground.ts';

export type MediaSecret = {
  readonly secret: Buffer;
  /** How long a key lasts. It stays what it was when the video was first protected: what is cached is under those keys. */
  readonly segmentsPerKey: number;
};

export interface MediaSecretStore {
  /** What there is, else this one from now on. Rejects when there is no such video. */
  keep(videoId: string, fresh: MediaSecret): Promise<MediaSecret>;
}

export const createMediaSecrets = ({ db, clock, vault, write }: Ground): MediaSecretStore => {
  const get = async (videoId: string): Promise<MediaSecret | null> => {
    const row = await db.selectFrom('mediaSecrets').selectAll().where('videoId', '=', videoId).executeTakeFirst();
    return row ? { secret: Buffer.from(vault.open('media', videoId, row.sealed), 'base64url'), segmentsPerKey: row.segmentsPerKey } : null;
  };
  return {
    async keep(videoId, { secret, segmentsPerKey }) {
      const known = await get(videoId);
      if (known) return known;
      const row = { videoId, sealed: vault.seal('media', videoId, secret.toString('base64url')), segmentsPerKey, createdAt: clock.wall() };
      // Whoever was here first has given the keys out already. A video that is gone gets none.
      const of = db.updateTable('videos').set((eb) => ({ updatedAt: eb.ref('videos.updatedAt') })).where('id', '=', videoId);
      await write([must(of), also(db.insertInto('mediaSecrets').values(row).onConflict((conflict) => conflict.column('videoId').doNothing()))]);
      const kept = await get(videoId);
      if (!kept) throw new RangeError(`there is no video ${videoId} to protect`);
      return kept;
    },
  };
};
