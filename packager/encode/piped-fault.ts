/**
 * How the end of a program that was fed is to be taken: as the doing of the machine that it ran on, which may do better the
 * next time, or as what the program itself said, which it says again.
 */
import { EncodeError } from './runs.ts';

/** It gave up, or nobody understood what came of it. */
export class SaidError extends Error {
  override readonly name = 'SaidError';
}

/** `words`: of one that ended without being told to, see `PipedFfmpeg.ended`. Null: it said so itself. */
export const faultOfMachine = (words: string): EncodeError | null => {
  const cause = new Error(words);
  // Whoever waits for a program says its signal as a number above 128.
  if (/^(SIGXCPU|152):/.test(words)) return new EncodeError('took-too-long', 'Working on it took longer than any video should.', false, { cause });
  if (/^(SIGKILL|137):/.test(words)) return new EncodeError('encode-failed', 'The machine had no memory left for it.', true, { cause });
  // It had no end: it never began.
  return words.startsWith('null:') ? notStarted(cause) : null;
};

/** Throws an EncodeError where no process can be made at all. */
export const started = <Run>(start: () => Run): Run => {
  try {
    return start();
  } catch (cause) {
    throw notStarted(cause);
  }
};

const notStarted = (cause: unknown): EncodeError => new EncodeError('encode-failed', 'Nothing can be started on this machine now.', true, { cause });
