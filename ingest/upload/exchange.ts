/**
 * One request and its answer. Whoever holds an address may use it from any page, so every answer may be read from any
 * origin, refusals too.
 *
 * A refusal often comes while the body is still on its way. Where a server answers and closes, the rest of the body is
 * answered with a reset that takes the answer along, and the client sees a broken connection. So the answer goes out at once
 * and whole, the connection stays, and what is left of the body is read and thrown away; only a body that goes on for too
 * long ends with the connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../packager/clock.ts';
import type { UploadLimits } from './limits.ts';
import { problemDocument, type Problem } from './problems.ts';
import { letGo } from './body.ts';
import { tusAlgorithms } from './digest-fields.ts';

export type Headers = Readonly<Record<string, string>>;

const common: Headers = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Upload-Offset, Upload-Length, Upload-Expires, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Checksum-Algorithm, Want-Content-Digest, Retry-After, Allow, Date',
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

const methods = 'GET, HEAD, OPTIONS, PATCH, PUT, POST, DELETE';

/** What a browser asks ahead, and what a tus client asks (tus 1.0, OPTIONS). */
export const optionsHeaders: Headers = {
  'access-control-allow-methods': methods,
  // The star stands for whatever else a client's library adds; it does not cover Authorization.
  'access-control-allow-headers':
    'Content-Type, Content-Digest, Tus-Resumable, Upload-Offset, Upload-Length, Upload-Checksum, Upload-Metadata, X-Requested-With, X-Request-ID, X-HTTP-Method-Override, Authorization, *',
  'access-control-max-age': '86400',
  'tus-resumable': '1.0.0',
  'tus-version': '1.0.0',
  'tus-extension': 'checksum,expiration,termination',
  'tus-checksum-algorithm': tusAlgorithms,
  allow: methods,
};

export type ExchangeParts = {
  readonly clock: Clock;
  readonly limits: UploadLimits;
  /** For clients that ask before they send (`Expect: 100-continue`). Null: it has been said, or nobody asked. */
  readonly invite: (() => void) | null;
  /** Nobody has time for what is left of bodies. */
  readonly stopping: () => boolean;
};

const drainWhenStoppingMs = 500;

export class Exchange {
  readonly request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #p: ExchangeParts;
  #invited: boolean;
  #hurry: () => void = () => undefined;
  /** Headers of every answer to this request. */
  also: Headers = {};

  constructor(request: IncomingMessage, response: ServerResponse, parts: ExchangeParts) {
    this.request = request;
    this.#response = response;
    this.#p = parts;
    this.#invited = parts.invite === null;
  }

  get method(): string {
    return this.request.method ?? '';
  }
  get answered(): boolean {
    return this.#response.headersSent;
  }
  /** Nobody is there any more. */
  get left(): boolean {
    return this.#response.destroyed;
  }

  /** Null: it is not there. Several of one name are joined by Node, which makes them malformed where one is meant. */
  header(name: string): string | null {
    const value = this.request.headers[name];
    return typeof value === 'string' ? value : (value?.join(', ') ?? null);
  }

  /** From now on the body is wanted. */
  invite(): void {
    if (this.#invited) return;
    this.#invited = true;
    this.#p.invite?.();
  }

  problem(problem: Problem): void {
    const body = problemDocument(problem);
    const retry: Headers = problem.retryAfter === undefined ? {} : { 'retry-after': String(problem.retryAfter) };
    this.answer(problem.status, { 'content-type': 'application/problem+json', ...retry, ...problem.headers }, body);
  }

  json(status: number, document: unknown): void {
    this.answer(status, { 'content-type': 'application/json' }, JSON.stringify(document));
  }

  answer(status: number, headers: Headers, body = ''): void {
    if (this.answered || this.left) return;
    const length: Headers = status === 204 ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    this.#response.writeHead(status, { ...common, ...length, ...this.also, ...headers });
    const text = this.method === 'HEAD' ? '' : body;
    if (!this.#bodyComes) {
      this.#response.end(text);
      return;
    }
    if (text === '') this.#response.flushHeaders();
    else this.#response.write(text);
    void this.drain(this.#p.stopping() ? drainWhenStoppingMs : this.#p.limits.drainMs).then((over) => (over ? this.#response.end() : this.break()));
  }

  /** Reads what is left of the body, in this time; false: it goes on. */
  drain(ms: number): Promise<boolean> {
    if (!this.#bodyComes) return Promise.resolve(true);
    const { request } = this;
    let left = this.#p.limits.drainBytes;
    return new Promise((resolve) => {
      const end = (over: boolean): void => {
        cancel();
        request.off('data', count);
        resolve(over);
      };
      const cancel = this.#p.clock.after(ms, () => end(false));
      this.#hurry = () => end(false);
      const count = (data: Buffer): void => {
        left -= data.length;
        letGo(data);
        if (left < 0) end(false);
      };
      request.on('data', count);
      request.once('end', () => end(true));
      request.once('close', () => end(true));
      request.on('error', () => end(true));
      request.resume();
    });
  }

  /** Nobody waits for the rest of a body any more. */
  hurry(): void {
    this.#hurry();
  }

  /** There is only this way left to say that something is wrong. */
  break(): void {
    this.request.destroy();
  }

  /** Some of it has not been read. A client that asked ahead and was not told to go on sends none. */
  get #bodyComes(): boolean {
    const { headers, complete } = this.request;
    if (complete || this.left || !this.#invited) return false;
    return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  }
}
