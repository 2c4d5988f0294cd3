/** What a video needs whose protection was changed: other names for its files, since what has been served is kept by caches. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

export const names: Migration = {
  id: 8,
  name: 'names',
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('videos').addColumn('names', 'text').execute();
  },
};
