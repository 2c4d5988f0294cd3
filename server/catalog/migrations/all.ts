/** All migrations, in order. */
import type { Migration } from './migration.ts';
import { first } from './001-first.ts';

export const migrations: readonly Migration[] = [first];
