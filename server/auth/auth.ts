/** Who somebody is: logging in, sessions, and how the first admin comes to be. */
import type { Clock } from '../../packager/clock.ts';
import { isUsername, usernameKey, type AccountRow } from '../catalog/accounts.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { isTaken } from '../catalog/errors.ts';
import { newToken } from '../catalog/ids.ts';
import type { Role } from '../catalog/schema.ts';
import { hashToken, type SessionOrigin } from '../catalog/sessions.ts';
import { dropReset, waitingReset } from './admin-reset.ts';
import { Passwords, type Cost } from './passwords.ts';
import { LoginThrottle } from './throttle.ts';

/** Whoever makes a request. */
export type Who = { readonly accountId: string; readonly username: string; readonly role: Role; readonly sessionId: string };

export type Login = { readonly token: string; readonly sessionId: string; readonly account: AccountRow };
export type LoginOutcome =
  | ({ readonly kind: 'in' } & Login)
  | { readonly kind: 'refused' }
  | { readonly kind: 'slow-down'; readonly waitMs: number };

export type RedeemOutcome =
  | ({ readonly kind: 'in' } & Login)
  /** Unknown, used, expired, or of no use since there is an admin. */
  | { readonly kind: 'invalid' }
  | { readonly kind: 'username-missing' }
  | { readonly kind: 'username-taken' }
  | { readonly kind: 'slow-down'; readonly waitMs: number };

export type AuthOptions = {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: { warn(facts: object, message: string): void; info(facts: object, message: string): void };
  /** Cheaper in tests. */
  readonly cost?: Cost;
};

/** Long enough to read the terminal after lunch; a restart makes a new one. */
const setupValidMs = 24 * 3_600_000;
export const shortestPassword = 8;

export class Auth {
  readonly passwords: Passwords;
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #log: AuthOptions['log'];
  readonly #throttle: LoginThrottle;

  private constructor({ catalog, clock, log, cost }: AuthOptions) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#log = log;
    this.passwords = new Passwords(cost);
    this.#throttle = new LoginThrottle(clock);
  }
  static async create(options: AuthOptions): Promise<Auth> {
    const auth = new Auth(options);
    await auth.passwords.ready();
    return auth;
  }

  async login(username: string, password: string, origin: SessionOrigin): Promise<LoginOutcome> {
    const attempt = this.#throttle.attempt(usernameKey(username), origin.address);
    if (!('succeeded' in attempt)) return { kind: 'slow-down', waitMs: attempt.wait };
    const account = await this.#catalog.accounts.byUsername(username);
    // The same work whether or not there is such an account: the time it takes tells nothing.
    const right = await this.passwords.verify(password, account?.passwordHash ?? null);
    if (!account || !right) return { kind: 'refused' };
    attempt.succeeded();
    return { kind: 'in', ...(await this.#open(account, origin)) };
  }

  /** Whether somebody who is logged in knows the account's password; trying is throttled as logging in is. */
  async knowsPassword(accountId: string, password: string, address: string): Promise<{ kind: 'yes' | 'no' } | { kind: 'slow-down'; waitMs: number }> {
    const account = await this.#catalog.accounts.get(accountId);
    const attempt = this.#throttle.attempt(account?.usernameKey ?? accountId, address);
    if (!('succeeded' in attempt)) return { kind: 'slow-down', waitMs: attempt.wait };
    if (!(await this.passwords.verify(password, account?.passwordHash ?? null))) return { kind: 'no' };
    attempt.succeeded();
    return { kind: 'yes' };
  }

  async who(token: string): Promise<Who | null> {
    const open = await this.#catalog.sessions.resolve(token);
    return open && { accountId: open.accountId, username: open.username, role: open.role, sessionId: open.session.id };
  }

  async setupNeeded(): Promise<boolean> {
    return (await this.#catalog.accounts.firstAdmin()) === null;
  }

  /** The token of a new one-time link while there is no admin; links printed before stop working. */
  async setupLink(): Promise<{ token: string; expiresAt: number } | null> {
    if (!(await this.setupNeeded())) return null;
    const token = newToken();
    const expiresAt = this.#clock.wall() + setupValidMs;
    await this.#catalog.links.add('setup', hashToken(token), expiresAt);
    return { token, expiresAt };
  }

  /** Uses a one-time link: makes the first admin, or gives the admin a new password. */
  async redeem(token: string, username: string | undefined, password: string, origin: SessionOrigin): Promise<RedeemOutcome> {
    const { links, accounts } = this.#catalog;
    const link = (await links.find(token)) ?? (await this.#takeInReset(token));
    // A right link always works: strangers who try wrong ones must not be able to lock its owner out.
    if (!link) {
      const attempt = this.#throttle.attempt('(one-time link)', origin.address);
      return 'succeeded' in attempt ? { kind: 'invalid' } : { kind: 'slow-down', waitMs: attempt.wait };
    }
    const admin = await accounts.firstAdmin();
    if (admin) {
      if (link.kind === 'setup') return { kind: 'invalid' };
      if (!(await links.redeemReset(token, admin.id, await this.passwords.hash(password)))) return { kind: 'invalid' };
      await dropReset(this.#catalog.folder);
      this.#log.warn({ account: admin.id }, 'The admin got a new password by a one-time link.');
      return { kind: 'in', ...(await this.#open(admin, origin)) };
    }
    if (username === undefined || !isUsername(username)) return { kind: 'username-missing' };
    return this.#makeFirstAdmin(token, username, password, origin);
  }

  async #makeFirstAdmin(token: string, username: string, password: string, origin: SessionOrigin): Promise<RedeemOutcome> {
    const passwordHash = await this.passwords.hash(password);
    try {
      const account = await this.#catalog.links.redeemSetup(token, username, passwordHash);
      if (!account) return { kind: 'invalid' };
      await dropReset(this.#catalog.folder);
      return { kind: 'in', ...(await this.#open(account, origin)) };
    } catch (error) {
      if (isTaken(error, 'accounts.usernameKey')) return { kind: 'username-taken' };
      throw error;
    }
  }

  /** The password from the configuration: the account `admin` has it, and is an admin, whatever was before. */
  async ensureAdmin(password: string): Promise<void> {
    const { accounts } = this.#catalog;
    const account = await accounts.byUsername('admin');
    if (password.length < shortestPassword) this.#log.warn({}, 'The password of the admin in the configuration is very short.');
    if (!account) {
      await accounts.create({ username: 'admin', role: 'admin', passwordHash: await this.passwords.hash(password) });
      return;
    }
    if (account.role !== 'admin') await accounts.update(account.id, { role: 'admin' });
    // The same password is not set again: that would log everybody out at each start.
    if (await this.passwords.verify(password, account.passwordHash)) return;
    await accounts.update(account.id, { passwordHash: await this.passwords.hash(password) });
    this.#log.info({ account: account.id }, 'The admin got the password from the configuration.');
  }

  async #takeInReset(token: string): Promise<{ kind: 'reset' } | null> {
    const request = await waitingReset(this.#catalog.folder);
    if (!request || request.tokenHash !== hashToken(token) || request.expiresAt <= this.#clock.wall()) return null;
    await this.#catalog.links.add('reset', request.tokenHash, request.expiresAt);
    return (await this.#catalog.links.find(token)) ? { kind: 'reset' } : null;
  }

  async #open(account: AccountRow, origin: SessionOrigin): Promise<Login> {
    const { session, token } = await this.#catalog.sessions.create(account.id, origin);
    return { token, sessionId: session.id, account };
  }
}
