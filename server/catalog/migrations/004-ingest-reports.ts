/** What is kept of how a broadcast came in, for its owner to read afterwards. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

export const ingestReports: Migration = {
  id: 4,
  name: 'ingest-reports',
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('ingestReports')
      .addColumn('videoId', 'text', (c) => c.primaryKey().notNull().references('videos.id').onDelete('cascade'))
      // JSON, at most 64 KiB.
      .addColumn('report', 'text', (c) => c.notNull())
      .addColumn('updatedAt', 'bigint', (c) => c.notNull())
      .execute();
  },
};
