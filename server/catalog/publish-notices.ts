/**
 * What the publish hook is owed: a row from the moment that it let somebody in until it has heard how that ended. So
 * a kill of the server leaves a debt and not a gap.
 */
import type { Ground } from './ground.ts';
import type { Schema } from './schema.ts';

export type PublishNotice = Schema['publishNotices'];

export interface PublishNoticeStore {
  /** Somebody was let in: `body` is what will be said if nothing more is ever known. */
  open(id: string, body: string): Promise<void>;
  /** It is over, and this is to be said. */
  end(id: string, body: string): Promise<void>;
  /** Publishers that were on when the server ended without a word. */
  left(): Promise<PublishNotice[]>;
  due(limit: number): Promise<PublishNotice[]>;
  /** Null: nothing is owed. */
  nextDueAt(): Promise<number | null>;
  again(id: string, dueAt: number): Promise<void>;
  done(id: string): Promise<void>;
  /** Removes the oldest of those that are owed, so that no more than this many are; the number of them. */
  keepNewest(most: number): Promise<number>;
  /** Nobody is there any more who wants to know. */
  clear(): Promise<void>;
}

export const createPublishNotices = ({ db, clock }: Ground): PublishNoticeStore => {
  const notices = () => db.selectFrom('publishNotices').selectAll();
  return {
    async open(id, body) {
      await db.insertInto('publishNotices').values({ id, body, dueAt: null, tries: 0, createdAt: clock.wall() }).execute();
    },
    async end(id, body) {
      await db.updateTable('publishNotices').set({ body, dueAt: clock.wall() }).where('id', '=', id).execute();
    },
    left: () => notices().where('dueAt', 'is', null).execute(),
    due: (limit) => notices().where('dueAt', '<=', clock.wall()).orderBy('dueAt').limit(limit).execute(),
    async nextDueAt() {
      const row = await db.selectFrom('publishNotices').select('dueAt').where('dueAt', 'is not', null).orderBy('dueAt').limit(1).executeTakeFirst();
      return row?.dueAt ?? null;
    },
    async again(id, dueAt) {
      await db.updateTable('publishNotices').set((eb) => ({ dueAt, tries: eb('tries', '+', 1) })).where('id', '=', id).execute();
    },
    async done(id) {
      await db.deleteFrom('publishNotices').where('id', '=', id).execute();
    },
    async keepNewest(most) {
      const owed = db.selectFrom('publishNotices').where('dueAt', 'is not', null);
      const newest = owed.select('id').orderBy('createdAt', 'desc').limit(most);
      const { numDeletedRows } = await db.deleteFrom('publishNotices').where('dueAt', 'is not', null).where('id', 'not in', newest).executeTakeFirst();
      return Number(numDeletedRows);
    },
    async clear() {
      await db.deleteFrom('publishNotices').execute();
    },
  };
};
