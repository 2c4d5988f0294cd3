/** Why something could not be fetched: a code for programs and a sentence for whoever wanted it. */
import type { FailureCode } from '../intake/types.ts';

export class ImportError extends Error {
  override readonly name = 'ImportError';
  readonly code: FailureCode;
  /** Trying again may help. */
  readonly passing: boolean;
  constructor(message: string, { code, passing = false, cause }: { code: FailureCode; passing?: boolean; cause?: unknown }) {
    super(message, { cause });
    this.code = code;
    this.passing = passing;
  }
}

/**
 * For strangers: of what was fetched they hear what went wrong and not where, since addresses that one is sent on to may
 * be nobody's business but of whoever named the first.
 */
export const forStrangers = ({ code, message }: { readonly code: string; readonly message: string }): { readonly code: string; readonly message: string } => ({
  code,
  message: code.startsWith('import-') ? 'The file could not be fetched.' : message,
});
