/** Logging in and out, and the list of places where one is logged in. */
import { Type } from 'typebox';
import type { Login } from '../../auth/auth.ts';
import { clearCookie, setCookie } from '../../auth/cookies.ts';
import { longestMs } from '../../catalog/sessions.ts';
import type { Answer, Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { notFound, Problem } from '../kit/problem.ts';
import { accountShape, accountView } from './account-view.ts';
import type { Ground } from './ground.ts';
import { closed, idText, iso, time } from './shapes.ts';

export const loggedIn = (login: Login, secure: boolean, body: object): Answer => ({
  status: 201,
  body,
  cookie: setCookie(login.token, longestMs, secure),
});

const sessionShape = Type.Object(
  { id: Type.String(), current: Type.Boolean(), createdAt: time, lastUsedAt: time, expiresAt: time, userAgent: Type.String(), address: Type.String() },
  closed,
);

export const sessionRoutes = ({ auth, catalog, config }: Ground): readonly Route[] => [
  route({
    name: 'postSession',
    summary: 'Logs in. The token is for programs (`Authorization: Bearer`); browsers get it as a cookie.',
    method: 'POST',
    path: '/sessions',
    auth: 'none',
    body: Type.Object({ username: Type.String({ minLength: 1, maxLength: 100 }), password: Type.String({ minLength: 1, maxLength: 256 }) }, closed),
    answers: { 201: Type.Object({ token: Type.String(), account: accountShape }, closed) },
    problems: ['login-failed', 'slow-down'],
    handler: async ({ body, origin, secure }) => {
      const outcome = await auth.login(body.username, body.password, origin);
      if (outcome.kind === 'slow-down') {
        throw new Problem('slow-down', 'Too many tries to log in. Wait as long as Retry-After says.', { retryAfterMs: outcome.waitMs });
      }
      if (outcome.kind === 'refused') throw new Problem('login-failed', 'The username or the password is wrong.');
      return loggedIn(outcome, secure, { token: outcome.token, account: await accountView({ catalog, config }, outcome.account) });
    },
  }),
  route({
    name: 'deleteCurrentSession',
    summary: 'Logs out.',
    method: 'DELETE',
    path: '/sessions/current',
    auth: 'viewer',
    answers: { 204: null },
    handler: async ({ who, secure }) => {
      await catalog.sessions.end(who.sessionId, who.accountId);
      return { status: 204, cookie: clearCookie(secure) };
    },
  }),
  route({
    name: 'listSessions',
    summary: 'Where the account is logged in.',
    method: 'GET',
    path: '/sessions',
    auth: 'viewer',
    answers: { 200: Type.Object({ items: Type.Array(sessionShape) }, closed) },
    handler: async ({ who }) => {
      const rows = await catalog.sessions.ofAccount(who.accountId);
      const items = rows.map(({ id, createdAt, lastUsedAt, expiresAt, userAgent, address }) => ({
        id,
        current: id === who.sessionId,
        createdAt: iso(createdAt),
        lastUsedAt: iso(lastUsedAt),
        expiresAt: iso(expiresAt),
        userAgent,
        address,
      }));
      return { status: 200, body: { items } };
    },
  }),
  route({
    name: 'deleteSession',
    summary: 'Ends one of the account’s sessions.',
    method: 'DELETE',
    path: '/sessions/:session',
    auth: 'viewer',
    params: Type.Object({ session: idText }),
    answers: { 204: null },
    handler: async ({ who, params }) => {
      if (!(await catalog.sessions.end(params.session, who.accountId))) throw notFound('session');
      return { status: 204 };
    },
  }),
  route({
    name: 'getMe',
    summary: 'The account that is logged in.',
    method: 'GET',
    path: '/me',
    auth: 'viewer',
    answers: { 200: accountShape },
    handler: async ({ who }) => {
      const account = await catalog.accounts.get(who.accountId);
      if (!account) throw notFound('account');
      return { status: 200, body: await accountView({ catalog, config }, account) };
    },
  }),
];
