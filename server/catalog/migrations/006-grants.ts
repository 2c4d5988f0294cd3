/** What grants need: the keys that sign them, and those that were made to be handed on. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from './migration.ts';

export const grants: Migration = {
  id: 6,
  name: 'grants',
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('grantKeys')
      .addColumn('id', 'integer', (c) => c.primaryKey().notNull())
      .addColumn('sealed', 'text', (c) => c.notNull())
      .addColumn('createdAt', 'bigint', (c) => c.notNull())
      // Null: it signs.
      .addColumn('retiredAt', 'bigint')
      .addColumn('goodUntil', 'bigint')
      .execute();
    await db.schema
      .createTable('grants')
      .addColumn('id', 'text', (c) => c.primaryKey().notNull())
      .addColumn('videoId', 'text', (c) => c.references('videos.id').onDelete('cascade'))
      .addColumn('channelId', 'text', (c) => c.references('channels.id').onDelete('cascade'))
      .addColumn('accountId', 'text', (c) => c.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('label', 'text', (c) => c.notNull())
      .addColumn('sealed', 'text', (c) => c.notNull())
      .addColumn('createdAt', 'bigint', (c) => c.notNull())
      .addColumn('expiresAt', 'bigint', (c) => c.notNull())
      .addColumn('revokedAt', 'bigint')
      .addCheckConstraint('grantsOfOneThing', sql`(${sql.ref('videoId')} is null) <> (${sql.ref('channelId')} is null)`)
      .execute();
    await db.schema.createIndex('grantsOfVideo').on('grants').columns(['videoId', 'createdAt']).execute();
    await db.schema.createIndex('grantsOfChannel').on('grants').columns(['channelId', 'createdAt']).execute();
    await db.schema.createIndex('grantsByExpiry').on('grants').column('expiresAt').execute();
  },
};
