/** What a log tells its owner of, besides what it answers: for the log file, the metrics and the studio. */
import { LogError } from './types.ts';

export type LogFault = {
  /**
   * write: a fragment could not be written, its extent is sealed · stall: a write takes too long, fragments stay
   * in memory · hole: a fragment was lost to the recording · sync: the disk could not promise that data will
   * last · corrupt: stored bytes are not what was written · index: the index file could not be used (it will be
   * rebuilt) · cleanup: closing or unlinking failed.
   */
  readonly kind: 'write' | 'stall' | 'hole' | 'sync' | 'corrupt' | 'index' | 'cleanup';
  readonly message: string;
  readonly cause?: unknown;
};

export type OnFault = (fault: LogFault) => void;

/** Errors of the operating system leave the log as its own. */
export function asLogError(error: unknown, what: string): LogError {
  if (error instanceof LogError) return error;
  const code = codeOf(error);
  const why = error instanceof Error ? error.message : String(error);
  return new LogError(code === 'ENOENT' ? 'gone' : 'io', `${what}: ${why}`, { cause: error });
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
