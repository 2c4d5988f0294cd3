/**
 * Answers kept for requests that carry an Idempotency-Key: the same request again gets the same answer. They
 * may hold secrets (a new stream key), so they are kept sealed.
 */
import type { Ground } from './ground.ts';
import type { Schema } from './schema.ts';

export type KeptAnswer = { readonly status: number; readonly body: unknown };
export type Claim =
  | { readonly kind: 'first' }
  | { readonly kind: 'again'; readonly answer: KeptAnswer }
  | { readonly kind: 'other-body' }
  | { readonly kind: 'under-way' };

export interface AnswerStore {
  claim(scope: string, bodyHash: string): Promise<Claim>;
  keep(scope: string, answer: KeptAnswer): Promise<void>;
  /** It did not come to an answer worth keeping: the key is free again. */
  release(scope: string): Promise<void>;
  sweep(): Promise<void>;
  /** At start: nothing is under way in a process that has just begun. */
  releaseAll(): Promise<void>;
}

const keptMs = 86_400_000;

export const createAnswers = ({ db, clock, vault }: Ground): AnswerStore => {
  const find = (scope: string): Promise<Schema['answers'] | undefined> =>
    db.selectFrom('answers').selectAll().where('scope', '=', scope).executeTakeFirst();
  return {
    async claim(scope, bodyHash) {
      const now = clock.wall();
      await db.deleteFrom('answers').where('scope', '=', scope).where('expiresAt', '<=', now).execute();
      const row = { scope, bodyHash, status: null, sealed: null, expiresAt: now + keptMs };
      const claimed = await db.insertInto('answers').values(row).onConflict((conflict) => conflict.column('scope').doNothing()).executeTakeFirst();
      if (claimed.numInsertedOrUpdatedRows === 1n) return { kind: 'first' };
      const there = await find(scope);
      if (there && there.bodyHash !== bodyHash) return { kind: 'other-body' };
      if (!there || there.status === null || there.sealed === null) return { kind: 'under-way' };
      const body = JSON.parse(vault.open('answer', scope, there.sealed)) as unknown;
      return { kind: 'again', answer: { status: there.status, body } };
    },
    async keep(scope, { status, body }) {
      const sealed = vault.seal('answer', scope, JSON.stringify(body));
      await db.updateTable('answers').set({ status, sealed }).where('scope', '=', scope).execute();
    },
    async release(scope) {
      await db.deleteFrom('answers').where('scope', '=', scope).where('status', 'is', null).execute();
    },
    async sweep() {
      await db.deleteFrom('answers').where('expiresAt', '<=', clock.wall()).execute();
    },
    async releaseAll() {
      await db.deleteFrom('answers').where('status', 'is', null).execute();
    },
  };
};
