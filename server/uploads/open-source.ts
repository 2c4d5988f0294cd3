/**
 * Asks an address for a file, or for what is missing of it, and follows where it is sent on to. Every step is judged
 * anew; nobody's proxy, cookies or compression come into it. What comes back is the head of an answer and its bytes.
 */
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock } from '../../packager/clock.ts';
import type { FailureCode } from '../intake/types.ts';
import { version } from '../version.ts';
import { ImportError } from './import-error.ts';
import { literalOf, type SourceGuard } from './source-guard.ts';

export type Wanted = {
  readonly url: URL;
  /** Bytes that are there already. */
  readonly from: number;
  /** What the file was known by when they came; null: by nothing. */
  readonly validator: string | null;
};
export type Answered = {
  /** Where in the file the bytes of this answer begin: `from`, or 0. */
  readonly from: number;
  /** Of the whole file; null: the server does not say. */
  readonly size: number | null;
  /** A strong entity tag, or when it was last changed. */
  readonly validator: string | null;
  readonly body: IncomingMessage;
};
export type SourceOptions = {
  readonly guard: SourceGuard;
  readonly clock: Clock;
  /** Until the head of each answer must have come. */
  readonly headMs: number;
  readonly signal: AbortSignal;
};

const mostRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);
/** Said again later, these may be otherwise. */
const passingStatus = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500;

export const openSource = async (wanted: Wanted, options: SourceOptions): Promise<Answered> => {
  let { url } = wanted;
  for (let hops = 0; ; hops += 1) {
    options.guard.mustBeAllowed(url);
    const response = await ask({ ...wanted, url }, options);
    const next = redirects.has(response.statusCode ?? 0) ? response.headers.location : undefined;
    if (next === undefined) return judged(response, wanted);
    response.destroy();
    if (hops === mostRedirects) throw new ImportError(`The address sends on more than ${mostRedirects} times.`, { code: 'import-contradicts' });
    if (!URL.canParse(next, url.href)) throw new ImportError('The address sends on to something that is none.', { code: 'import-contradicts' });
    url = new URL(next, url);
  }
};

const ask = ({ url, from, validator }: Wanted, { guard, clock, headMs, signal }: SourceOptions): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:';
    const headers: Record<string, string> = { 'user-agent': `Millrace/${version}`, accept: 'video/*, audio/*, */*;q=0.5', 'accept-encoding': 'identity' };
    if (from > 0) {
      headers['range'] = `bytes=${from}-`;
      if (validator !== null) headers['if-range'] = validator;
    }
    // An agent of its own: connections are neither shared nor kept, and what the environment says of proxies is for others.
    const agent = secure ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false });
    const options: RequestOptions = { method: 'GET', headers, agent, lookup: guard.lookup, signal };
    const request: ClientRequest = (secure ? httpsRequest : httpRequest)(url, options);
    const tooLate = clock.after(headMs, () => request.destroy(new ImportError('The server at this address does not answer.', { code: 'import-unreachable', passing: true })));
    request.on('error', (error) => {
      tooLate();
      reject(explained(error));
    });
    request.once('socket', (socket) =>
      // Whatever a resolver or a system did meanwhile: this is whom we talk to.
      socket.once('connect', () => {
        const { remoteAddress = '' } = socket;
        if (!guard.permits(literalOf(url) ?? url.hostname, remoteAddress)) request.destroy(new ImportError(`${url.hostname} leads to no public address.`, { code: 'import-refused' }));
      }),
    );
    request.once('response', (response) => {
      tooLate();
      resolve(response);
    });
    request.end();
  });

const judged = (response: IncomingMessage, wanted: Wanted): Answered => {
  try {
    return answered(response, wanted);
  } catch (error) {
    response.destroy();
    throw error;
  }
};

const answered = (response: IncomingMessage, { from }: Wanted): Answered => {
  const { statusCode: status = 0, headers } = response;
  if (status !== 200 && status !== 206) throw new ImportError(`The server at this address says ${status}${meaning[status] ?? ''}.`, { code: codeOf(status), passing: passingStatus(status) });
  if (/^\s*text\/html\b/i.test(headers['content-type'] ?? '')) throw new ImportError('This address leads to a page, not to a file. Take the address of the file itself.', { code: 'import-page' });
  if ((headers['content-encoding'] ?? 'identity').trim().toLowerCase() !== 'identity') throw new ImportError('The server at this address sends files in a compressed form that was not asked for.', { code: 'import-contradicts' });
  const validator = strongTag(headers.etag) ?? headers['last-modified'] ?? null;
  const length = wholeNumber(headers['content-length']);
  if (status === 200) return { from: 0, size: length, validator, body: response };
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  const size = wholeNumber(total);
  // What was not asked for, or contradicts itself, would be put into the wrong place.
  if (from === 0 || Number(first) !== from || (size !== null && Number(last) !== size - 1)) throw new ImportError('The server at this address answers with another part of the file than was asked for.', { code: 'import-contradicts' });
  return { from, size, validator, body: response };
};

const strongTag = (tag: string | undefined): string | null => (tag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(tag) ? tag : null);

const wholeNumber = (text: string | undefined): number | null => (text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null);

const refusing: ReadonlySet<number> = new Set([401, 402, 403, 407, 451]);

const codeOf = (status: number): FailureCode => (status === 404 || status === 410 ? 'import-missing' : refusing.has(status) ? 'import-forbidden' : 'import-unreachable');

const meaning: Record<number, string> = {
  401: ': it wants a login',
  403: ': it does not let this server have the file',
  404: ': there is nothing',
  410: ': the file is gone',
  429: ': it is asked too often',
  503: ': it is too busy',
};

/** Codes of the system and of OpenSSL, for people. */
const words: Record<string, string> = {
  ECONNREFUSED: 'Nobody answers at this address.',
  ECONNRESET: 'The connection broke.',
  EPIPE: 'The connection broke.',
  ETIMEDOUT: 'Nobody answers at this address.',
  EHOSTUNREACH: 'This address cannot be reached from here.',
  ENETUNREACH: 'This address cannot be reached from here.',
};

export const explained = (error: unknown): ImportError => {
  if (error instanceof ImportError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/CERT|^UNABLE_TO|SELF_SIGNED|^ERR_TLS_/.test(code)) return new ImportError('The certificate of the server at this address is not valid.', { code: 'import-unreachable', cause: error });
  if (/^HPE_|^ERR_SSL_|^EPROTO/.test(code)) return new ImportError('What answers at this address does not speak the protocol that the address names.', { code: 'import-unreachable', cause: error });
  return new ImportError(words[code] ?? 'The connection could not be made, or broke.', { code: 'import-unreachable', passing: true, cause: error });
};
