/** What protected videos need: how each is protected, and the secret that its keys follow from. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

export const protection: Migration = {
  id: 7,
  name: 'protection',
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('videos').addColumn('protection', 'text', (c) => c.notNull().defaultTo('none')).execute();
    await db.schema
      .createTable('mediaSecrets')
      .addColumn('videoId', 'text', (c) => c.primaryKey().notNull().references('videos.id').onDelete('cascade'))
      .addColumn('sealed', 'text', (c) => c.notNull())
      .addColumn('segmentsPerKey', 'integer', (c) => c.notNull())
      .addColumn('createdAt', 'bigint', (c) => c.notNull())
      .execute();
  },
};
