/** What rungs may cost: whose are made only when somebody asks for a video, when that was, and which of them may go again. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

export const rungCosts: Migration = {
  id: 11,
  name: 'rung-costs',
  async up(db: Kysely<unknown>) {
    // Null: as the configuration says.
    await db.schema.alterTable('accounts').addColumn('rungs', 'text').execute();
    // Null: nobody has, since its rungs were dropped.
    await db.schema.alterTable('videos').addColumn('askedAt', 'bigint').execute();
    // How often they were: what is made anew has other names.
    await db.schema.alterTable('videos').addColumn('rungsTurn', 'integer', (c) => c.notNull().defaultTo(0)).execute();
    await db.schema
      .createTable('spareRungs')
      .addColumn('videoId', 'text', (c) => c.notNull().references('videos.id').onDelete('cascade'))
      .addColumn('trackId', 'text', (c) => c.notNull())
      .addColumn('bytes', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('spareRungsOnce', ['videoId', 'trackId'])
      .execute();
  },
};
