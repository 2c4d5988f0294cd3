/** What uploads need: originals and where they came from, what of them has to be sent still, and how much an account may keep. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

export const third: Migration = {
  id: 3,
  name: 'uploads',
  async up(db: Kysely<unknown>) {
    // Null: what the configuration allows everybody.
    await db.schema.alterTable('accounts').addColumn('quotaBytes', 'bigint').execute();
    await db.schema.alterTable('videos').addColumn('source', 'text', (c) => c.notNull().defaultTo('live')).execute();
    await db.schema.alterTable('videos').addColumn('ladder', 'text', (c) => c.notNull().defaultTo('source')).execute();
    await db.schema.alterTable('videos').addColumn('filename', 'text').execute();
    // The bytes that are sent, from the moment that they are promised: they count for the account's room.
    await db.schema.alterTable('videos').addColumn('originalBytes', 'bigint', (c) => c.notNull().defaultTo(0)).execute();
    // The track_ID in the original that this track is cut out of; null: it has a log of its own.
    await db.schema.alterTable('tracks').addColumn('original', 'integer').execute();
    await db.schema
      .createTable('uploads')
      .addColumn('videoId', 'text', (c) => c.primaryKey().notNull().references('videos.id').onDelete('cascade'))
      .addColumn('partSize', 'integer', (c) => c.notNull())
      // By which the client that began it knows the file again, on another machine too.
      .addColumn('fingerprint', 'text')
      // For imports: where from.
      .addColumn('url', 'text')
      .addColumn('createdAt', 'bigint', (c) => c.notNull())
      .addColumn('expiresAt', 'bigint', (c) => c.notNull())
      // Null: bytes are missing still.
      .addColumn('wholeAt', 'bigint')
      // Null: nobody has decided yet what becomes of what came.
      .addColumn('takenAt', 'bigint')
      .execute();
    await db.schema.createIndex('uploadsByExpiry').on('uploads').column('expiresAt').execute();
  },
};
