/** Pages by key, newest first: a cursor names the last row seen, so rows that come in between move nothing. */
import { sql, type RawBuilder, type SqlBool } from 'kysely';

export type Position = { readonly createdAt: number; readonly id: string };
export type PageRequest = { readonly limit: number; readonly after: Position | null };
export type Page<T> = { readonly items: readonly T[]; readonly next: Position | null };

/** Ask for `limit + 1` rows, and let this cut the page. */
export const cutPage = <T extends Position>(rows: readonly T[], limit: number): Page<T> => {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last ? { createdAt: last.createdAt, id: last.id } : null };
};

/** Rows after `position` in the order (createdAt desc, id desc). */
export const isAfter = (table: 'videos' | 'channels' | 'accounts' | 'jobs', { createdAt, id }: Position): RawBuilder<SqlBool> => {
  const age = sql.ref(`${table}.createdAt`);
  const name = sql.ref(`${table}.id`);
  return sql<SqlBool>`(${age} < ${createdAt} or (${age} = ${createdAt} and ${name} < ${id}))`;
};
