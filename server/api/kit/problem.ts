/** Every way in which the API says no (RFC 9457). The code is stable and for programs, the detail is a sentence for people. */

import { foreignRefusals, type ForeignRefusal } from '../../auth/foreign-refusals.ts';
import { refusals, type RefusalCode } from '../../auth/grant-refusals.ts';

const refusedGrants = Object.fromEntries(Object.keys(refusals).map((code) => [code, [403, 'The grant does not open this'] as const])) as Record<RefusalCode, readonly [403, string]>;
const refusedTokens = Object.fromEntries(Object.keys(foreignRefusals).map((code) => [code, [403, 'The token is not taken'] as const])) as Record<ForeignRefusal, readonly [403, string]>;

/** code → [status, title] */
export const problemKinds = {
  validation: [400, 'The request does not fit the schema'],
  'malformed-json': [400, 'The body is not JSON'],
  'malformed-request': [400, 'The request cannot be read'],
  'cursor-invalid': [400, 'Not a cursor of this list'],
  'not-logged-in': [401, 'Not logged in'],
  'login-failed': [401, 'Wrong username or password'],
  'not-allowed': [403, 'Not allowed'],
  'not-yours': [403, 'Not yours'],
  'foreign-origin': [403, 'Sent from another site'],
  'link-invalid': [403, 'The one-time link does not work'],
  'password-wrong': [403, 'The current password is wrong'],
  'quota-exceeded': [403, 'More than the account may keep'],
  ...refusedGrants,
  ...refusedTokens,
  'not-found': [404, 'Not found'],
  'no-such-route': [404, 'No such address'],
  'not-live': [409, 'Not live'],
  'method-not-allowed': [405, 'Method not allowed'],
  'name-taken': [409, 'The name is taken'],
  'name-reserved': [409, 'The name is reserved'],
  'username-taken': [409, 'The username is taken'],
  'last-admin': [409, 'The last admin'],
  'too-many-keys': [409, 'Too many stream keys'],
  'key-in-use': [409, 'The key signs, or is none'],
  'too-many-grants': [409, 'Too many links'],
  'video-is-live': [409, 'The video is live'],
  'not-playable': [409, 'Not playable yet'],
  'job-over': [409, 'It is over'],
  'job-not-failed': [409, 'It has not failed'],
  'upload-over': [409, 'All of it is there'],
  'too-many-uploads': [409, 'Too many uploads are open'],
  'idempotency-under-way': [409, 'The same request is under way'],
  'too-large': [413, 'Too large'],
  'address-too-long': [414, 'The address is too long'],
  'not-json': [415, 'Not JSON'],
  'idempotency-mismatch': [422, 'The Idempotency-Key was used for something else'],
  'not-available': [422, 'Not available'],
  'not-a-picture': [422, 'Not a picture that is taken'],
  'picture-too-large': [422, 'Too many pixels'],
  'cbcs-not-carried': [422, 'Not for cbcs'],
  'address-not-allowed': [422, 'Nothing is fetched from this address'],
  'slow-down': [429, 'Too many requests'],
  internal: [500, 'Something went wrong here'],
  'jwt-keys-unavailable': [503, 'The keys of the issuer cannot be had'],
  busy: [503, 'Too busy'],
  'no-room': [507, 'The disk is full'],
  'disk-full': [507, 'No room for this file'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof problemKinds;
export type FieldError = { readonly field: string; readonly detail: string };

type Extra = { readonly errors?: readonly FieldError[]; readonly retryAfterMs?: number; readonly allow?: readonly string[] };

export class Problem extends Error {
  readonly code: ProblemCode;
  readonly extra: Extra;
  constructor(code: ProblemCode, detail: string, extra: Extra = {}) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.extra = extra;
  }
  get status(): number {
    return problemKinds[this.code][0];
  }
  get headers(): Record<string, string> {
    const { retryAfterMs, allow } = this.extra;
    return {
      ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
      ...(allow === undefined ? {} : { allow: allow.join(', ') }),
      // RFC 9110 11.6.1: a 401 names a way to log in. Not `Basic`, which would open the browser's own dialogue.
      ...(this.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    };
  }
  get document(): Record<string, unknown> {
    const [status, title] = problemKinds[this.code];
    const { errors } = this.extra;
    return { type: `/api/docs#problem-${this.code}`, title, status, code: this.code, detail: this.message, ...(errors ? { errors } : {}) };
  }
}

export const problemType = 'application/problem+json; charset=utf-8';

export const notFound = (what: string): Problem => new Problem('not-found', `There is no such ${what}, or it is not for you to see.`);
