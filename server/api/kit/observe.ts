/** One line in the log and one sample for each request: by route, never by address or header, since those may hold secrets. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { Histogram, type Registry } from 'prom-client';

export const observe = (app: FastifyInstance, log: Logger, registry: Registry | undefined): void => {
  const seconds =
    registry &&
    new Histogram({
      name: 'millrace_api_request_seconds',
      help: 'Time to answer an API request, by route, method and status.',
      labelNames: ['route', 'method', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.05, 0.2, 1, 5],
      registers: [registry],
    });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? '(none)';
    const { elapsedTime: ms, statusCode: status } = reply;
    seconds?.observe({ route, method: request.method, status: String(status) }, ms / 1000);
    const facts = { route, method: request.method, status, ms: Math.round(ms), account: request.who?.accountId, address: request.ip };
    if (status >= 500) log.warn(facts, 'request');
    else log.debug(facts, 'request');
  });
};
