/**
 * Puts routes on fastify, with everything that is the same for all: who asks, whether a browser was tricked into
 * asking, how often, what was asked before under the same Idempotency-Key. All of that happens before a body is read.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Auth, Who } from '../../auth/auth.ts';
import { clientKey } from '../../auth/address.ts';
import type { TokenBuckets } from '../../auth/buckets.ts';
import { bearerToken, sessionCookie } from '../../auth/cookies.ts';
import { judgeOrigin } from '../../auth/same-origin.ts';
import type { AnswerStore } from '../../catalog/answers.ts';
import { baseAddress } from './base.ts';
import { FilesAtOnce, mustSendFile } from './files.ts';
import { Problem } from './problem.ts';
import { mayCall, type Answer, type RawCall, type Route } from './route.ts';

export type MountOptions = {
  readonly auth: Pick<Auth, 'who'>;
  readonly answers: AnswerStore;
  readonly limits: TokenBuckets;
  readonly publicUrl: string | null;
  /** An answer that is not as documented becomes a 500: for tests. */
  readonly checkAnswers: boolean;
};

export const prefix = '/api/v1';

declare module 'fastify' {
  interface FastifyRequest {
    who: Who | null;
  }
}

const needsLogin = 'Log in first: send the session cookie, or `Authorization: Bearer <token>` with the token that POST /api/v1/sessions answered.';

const identify = async (request: FastifyRequest, options: MountOptions): Promise<Who | null> => {
  const bearer = bearerToken(request.headers.authorization);
  if (bearer !== null) {
    const who = await options.auth.who(bearer);
    if (!who) throw new Problem('not-logged-in', 'The token is unknown, expired or ended. Log in again with POST /api/v1/sessions.');
    return who;
  }
  const cookie = sessionCookie(request.headers.cookie);
  return cookie === null ? null : options.auth.who(cookie);
};

/** A change by cookie, or a login, that another site made the browser send. */
const refuseForeign = (request: FastifyRequest, route: Route, byCookie: boolean, publicUrl: string | null): void => {
  if (route.method === 'GET') return;
  const site = request.headers['sec-fetch-site'];
  const { origin } = request.headers;
  const verdict = judgeOrigin({ origin, secFetchSite: typeof site === 'string' ? site : undefined, host: request.host, publicUrl });
  if (verdict === 'foreign' || (verdict === 'unknown' && byCookie)) {
    throw new Problem('foreign-origin', 'A request with the session cookie must come from a page of this server (its Origin header must say so). Programs use `Authorization: Bearer <token>`.');
  }
};

const admit = async (request: FastifyRequest, route: Route, options: MountOptions): Promise<void> => {
  let refusal: Problem | null = null;
  const who = await identify(request, options).catch((error: unknown) => {
    if (error instanceof Problem) refusal = error;
    else throw error;
    return null;
  });
  // Guessing tokens counts as well: by address, since nobody is known.
  const wait = options.limits.take(who ? `account ${who.accountId}` : clientKey(request.ip));
  if (wait > 0) throw new Problem('slow-down', 'Too many requests. Wait as long as Retry-After says.', { retryAfterMs: wait });
  if (refusal) throw refusal;
  const byCookie = who !== null && bearerToken(request.headers.authorization) === null;
  refuseForeign(request, route, byCookie, options.publicUrl);
  if (route.auth !== 'none' && !who) throw new Problem('not-logged-in', needsLogin);
  if (who && !mayCall(route.auth, who.role)) {
    throw new Problem('not-allowed', `This takes an account that is ${route.auth}; yours is ${who.role}.`);
  }
  request.who = who;
};

const keyShape = /^[\x21-\x7e]{1,200}$/;

/** The same key and body again: the same answer. Only what succeeded is kept; whatever failed may be tried again. */
const once = async (request: FastifyRequest, body: unknown, answers: AnswerStore, run: () => Promise<Answer>): Promise<Answer> => {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return run();
  if (typeof key !== 'string' || !keyShape.test(key)) {
    throw new Problem('validation', 'The Idempotency-Key must be 1 to 200 printable characters without spaces.', {
      errors: [{ field: 'Idempotency-Key', detail: 'must be 1 to 200 printable characters without spaces' }],
    });
  }
  const scope = digest([request.who?.accountId ?? '', request.method, request.url, key]);
  const claim = await answers.claim(scope, digest([body]));
  switch (claim.kind) {
    case 'again':
      return { ...claim.answer, headers: { 'idempotency-replayed': 'true' } };
    case 'other-body':
      throw new Problem('idempotency-mismatch', 'This Idempotency-Key came before, with another body. Take a new key for a new request.');
    case 'under-way':
      throw new Problem('idempotency-under-way', 'The same request is being worked on. Ask again in a moment.', { retryAfterMs: 1000 });
    case 'first':
      return keep(scope, answers, run);
  }
};

const keep = async (scope: string, answers: AnswerStore, run: () => Promise<Answer>): Promise<Answer> => {
  try {
    const answer = await run();
    await answers.keep(scope, { status: answer.status, body: answer.body });
    return answer;
  } catch (error) {
    await answers.release(scope);
    throw error;
  }
};

const digest = (parts: readonly unknown[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

const send = (reply: FastifyReply, { status, body, headers, cookie }: Answer): FastifyReply => {
  reply.code(status);
  if (headers) reply.headers(headers);
  if (cookie !== undefined) reply.header('set-cookie', cookie);
  if (body === undefined) return reply.send();
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(body));
};

const mount = (app: FastifyInstance, route: Route, options: MountOptions, files: FilesAtOnce): void => {
  app.route({
    method: route.method,
    url: prefix + route.path,
    ...(route.bodyLimit !== undefined && { bodyLimit: route.bodyLimit }),
    onRequest: async (request, reply) => {
      await admit(request, route, options);
      mustSendFile(request.headers['content-type'], route);
      await route.enter({ who: request.who, params: asObject(request.params) });
      if (route.bytes) files.enter(reply.raw);
    },
    handler: async (request, reply) => {
      const base = baseAddress(request, options.publicUrl);
      const raw: RawCall = {
        who: request.who,
        params: asObject(request.params),
        query: asObject(request.query),
        body: request.body,
        origin: { userAgent: request.headers['user-agent'] ?? '', address: request.ip },
        base,
        secure: base.startsWith('https:') || request.protocol === 'https',
        grant: grantHeader(request.headers['millrace-grant']),
      };
      const { body, run } = route.check(raw);
      const answer = route.idempotent ? await once(request, body, options.answers, run) : await run();
      const wrong = options.checkAnswers ? route.wrongAnswer(answer) : null;
      if (wrong !== null) throw new Error(`${route.name} answered what is not documented: ${wrong}`);
      return send(reply, answer);
    },
  });
};

/** What is longer is none, and says so as any text that is none. */
const grantHeader = (header: string | string[] | undefined): string | undefined => (typeof header === 'string' && header !== '' ? header.slice(0, 1025) : undefined);

const asObject = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});

export const mountAll = (app: FastifyInstance, routes: readonly Route[], options: MountOptions): void => {
  app.decorateRequest('who', null);
  const files = new FilesAtOnce();
  for (const type of new Set(routes.flatMap(({ bytes }) => bytes ?? []))) app.addContentTypeParser(type, { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body);
  for (const route of routes) mount(app, route, options, files);
};
