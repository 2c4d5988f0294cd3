/** Accounts: an admin makes them; everybody may change his own password. */
import { Type } from 'typebox';
import { isTaken } from '../../catalog/errors.ts';
import type { AccountChange } from '../../catalog/accounts.ts';
import type { Who } from '../../auth/auth.ts';
import { pageAnswer, pageQuery, pageRequest } from '../kit/cursor.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { notFound, Problem } from '../kit/problem.ts';
import { accountShape, accountView, accountViews } from './account-view.ts';
import type { Ground } from './ground.ts';
import { closed, idText, password, role, rungPolicy, username } from './shapes.ts';

const change = Type.Object(
  {
    role: Type.Optional(role),
    password: Type.Optional(password),
    quota: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], {
        wants: 'bytes, 0 for no limit, or null for what the configuration says',
        description: 'How much the account may keep: bytes; 0: no limit; null: what the configuration says.',
      }),
    ),
    rungs: Type.Optional(
      Type.Union([rungPolicy, Type.Null()], {
        wants: '"eager", "on-demand", or null for what the configuration says',
        description: 'When rungs above the lowest are made of its videos: eager: at once; on-demand: when somebody asks for the video, and they go again when nobody has for a while; null: what the configuration says.',
      }),
    ),
    currentPassword: Type.Optional(Type.String({ maxLength: 256, description: 'Needed to change one’s own password.' })),
  },
  { ...closed, minProperties: 1 },
);

/** A stolen session must not be enough to take an account over. */
const proveOwn = async ({ auth }: Ground, who: Who, address: string, currentPassword: string | undefined): Promise<void> => {
  const wrong = new Problem('password-wrong', '`currentPassword` must be the password that the account has now.');
  if (currentPassword === undefined) throw wrong;
  const proof = await auth.knowsPassword(who.accountId, currentPassword, address);
  if (proof.kind === 'slow-down') throw new Problem('slow-down', 'Too many wrong passwords. Wait as long as Retry-After says.', { retryAfterMs: proof.waitMs });
  if (proof.kind === 'no') throw wrong;
};

export const accountRoutes = (ground: Ground): readonly Route[] => {
  const { auth, catalog } = ground;
  return [
    route({
      name: 'postAccount',
      summary: 'Makes an account.',
      method: 'POST',
      path: '/accounts',
      auth: 'admin',
      body: Type.Object({ username, password, role: Type.Optional(role) }, closed),
      answers: { 201: accountShape },
      problems: ['username-taken'],
      idempotent: true,
      handler: async ({ body }) => {
        const passwordHash = await auth.passwords.hash(body.password);
        try {
          const account = await catalog.accounts.create({ username: body.username, role: body.role ?? 'viewer', passwordHash });
          return { status: 201, body: await accountView(ground, account) };
        } catch (error) {
          if (isTaken(error, 'accounts.usernameKey')) throw new Problem('username-taken', 'There is an account of this name (capitals make no difference).');
          throw error;
        }
      },
    }),
    route({
      name: 'listAccounts',
      summary: 'All accounts, the newest first.',
      method: 'GET',
      path: '/accounts',
      auth: 'admin',
      query: Type.Object(pageQuery, closed),
      answers: { 200: Type.Object({ items: Type.Array(accountShape), cursor: Type.Union([Type.String(), Type.Null()]) }, closed) },
      handler: async ({ query }) => {
        const page = await catalog.accounts.list(pageRequest(query));
        return { status: 200, body: pageAnswer(page, await accountViews(ground, page.items)) };
      },
    }),
    route({
      name: 'patchAccount',
      summary: 'Changes a password (one’s own, or as an admin anybody’s; it ends the other sessions) or, as an admin, a role, how much the account may keep, and when rungs of its videos are made.',
      method: 'PATCH',
      path: '/accounts/:account',
      auth: 'viewer',
      params: Type.Object({ account: idText }),
      body: change,
      answers: { 200: accountShape },
      problems: ['not-allowed', 'password-wrong', 'last-admin', 'slow-down'],
      handler: async ({ who, params, body, origin }) => {
        const id = params.account;
        if (who.role !== 'admin' && id !== who.accountId) throw notFound('account');
        if (body.quota !== undefined && who.role !== 'admin') throw new Problem('not-allowed', 'Only an admin may change a `quota`.');
        if (body.rungs !== undefined && who.role !== 'admin') throw new Problem('not-allowed', 'Only an admin may change `rungs`.');
        if (body.role !== undefined && who.role !== 'admin') throw new Problem('not-allowed', 'Only an admin may change a `role`.');
        if (body.password !== undefined && id === who.accountId) await proveOwn(ground, who, origin.address, body.currentPassword);
        const wanted: AccountChange = {
          ...(body.role === undefined ? {} : { role: body.role }),
          ...(body.quota === undefined ? {} : { quotaBytes: body.quota }),
          ...(body.rungs === undefined ? {} : { rungs: body.rungs }),
          ...(body.password === undefined ? {} : { passwordHash: await auth.passwords.hash(body.password) }),
        };
        const outcome = await catalog.accounts.update(id, wanted, id === who.accountId ? who.sessionId : undefined);
        if (outcome === 'last-admin') throw new Problem('last-admin', 'This is the only admin: make another account an admin first.');
        const account = outcome === 'done' ? await catalog.accounts.get(id) : null;
        if (!account) throw notFound('account');
        return { status: 200, body: await accountView(ground, account) };
      },
    }),
  ];
};
