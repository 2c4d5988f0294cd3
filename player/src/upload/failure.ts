/** Why an upload cannot go on, as its item tells it. */
import type { ApiProblem } from '../api/problem.ts';
import { Unreadable } from './digest.ts';
import type { UploadReason } from './types.ts';

export class UploadFailure extends Error {
  readonly reason: UploadReason;
  readonly detail: string;
  /** It can go on where it is, when somebody has mended what is in the way. */
  readonly again: boolean;

  constructor(reason: UploadReason, detail = '', again = false) {
    super(`${reason}${detail === '' ? '' : `: ${detail}`}`);
    this.name = 'UploadFailure';
    this.reason = reason;
    this.detail = detail;
    this.again = again;
  }
}

/** Passes by itself: asked again after a while. */
export const passes = ({ status, code }: ApiProblem): boolean => {
  if (status === 507) return false;
  return code === 'unreachable' || code === 'idempotency-under-way' || [408, 425, 429].includes(status) || status >= 500;
};

const byCode: Readonly<Record<string, { readonly reason: UploadReason; readonly again: boolean }>> = {
  'too-large': { reason: 'too-large', again: false },
  'quota-exceeded': { reason: 'quota-exceeded', again: true },
  'too-many-uploads': { reason: 'too-many', again: true },
  'disk-full': { reason: 'disk-full', again: true },
};

export const failureOf = (problem: ApiProblem): UploadFailure => {
  const { status, code, detail } = problem;
  const known = Object.hasOwn(byCode, code) ? byCode[code] : undefined;
  if (known) return new UploadFailure(known.reason, detail, known.again);
  if (status === 507) return new UploadFailure('disk-full', detail, true);
  if (status === 401) return new UploadFailure('signed-out', detail, true);
  if (status === 403 || code === 'not-available') return new UploadFailure('not-allowed', detail, true);
  if (status === 404 || status === 410) return new UploadFailure('gone', detail);
  return new UploadFailure('unexpected', problem.message, true);
};

/** Null: a mistake of this program, for the console. */
export const knownFailure = (error: unknown): UploadFailure | null => {
  if (error instanceof UploadFailure) return error;
  return error instanceof Unreadable ? new UploadFailure('file-unreadable', error.message) : null;
};
