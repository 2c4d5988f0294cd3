/** Events on their way: written with the change that they speak of, handed out by the dispatcher. */
import type { Kysely } from 'kysely';
import type { ServerEvent } from '../events/types.ts';
import { also, type Part } from './ground.ts';
import type { Schema } from './schema.ts';

export type StoredEvent = { readonly seq: number; readonly event: ServerEvent };

export interface OutboxStore {
  next(limit: number): Promise<StoredEvent[]>;
  done(seq: number): Promise<void>;
  /** Called after each transaction that wrote an event. Returns the way to stop it. */
  onEvent(listener: () => void): () => void;
}

export const outboxPart = (db: Kysely<Schema>, event: ServerEvent, now: number): Part =>
  also(db.insertInto('outbox').values({ type: event.type, data: JSON.stringify(event), createdAt: now }));

export const createOutbox = (db: Kysely<Schema>): OutboxStore & { announce(): void } => {
  const listeners = new Set<() => void>();
  return {
    async next(limit) {
      const rows = await db.selectFrom('outbox').selectAll().orderBy('seq').limit(limit).execute();
      return rows.map((row) => ({ seq: row.seq, event: JSON.parse(row.data) as ServerEvent }));
    },
    async done(seq) {
      await db.deleteFrom('outbox').where('seq', '=', seq).execute();
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    announce() {
      for (const listener of listeners) listener();
    },
  };
};
