/** What the answer to a part means. */
import { problemOf } from '../api/problem.ts';
import { failureOf, passes, UploadFailure } from './failure.ts';
import type { Answer } from './wire.ts';

export type Meaning =
  | { readonly is: 'landed' }
  /** Too many bytes for something on the way. */
  | { readonly is: 'too-large' }
  /** It passes by itself. */
  | { readonly is: 'trouble'; readonly waitMs: number | null }
  /** It arrived, and was not what was sent. */
  | { readonly is: 'damaged' }
  /** The address does not work (any more). */
  | { readonly is: 'refused' }
  /** Another part has it, or all of it is there: the server's own account says which. */
  | { readonly is: 'ask' }
  | { readonly is: 'failed'; readonly failure: UploadFailure };

export const meaningOf = ({ status, body, retryAfterMs }: Answer): Meaning => {
  if (status === 0) return { is: 'trouble', waitMs: null };
  if (status >= 200 && status < 300) return { is: 'landed' };
  const problem = problemOf(status, body);
  const { code, detail } = problem;
  if (status === 413) return { is: 'too-large' };
  if (code === 'digest-mismatch') return { is: 'damaged' };
  if (passes(problem)) return { is: 'trouble', waitMs: retryAfterMs };
  if (status === 507) return { is: 'failed', failure: failureOf(problem) };
  if ([401, 403, 404, 410].includes(status)) return { is: 'refused' };
  if (status === 409) return { is: 'ask' };
  if (status === 422) return { is: 'failed', failure: new UploadFailure('not-usable', detail) };
  return { is: 'failed', failure: new UploadFailure('unexpected', problem.message, true) };
};
