/** Set-up: the one-time link makes the first admin, or lets a locked-out one back in. */
import { Type } from 'typebox';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { Problem } from '../kit/problem.ts';
import type { Ground } from './ground.ts';
import { accountShape, accountView } from './account-view.ts';
import { loggedIn } from './sessions.ts';
import { closed, password, username } from './shapes.ts';

export const setupRoutes = ({ auth, ...ground }: Ground): readonly Route[] => [
  route({
    name: 'getSetup',
    summary: 'Whether this server still waits for its first admin.',
    method: 'GET',
    path: '/setup',
    auth: 'none',
    answers: { 200: Type.Object({ needed: Type.Boolean() }, closed) },
    handler: async () => ({ status: 200, body: { needed: await auth.setupNeeded() } }),
  }),
  route({
    name: 'postSetup',
    summary: 'Uses a one-time link up: the first makes the admin, one of `millrace admin reset` sets the admin’s password. Logs in.',
    method: 'POST',
    path: '/setup',
    auth: 'none',
    body: Type.Object(
      {
        token: Type.String({ minLength: 1, maxLength: 200, wants: 'the token of the one-time link' }),
        username: Type.Optional(username),
        password,
      },
      closed,
    ),
    answers: { 201: Type.Object({ token: Type.String(), account: accountShape }, closed) },
    problems: ['link-invalid', 'username-taken', 'slow-down'],
    handler: async ({ body, origin, secure }) => {
      const outcome = await auth.redeem(body.token, body.username, body.password, origin);
      switch (outcome.kind) {
        case 'in':
          return loggedIn(outcome, secure, { token: outcome.token, account: await accountView(ground, outcome.account) });
        case 'invalid':
          throw new Problem('link-invalid', 'This one-time link was used, is too old, or never was. Restarting the server prints a new one while there is no admin; after that, `millrace admin reset` does.');
        case 'username-missing':
          throw new Problem('validation', '`username` is missing: it names the first admin.', { errors: [{ field: 'username', detail: '`username` is missing.' }] });
        case 'username-taken':
          throw new Problem('username-taken', 'There is an account of this name. Take another name.');
        case 'slow-down':
          throw new Problem('slow-down', 'Too many tries. Wait as long as Retry-After says.', { retryAfterMs: outcome.waitMs });
      }
    },
  }),
];
