/** How bytes go out in a browser. fetch does not tell how far a body is; XMLHttpRequest does. */
import { ApiProblem, problemOf } from '../api/problem.ts';
import { interruptible } from '../lib/interruptible.ts';
import { retryAfterMs } from '../lib/retry-after.ts';

export type Answer = {
  /** 0: nothing came back. */
  readonly status: number;
  readonly retryAfterMs: number | null;
  /** JSON, or null. */
  readonly body: unknown;
};

export type Sending = {
  readonly url: string;
  readonly body: ArrayBuffer;
  readonly digest: string;
  /** Bytes of it that are out. */
  progress(bytes: number): void;
};

export interface Wire {
  /** Throws Stopped only. */
  put(sending: Sending, signal: AbortSignal): Promise<Answer>;
  /** Throws ApiProblem. */
  ask<T>(method: 'GET' | 'POST', url: string, signal: AbortSignal): Promise<T>;
}

/**
 * The addresses name the server as the world sees it. This page may have come by another name, and its policy lets it
 * talk only to where it came from, which is the same server.
 */
const fromHere = (url: string): string => {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null; // some proxy's page
  }
};

const nothing: Answer = { status: 0, retryAfterMs: null, body: null };

export const browserWire: Wire = {
  put: ({ url, body, digest, progress }, signal) =>
    interruptible<Answer>(signal, (resolve) => {
      const request = new XMLHttpRequest();
      request.open('PUT', fromHere(url));
      request.setRequestHeader('content-type', 'application/octet-stream');
      request.setRequestHeader('content-digest', digest);
      request.upload.onprogress = (event) => progress(event.loaded);
      request.onload = () => {
        const wait = retryAfterMs(request.getResponseHeader('retry-after'), Date.now());
        resolve({ status: request.status, retryAfterMs: wait, body: parsed(request.responseText) });
      };
      request.onerror = () => resolve(nothing);
      request.onabort = () => resolve(nothing);
      request.send(body);
      return () => request.abort();
    }),
  async ask<T>(method: 'GET' | 'POST', url: string, signal: AbortSignal): Promise<T> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(fromHere(url), { method, cache: 'no-store', signal, headers: { accept: 'application/json' } });
      text = await response.text();
    } catch (error) {
      throw new ApiProblem(0, 'unreachable', String(error));
    }
    if (response.ok) return parsed(text) as T;
    const wait = retryAfterMs(response.headers.get('retry-after'), Date.now());
    throw new AskProblem(response.status, parsed(text), wait);
  },
};

/** With the document: some carry more than words. */
export class AskProblem extends ApiProblem {
  readonly document: unknown;

  constructor(status: number, document: unknown, wait: number | null) {
    const { code, detail } = problemOf(status, document);
    super(status, code, detail, wait);
    this.document = document;
  }
}
