/** What pictures of a video there are, and its chapters: both as JSON, null for none. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

export const pictures: Migration = {
  id: 10,
  name: 'pictures',
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('videos').addColumn('pictures', 'text').execute();
    await db.schema.alterTable('videos').addColumn('chapters', 'text').execute();
  },
};
