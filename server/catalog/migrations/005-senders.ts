/** What admitting publishers needs: where a stream key may be used from, and what the publish hook is still owed. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

export const senders: Migration = {
  id: 5,
  name: 'senders',
  async up(db: Kysely<unknown>) {
    // JSON: addresses and networks. None: from anywhere.
    await db.schema.alterTable('streamKeys').addColumn('allowedNetworks', 'text', (c) => c.notNull().defaultTo('[]')).execute();
    await db.schema
      .createTable('publishNotices')
      .addColumn('id', 'text', (c) => c.primaryKey().notNull())
      .addColumn('body', 'text', (c) => c.notNull())
      // Null: the publisher is still on.
      .addColumn('dueAt', 'bigint')
      .addColumn('tries', 'integer', (c) => c.notNull().defaultTo(0))
      .addColumn('createdAt', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('publishNoticesByDue').on('publishNotices').column('dueAt').execute();
  },
};
