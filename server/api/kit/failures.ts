/** Every failure becomes a problem document, and only bugs become a line in the log. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CatalogError } from '../../catalog/errors.ts';
import { TurnstileFull } from '../../catalog/turnstile.ts';
import { Problem, problemType } from './problem.ts';
import { prefix } from './mount.ts';
import { restOfBody } from './rest-of-body.ts';
import type { Route } from './route.ts';

const kib = (bytes: number): string => (bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} bytes`);

type Facts = { readonly code?: unknown; readonly statusCode?: unknown };

const fromFramework = (error: Facts, bodyLimit: number): Problem | null => {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('too-large', `The body is larger than ${kib(bodyLimit)}, which is the most that this address takes.`);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem('not-json', 'Send the body as JSON, with `Content-Type: application/json`.');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Problem('malformed-request', 'The body is not as long as its Content-Length says.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new Problem('address-too-long', 'A part of the address is longer than any id or name.');
    case 'FST_ERR_BAD_URL':
      return new Problem('malformed-request', 'The address has a percent sign that does not belong to an escape.');
    default:
      return typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500
        ? new Problem('malformed-request', 'The request cannot be read.')
        : null;
  }
};

/** Null: a bug, or a broken machine. */
const asProblem = (error: unknown, bodyLimit: number): Problem | null => {
  if (error instanceof Problem) return error;
  if (error instanceof TurnstileFull || (error instanceof CatalogError && (error.code === 'busy' || error.code === 'closed'))) {
    return new Problem('busy', 'The server has too much to do right now. Try again in a moment.', { retryAfterMs: 1000 });
  }
  if (error instanceof CatalogError && error.code === 'full') return new Problem('no-room', 'The disk of the server is full: nothing was changed. Whoever runs it must make room.');
  return typeof error === 'object' && error !== null ? fromFramework(error, bodyLimit) : null;
};

const sendProblem = (reply: FastifyReply, problem: Problem): FastifyReply =>
  reply.code(problem.status).headers(problem.headers).type(problemType).send(JSON.stringify(problem.document));

export const failureAnswer = (error: unknown, request: FastifyRequest, reply: FastifyReply, bodyLimit: number): FastifyReply => {
  const problem = asProblem(error, request.routeOptions.bodyLimit ?? bodyLimit);
  if (!problem) request.log.error({ err: error, route: request.routeOptions.url }, 'A request failed.');
  return sendProblem(reply, problem ?? new Problem('internal', 'This is a mistake of the server, and it has been logged. Trying again may help.'));
};

/** Segment by segment; a parameter fits anything but nothing. */
const fits = (pattern: string, path: string): boolean => {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return wanted.length === given.length && wanted.every((part, at) => (part.startsWith(':') ? given[at] !== '' : part === given[at]));
};

export const answerFailures = (app: FastifyInstance, routes: readonly Route[], bodyLimit: number): void => {
  app.setErrorHandler(async (error, request, reply) => {
    if ((error as Facts).code === 'FST_ERR_CTP_BODY_TOO_LARGE') await restOfBody(request.raw);
    return failureAnswer(error, request, reply, bodyLimit);
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const allow = routes.filter((route) => fits(prefix + route.path, path)).map((route) => route.method);
    if (allow.length > 0) {
      const allowed = [...allow, ...(allow.includes('GET') ? ['HEAD'] : [])];
      return sendProblem(reply, new Problem('method-not-allowed', `${request.method} does nothing here; ${allowed.join(', ')} would.`, { allow: allowed }));
    }
    return sendProblem(reply, new Problem('no-such-route', 'There is nothing at this address. /api/docs lists what there is.'));
  });
};
