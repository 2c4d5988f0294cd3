/** One way to ask the server: JSON or a file in, JSON out, every failure an ApiProblem. The session is a cookie. */
import { retryAfterMs } from '../lib/retry-after.ts';
import { ApiProblem, problemOf } from './problem.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const base = '/api/v1';

/** A proxy may answer with HTML; then the status is all that there is to know. */
const jsonOf = async (response: Response): Promise<unknown> => {
  try {
    return await response.json();
  } catch {
    return null;
  }
};

export type AskOptions = {
  /** The same question under the same key has one effect, however often it is asked. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** Of a link that was handed on: never in the address, which proxies write down. */
  readonly grant?: string | undefined;
};

export const ask = async <T>(method: Method, path: string, body?: unknown, options: AskOptions = {}): Promise<T> => {
  let response: Response;
  try {
    response = await fetch(base + path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': body instanceof Blob ? body.type || 'application/octet-stream' : 'application/json' }),
        ...(options.grant === undefined ? {} : { 'millrace-grant': options.grant }),
        ...(options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey }),
      },
      ...(options.signal ? { signal: options.signal } : {}),
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
    });
  } catch (error) {
    throw new ApiProblem(0, 'unreachable', error instanceof Error ? error.message : '');
  }
  if (!response.ok) {
    const wait = retryAfterMs(response.headers.get('retry-after'), Date.now());
    throw problemOf(response.status, await jsonOf(response), wait);
  }
  // 204 and an empty answer carry no value; whoever asks for one of these types says so with T = void.
  return (response.status === 204 ? undefined : await jsonOf(response)) as T;
};
