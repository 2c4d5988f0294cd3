/** Brings the catalog's shape up to date at start: all missing steps in one transaction, or none; never backwards. */
import type { Kysely } from 'kysely';
import { CatalogError } from './errors.ts';
import type { Migration } from './migrations/migration.ts';
import { sqliteCounter } from './migrations/migration.ts';
import type { Schema } from './schema.ts';

const knownSteps = async (db: Kysely<Schema>): Promise<number> => {
  const tables = await db.introspection.getTables();
  if (!tables.some((table) => table.name === 'migrations')) {
    if (tables.length > 0) throw new CatalogError('damaged', 'catalog.db holds tables that Millrace did not make. Is this the right data folder?');
    return 0;
  }
  const row = await db
    .selectFrom('migrations')
    .select((eb) => eb.fn.max('id').as('last'))
    .executeTakeFirst();
  return row?.last ?? 0;
};

export const migrate = async (db: Kysely<Schema>, steps: readonly Migration[], now: number): Promise<void> => {
  const done = await knownSteps(db);
  const newest = steps.at(-1)?.id ?? 0;
  if (done > newest) {
    throw new CatalogError(
      'from-the-future',
      `The catalog was written by a newer Millrace (its version is ${done}; this program knows ${newest}). Start the newer program again, or restore the backup from before the upgrade.`,
    );
  }
  const missing = steps.filter((step) => step.id > done);
  if (missing.length === 0) return;
  await db.transaction().execute(async (trx) => {
    if (done === 0) {
      await trx.schema
        .createTable('migrations')
        .addColumn('id', 'integer', (c) => c.primaryKey().notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('appliedAt', 'bigint', (c) => c.notNull())
        .execute();
    }
    for (const step of missing) {
      // The newest shape is what Schema describes; a step sees the shape of its own time.
      await step.up(trx as unknown as Kysely<unknown>, sqliteCounter);
      await trx.insertInto('migrations').values({ id: step.id, name: step.name, appliedAt: now }).execute();
    }
  });
};
