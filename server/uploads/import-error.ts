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
