/** One numbered step of the catalog's shape. Written once, never edited after a release. */
import type { CreateTableBuilder, Kysely } from 'kysely';

/** Adds a key that counts up and is never used again: the one column type that databases spell differently. */
export type Counter = <T extends string>(table: CreateTableBuilder<T>, column: string) => CreateTableBuilder<T>;

export const sqliteCounter: Counter = (table, column) =>
  table.addColumn(column, 'integer', (c) => c.primaryKey().autoIncrement().notNull()) as typeof table;

export type Migration = {
  readonly id: number;
  readonly name: string;
  up(db: Kysely<unknown>, counter: Counter): Promise<void>;
};
