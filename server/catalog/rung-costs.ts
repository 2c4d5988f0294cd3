/**
 * What the rungs of videos cost, and who asks for them. A rung that is spare can be made again from the best picture: of
 * whoever wants that, it is made when somebody asks for the video, and goes when nobody has for a while.
 */
import { sql, type RawBuilder, type SqlBool } from 'kysely';
import type { Ground } from './ground.ts';
import { also, must } from './ground.ts';
import { forgetFallen } from './job-statements.ts';
import type { RungPolicy, VideoState } from './schema.ts';

export interface RungCostStore {
  /** They were asked for just now. Which of them have rungs that are made on demand. `usual`: of accounts of which nothing else was said. */
  asked(videos: readonly string[], usual: RungPolicy): Promise<string[]>;
  /** Which rungs a video is to have now. */
  wanted(video: string, usual: RungPolicy): Promise<'lowest' | 'all'>;
  /** Not asked for since then, with rungs that go for that. Those that have waited longest first. */
  idle(since: number, usual: RungPolicy, limit: number): Promise<string[]>;
  /** Takes them off its list. False: it has been asked for, or something is being made of it. */
  drop(video: string, since: number): Promise<boolean>;
}

/** A video is asked for often, and days are counted. */
const oftenMs = 3_600_000;
const shown: readonly VideoState[] = ['playable', 'ready'];
const rungKinds = ['encode', 'join'];

const policy = (usual: RungPolicy): RawBuilder<RungPolicy> => sql<RungPolicy>`coalesce(${sql.ref('accounts.rungs')}, ${usual})`;
/** Of what nobody has asked for, since it came. */
const lastAsked = sql<number>`coalesce(${sql.ref('videos.askedAt')}, ${sql.ref('videos.endedAt')}, ${sql.ref('videos.createdAt')})`;

export const createRungCosts = ({ db, clock, write }: Ground): RungCostStore => {
  const onDemand = (usual: RungPolicy) =>
    db
      .selectFrom('videos')
      .innerJoin('accounts', 'accounts.id', 'videos.ownerId')
      .select('videos.id')
      .where(sql<SqlBool>`${policy(usual)} = 'on-demand'`);
  return {
    async asked(videos, usual) {
      if (videos.length === 0) return [];
      const now = clock.wall();
      const stale = sql<SqlBool>`coalesce(${sql.ref('askedAt')}, 0) <= ${now - oftenMs}`;
      await db.updateTable('videos').set({ askedAt: now }).where('id', 'in', videos).where('state', '!=', 'live').where(stale).execute();
      const found = await onDemand(usual).where('videos.id', 'in', videos).where('videos.state', 'in', shown).execute();
      return found.map(({ id }) => id);
    },
    async wanted(video, usual) {
      const waits = await onDemand(usual).where('videos.id', '=', video).where('videos.askedAt', 'is', null).executeTakeFirst();
      return waits ? 'lowest' : 'all';
    },
    async idle(since, usual, limit) {
      const found = await onDemand(usual)
        .where('videos.state', '=', 'ready')
        .where(lastAsked, '<', since)
        .where((eb) => eb.exists(eb.selectFrom('spareRungs').select('trackId').whereRef('spareRungs.videoId', '=', 'videos.id')))
        .orderBy(lastAsked)
        .orderBy('videos.id')
        .limit(limit)
        .execute();
      return found.map(({ id }) => id);
    },
    async drop(video, since) {
      const before = await db.selectFrom('videos').select(['channelId', 'visibility']).where('id', '=', video).executeTakeFirst();
      if (!before) return false;
      const spare = db.selectFrom('spareRungs').where('videoId', '=', video);
      const row = db
        .updateTable('videos')
        .set((eb) => ({
          rungsTurn: eb('rungsTurn', '+', 1),
          askedAt: null,
          bytes: eb('bytes', '-', sql<number>`(${spare.select((all) => all.fn.coalesce(all.fn.sum<number>('bytes'), all.lit(0)).as('sum'))})`),
          updatedAt: clock.wall(),
        }))
        .where('id', '=', video)
        .where('state', '=', 'ready')
        .where(lastAsked, '<', since)
        .where((eb) => eb.exists(spare.select('trackId')))
        // What is being made would be listed beside what is to be made anew.
        .where((eb) => eb.not(eb.exists(eb.selectFrom('jobs').select('id').where('videoId', '=', video).where('kind', 'in', rungKinds).where('state', 'in', ['queued', 'leased']))));
      const made = db.selectFrom('jobs').where('videoId', '=', video).where('kind', 'in', rungKinds);
      const parts = [
        must(row),
        also(db.deleteFrom('tracks').where('videoId', '=', video).where('id', 'in', spare.select('trackId'))),
        also(db.deleteFrom('spareRungs').where('videoId', '=', video)),
        // What was said of how they were made is over. First what fell with one of them: it would wait for what is gone.
        forgetFallen(db, made.select('jobs.id')),
        also(db.deleteFrom('jobs').where('videoId', '=', video).where('kind', 'in', rungKinds)),
      ];
      return (await write(parts, [{ type: 'video.updated', videoId: video, ...before, changed: ['tracks'] }])) !== null;
    },
  };
};
