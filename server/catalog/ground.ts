/** What every store stands on: the tables, one way to write several rows at once, the clock and the vault. */
import type { CompiledQuery, Kysely } from 'kysely';
import type { Clock } from '../../packager/clock.ts';
import type { ServerEvent } from '../events/types.ts';
import type { Schema } from './schema.ts';
import type { Vault } from './vault.ts';
import type { Outcome } from './wire.ts';

type Compilable = { compile(): CompiledQuery };

/** One statement of a write. `must`: if it touches no row, nothing of the write happens. */
export type Part = { readonly query: Compilable; readonly must: boolean };
export const must = (query: Compilable): Part => ({ query, must: true });
export const also = (query: Compilable): Part => ({ query, must: false });

export type Ground = {
  readonly db: Kysely<Schema>;
  readonly clock: Clock;
  readonly vault: Vault;
  /** All parts and the events in one transaction and one message to the catalog's thread; null: a `must` found nothing. */
  write(parts: readonly Part[], events?: readonly ServerEvent[]): Promise<Outcome[] | null>;
};
