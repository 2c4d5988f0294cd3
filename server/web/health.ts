/** /healthz, /readyz, /metrics: for whoever watches the server. No rate limit stands before them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

export type HealthOptions = {
  /** Why the server should get no traffic; empty: it is ready. */
  readonly notReady: () => readonly string[];
  readonly facts: () => Readonly<Record<string, unknown>>;
  /** Null: no metrics. */
  readonly metrics: Registry | null;
  readonly failed: (error: unknown) => void;
};

const answer = (response: ServerResponse, status: number, body: string, type = 'application/json; charset=utf-8'): void => {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(body);
};

/** True: it was one of ours, and is answered. */
export const healthHandler = ({ notReady, facts, metrics, failed }: HealthOptions) => (path: string, _request: IncomingMessage, response: ServerResponse): boolean => {
  if (path === '/healthz') {
    answer(response, 200, '{"alive":true}');
    return true;
  }
  if (path === '/readyz') {
    const reasons = notReady();
    answer(response, reasons.length === 0 ? 200 : 503, JSON.stringify({ ready: reasons.length === 0, reasons, ...facts() }));
    return true;
  }
  if (path === '/metrics' && metrics) {
    metrics.metrics().then(
      (text) => answer(response, 200, text, metrics.contentType),
      (error: unknown) => {
        failed(error);
        answer(response, 500, '{"title":"The metrics could not be gathered."}');
      },
    );
    return true;
  }
  return false;
};
