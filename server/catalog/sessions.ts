/** Login sessions. Only a hash of the token is kept: whoever reads the catalog cannot log in with it. */
import { createHash } from 'node:crypto';
import type { Ground } from './ground.ts';
import { also, must } from './ground.ts';
import { newId, newToken } from './ids.ts';
import type { Role, Schema } from './schema.ts';

export type SessionRow = Omit<Schema['sessions'], 'tokenHash'>;
export type SessionOrigin = { readonly userAgent: string; readonly address: string };
export type OpenSession = { readonly session: SessionRow; readonly accountId: string; readonly username: string; readonly role: Role };

export interface SessionStore {
  create(accountId: string, origin: SessionOrigin): Promise<{ session: SessionRow; token: string }>;
  /** Whose session this is; null when it is unknown, ended or expired. */
  resolve(token: string): Promise<OpenSession | null>;
  ofAccount(accountId: string): Promise<SessionRow[]>;
  /** False: the account has no such session. */
  end(id: string, accountId: string): Promise<boolean>;
  /** Forgets what has expired. */
  sweep(): Promise<void>;
}

const day = 86_400_000;
/** A session that is used lives on, but not for ever. */
export const idleMs = 30 * day;
export const longestMs = 180 * day;
/** Using a session is noted at most this often: a write for every request would be a waste. */
const noteEveryMs = 60_000;
const mostSessions = 100;

// The token has 256 random bits, so a plain hash cannot be searched; passwords are another matter.
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url');

const columns = ['id', 'accountId', 'createdAt', 'lastUsedAt', 'expiresAt', 'userAgent', 'address'] as const;

export const newSessionRow = (accountId: string, { userAgent, address }: SessionOrigin, now: number): SessionRow => ({
  id: newId(),
  accountId,
  createdAt: now,
  lastUsedAt: now,
  expiresAt: now + idleMs,
  userAgent: userAgent.slice(0, 300),
  address: address.slice(0, 64),
});

export const createSessions = ({ db, clock, write }: Ground): SessionStore => ({
  async create(accountId, origin) {
    const token = newToken();
    const session = newSessionRow(accountId, origin, clock.wall());
    const newest = db.selectFrom('sessions').select('id').where('accountId', '=', accountId).orderBy('createdAt', 'desc').orderBy('id').limit(mostSessions);
    await write([
      must(db.insertInto('sessions').values({ ...session, tokenHash: hashToken(token) })),
      // Somebody who logs in from a script every minute must not fill the disk.
      also(db.deleteFrom('sessions').where('accountId', '=', accountId).where('id', 'not in', newest)),
    ]);
    return { session, token };
  },
  async resolve(token) {
    const now = clock.wall();
    const row = await db
      .selectFrom('sessions')
      .innerJoin('accounts', 'accounts.id', 'sessions.accountId')
      .select(columns.map((column) => `sessions.${column}` as const))
      .select(['accounts.username', 'accounts.role'])
      .where('sessions.tokenHash', '=', hashToken(token))
      .where('sessions.expiresAt', '>', now)
      .executeTakeFirst();
    if (!row) return null;
    const { username, role, ...session } = row;
    if (now - session.lastUsedAt >= noteEveryMs) {
      const expiresAt = Math.min(now + idleMs, session.createdAt + longestMs);
      await db.updateTable('sessions').set({ lastUsedAt: now, expiresAt }).where('id', '=', session.id).execute();
    }
    return { session, accountId: session.accountId, username, role };
  },
  async ofAccount(accountId) {
    const found = db.selectFrom('sessions').select(columns).where('accountId', '=', accountId).where('expiresAt', '>', clock.wall());
    return found.orderBy('createdAt', 'desc').orderBy('id').execute();
  },
  async end(id, accountId) {
    const ended = await write(
      [must(db.deleteFrom('sessions').where('id', '=', id).where('accountId', '=', accountId))],
      [{ type: 'account.sessions-ended', accountId, sessionId: id }],
    );
    return ended !== null;
  },
  async sweep() {
    await db.deleteFrom('sessions').where('expiresAt', '<=', clock.wall()).execute();
  },
});
