/** People who may log in. Passwords come here hashed. */
import type { Ground } from './ground.ts';
import { also, must } from './ground.ts';
import { newId } from './ids.ts';
import { cutPage, isAfter, type Page, type PageRequest } from './page.ts';
import type { Role, RungPolicy, Schema } from './schema.ts';

export type AccountRow = Schema['accounts'];
export type NewAccount = { readonly username: string; readonly role: Role; readonly passwordHash: string };
export type AccountChange = {
  readonly role?: Role;
  readonly passwordHash?: string;
  /** Bytes that it may keep; 0: as many as it likes; null: as the configuration says. */
  readonly quotaBytes?: number | null;
  /** When rungs above the lowest are made; null: as the configuration says. */
  readonly rungs?: RungPolicy | null;
};

/** `last-admin`: nobody could administer the server any more. */
export type AccountOutcome = 'done' | 'missing' | 'last-admin';

export interface AccountStore {
  create(account: NewAccount): Promise<AccountRow>;
  get(id: string): Promise<AccountRow | null>;
  byUsername(username: string): Promise<AccountRow | null>;
  list(page: PageRequest): Promise<Page<AccountRow>>;
  /** A new password ends the account's sessions, except `keepSession`. */
  update(id: string, change: AccountChange, keepSession?: string): Promise<AccountOutcome>;
  /** The admin who has been there longest. */
  firstAdmin(): Promise<AccountRow | null>;
}

/** How usernames are compared: `Ａdmin`, `ADMIN` and `admin` are one. */
export const usernameKey = (username: string): string => username.normalize('NFKC').toLowerCase();

const usernameShape = /^[\p{L}\p{N}._-]{1,40}$/u;
export const isUsername = (username: string): boolean => usernameShape.test(username.normalize('NFKC'));

export const newAccountRow = (account: NewAccount, now: number): AccountRow => ({
  id: newId(),
  username: account.username.normalize('NFC'),
  usernameKey: usernameKey(account.username),
  role: account.role,
  passwordHash: account.passwordHash,
  quotaBytes: null,
  rungs: null,
  createdAt: now,
  updatedAt: now,
});

export const createAccounts = ({ db, clock, write }: Ground): AccountStore => {
  const get = async (id: string): Promise<AccountRow | null> =>
    (await db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
  return {
    get,
    async create(account) {
      const row = newAccountRow(account, clock.wall());
      await write([must(db.insertInto('accounts').values(row))], [{ type: 'account.created', accountId: row.id, role: row.role }]);
      return row;
    },
    async byUsername(username) {
      const found = db.selectFrom('accounts').selectAll().where('usernameKey', '=', usernameKey(username));
      return (await found.executeTakeFirst()) ?? null;
    },
    async list({ limit, after }) {
      let query = db.selectFrom('accounts').selectAll();
      if (after) query = query.where(isAfter('accounts', after));
      const rows = await query.orderBy('createdAt', 'desc').orderBy('id', 'desc').limit(limit + 1).execute();
      return cutPage(rows, limit);
    },
    async update(id, change, keepSession) {
      const before = await get(id);
      if (!before) return 'missing';
      const role = change.role ?? before.role;
      let update = db
        .updateTable('accounts')
        .set({ ...change, updatedAt: clock.wall() })
        .where('id', '=', id);
      if (role !== 'admin') {
        // Judged inside the transaction: two admins who demote each other at once must not both succeed.
        const otherAdmin = db.selectFrom('accounts as other').select('other.id').where('other.role', '=', 'admin').where('other.id', '!=', id);
        update = update.where((eb) => eb.or([eb('role', '!=', 'admin'), eb.exists(otherAdmin)]));
      }
      const parts = [must(update)];
      const newPassword = change.passwordHash !== undefined;
      if (newPassword) {
        let end = db.deleteFrom('sessions').where('accountId', '=', id);
        if (keepSession !== undefined) end = end.where('id', '!=', keepSession);
        parts.push(also(end));
      }
      const done = await write(parts, [
        { type: 'account.updated', accountId: id, role },
        ...(newPassword ? [{ type: 'account.sessions-ended', accountId: id, sessionId: null } as const] : []),
      ]);
      return done ? 'done' : 'last-admin';
    },
    async firstAdmin() {
      const found = db.selectFrom('accounts').selectAll().where('role', '=', 'admin').orderBy('createdAt').orderBy('id').limit(1);
      return (await found.executeTakeFirst()) ?? null;
    },
  };
};
