/** What went wrong with a request, as the server tells it (RFC 9457), and the words that a person gets. */
import type { PlainKey } from '../words/fill.ts';

export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** How long the server wants to be left alone; null: it did not say. */
  readonly retryAfterMs: number | null;
  /** Those of the form that it is about. */
  readonly fields: readonly string[];

  /** Status 0: the server was not reached at all. */
  constructor(status: number, code: string, detail: string, retryAfterMs: number | null = null, fields: readonly string[] = []) {
    super(`${status} ${code}${detail === '' ? '' : `: ${detail}`}`);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfterMs = retryAfterMs;
    this.fields = fields;
  }

  /** There is no such thing, or not for this person, or the address cannot be one: to a page all the same. */
  get hidden(): boolean {
    return this.status === 400 || this.status === 403 || this.status === 404;
  }

  static from(error: unknown): ApiProblem {
    if (error instanceof ApiProblem) return error;
    return new ApiProblem(0, 'unexpected', error instanceof Error ? error.message : String(error));
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const fieldsOf = (errors: unknown): readonly string[] =>
  Array.isArray(errors) ? errors.map((error: unknown) => (typeof error === 'object' && error !== null && 'field' in error ? text(error.field) : '')) : [];

/** The body may be a problem document, some proxy's HTML, or nothing. */
export const problemOf = (status: number, body: unknown, retryAfterMs: number | null = null): ApiProblem => {
  const fields: Record<string, unknown> = typeof body === 'object' && body !== null ? { ...body } : {};
  const code = text(fields.code) || `http-${status}`;
  return new ApiProblem(status, code, text(fields.detail) || text(fields.title), retryAfterMs, fieldsOf(fields.errors));
};

export const byCode: Readonly<Record<string, PlainKey>> = {
  unreachable: 'problem.unreachable',
  'name-taken': 'problem.nameTaken',
  'name-reserved': 'create.name.reserved',
  'username-taken': 'problem.usernameTaken',
  'login-failed': 'problem.credentials',
  'link-invalid': 'problem.setupToken',
  'not-live': 'problem.notLive',
  'grant-malformed': 'problem.linkBroken',
  'grant-key-unknown': 'problem.linkBroken',
  'grant-signature': 'problem.linkBroken',
  'grant-other-video': 'problem.linkBroken',
  'grant-other-channel': 'problem.linkBroken',
  'grant-other-audience': 'problem.linkBroken',
  'grant-other-network': 'problem.linkElsewhere',
  'grant-other-device': 'problem.linkElsewhere',
  'grant-blocked': 'problem.linkElsewhere',
  'grant-not-yet': 'problem.linkNotYet',
  'grant-expired': 'problem.linkExpired',
  'grant-revoked': 'problem.linkRevoked',
  'grant-void': 'problem.linkRevoked',
  'too-many-streams': 'problem.tooManyStreams',
  'stream-stopped': 'problem.streamStopped',
  'too-many-keys': 'problem.tooManyKeys',
  'too-many-grants': 'problem.tooManyLinks',
  busy: 'problem.busy',
  'too-large': 'problem.uploadTooLarge',
  'quota-exceeded': 'problem.quota',
  'disk-full': 'problem.diskFull',
  'no-room': 'problem.diskFull',
  'upload-over': 'problem.uploadOver',
  'too-many-uploads': 'problem.tooManyUploads',
  'address-not-allowed': 'problem.addressNotAllowed',
  'video-is-live': 'problem.videoIsLive',
  'not-playable': 'problem.notPlayable',
  'not-available': 'problem.notAvailable',
  'job-over': 'problem.jobOver',
  'job-not-failed': 'problem.jobNotFailed',
  'not-a-picture': 'posters.unreadable',
  'picture-too-large': 'posters.tooManyPixels',
  'cbcs-not-carried': 'protection.notCarried',
  'last-admin': 'problem.lastAdmin',
  'password-wrong': 'problem.passwordWrong',
};

/** Codes first, then what the status alone can say. */
export const wordsFor = (problem: ApiProblem): PlainKey => {
  const known = Object.hasOwn(byCode, problem.code) ? byCode[problem.code] : undefined;
  if (known) return known;
  if (problem.status === 400 || problem.status === 422) return 'problem.invalid';
  if (problem.status === 401) return 'problem.signIn';
  if (problem.status === 403) return 'problem.forbidden';
  if (problem.status === 404) return 'problem.notFound';
  if (problem.status === 409) return 'problem.conflict';
  if (problem.status === 413) return 'problem.tooLarge';
  if (problem.status === 429) return 'problem.tooMany';
  if (problem.status >= 500) return 'problem.server';
  return 'problem.unexpected';
};
