/** One-time links: the first start's, which makes the admin, and those that let a locked-out admin back in. */
import { newAccountRow, type AccountRow } from './accounts.ts';
import type { Ground } from './ground.ts';
import { also, must } from './ground.ts';
import { hashToken } from './sessions.ts';

export type LinkKind = 'setup' | 'reset';
export type Link = { readonly kind: LinkKind };

export interface LinkStore {
  /** A link replaces the unused ones of its kind before it. */
  add(kind: LinkKind, tokenHash: string, expiresAt: number): Promise<void>;
  /** Null: unknown, expired, or used already. */
  find(token: string): Promise<Link | null>;
  /** Uses the link up and makes the first admin; null when another request was faster. */
  redeemSetup(token: string, username: string, passwordHash: string): Promise<AccountRow | null>;
  /** Uses the link up, sets the password and ends all sessions of the account. False: another request was faster. */
  redeemReset(token: string, accountId: string, passwordHash: string): Promise<boolean>;
}

export const createLinks = ({ db, clock, write }: Ground): LinkStore => {
  const useUp = (token: string) => {
    const now = clock.wall();
    const link = db.updateTable('links').set({ usedAt: now }).where('tokenHash', '=', hashToken(token));
    return link.where('usedAt', 'is', null).where('expiresAt', '>', now);
  };
  return {
    async add(kind, tokenHash, expiresAt) {
      const row = { kind, tokenHash, expiresAt, createdAt: clock.wall(), usedAt: null };
      await write([
        also(db.deleteFrom('links').where('kind', '=', kind).where('usedAt', 'is', null)),
        // A used link stays used, whoever brings it again.
        also(db.insertInto('links').values(row).onConflict((conflict) => conflict.column('tokenHash').doNothing())),
      ]);
    },
    async find(token) {
      const found = db.selectFrom('links').select('kind').where('tokenHash', '=', hashToken(token));
      return (await found.where('usedAt', 'is', null).where('expiresAt', '>', clock.wall()).executeTakeFirst()) ?? null;
    },
    async redeemSetup(token, username, passwordHash) {
      const row = newAccountRow({ username, role: 'admin', passwordHash }, clock.wall());
      const noAdmin = db.selectFrom('accounts').select('id').where('role', '=', 'admin');
      const done = await write(
        [must(useUp(token).where((eb) => eb.not(eb.exists(noAdmin)))), must(db.insertInto('accounts').values(row))],
        [{ type: 'account.created', accountId: row.id, role: row.role }],
      );
      return done ? row : null;
    },
    async redeemReset(token, accountId, passwordHash) {
      const update = db.updateTable('accounts').set({ passwordHash, updatedAt: clock.wall() }).where('id', '=', accountId);
      const done = await write(
        [must(useUp(token)), must(update), also(db.deleteFrom('sessions').where('accountId', '=', accountId))],
        [{ type: 'account.sessions-ended', accountId, sessionId: null }],
      );
      return done !== null;
    },
  };
};
