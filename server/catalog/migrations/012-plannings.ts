/** For which videos it is to be worked out what belongs behind them: a kill in between forgets nobody. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

export const plannings: Migration = {
  id: 12,
  name: 'plannings',
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('plannings')
      .addColumn('videoId', 'text', (c) => c.primaryKey().notNull().references('videos.id').onDelete('cascade'))
      .addColumn('turn', 'integer', (c) => c.notNull())
      .execute();
  },
};
