/** What views need: how far back a live show goes, the captions that it announces, cuts, downloads. */
import type { Kysely } from 'kysely';
import type { Migration } from './migration.ts';

export const second: Migration = {
  id: 2,
  name: 'views',
  async up(db: Kysely<unknown>) {
    // Null: the whole show, as for a channel that says nothing.
    await db.schema.alterTable('channels').addColumn('dvrSeconds', 'integer').execute();
    await db.schema.alterTable('channels').addColumn('captions', 'text', (c) => c.notNull().defaultTo('[]')).execute();
    await db.schema.alterTable('channels').addColumn('downloads', 'integer', (c) => c.notNull().defaultTo(1)).execute();
    await db.schema.alterTable('videos').addColumn('cutInMs', 'bigint').execute();
    await db.schema.alterTable('videos').addColumn('cutOutMs', 'bigint').execute();
    await db.schema.alterTable('videos').addColumn('downloads', 'integer', (c) => c.notNull().defaultTo(1)).execute();
  },
};
