/** What the main thread and the catalog's thread say to each other. */
import type { CatalogErrorCode } from './errors.ts';

export type Statement = { readonly sql: string; readonly params: readonly unknown[] };

/** One statement of a transaction. `must`: when it touches no row, nothing of the transaction happens. */
export type Step = Statement & { readonly must: boolean };

export type Outcome = { readonly rows: readonly unknown[]; readonly affected: number };

/** `read` runs on a connection of its own, so it neither waits for a transaction nor sees inside one. */
export type Order =
  | { readonly id: number; readonly op: 'run'; readonly on: 'read' | 'write'; readonly statement: Statement }
  | { readonly id: number; readonly op: 'atomic'; readonly steps: readonly Step[] }
  | { readonly id: number; readonly op: 'backup'; readonly path: string }
  | { readonly id: number; readonly op: 'close' };

export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly code: CatalogErrorCode; readonly message: string };

/** First message of the worker: id 0. */
export const openingId = 0;

export type WorkerData = { readonly folder: string; readonly busyTimeoutMs: number };
