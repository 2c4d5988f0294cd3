/** What went wrong, as it is told to whoever sent the file: a code that pages have words for, and an English sentence. */
import { EncodeError } from '../../packager/encode/runs.ts';
import { codeOf } from '../../packager/log/faults.ts';
import { Mp4Error } from '../../packager/mp4/movie.ts';
import { JobFault, type JobHandler } from '../jobs/runner.ts';
import type { FailureCode } from './types.ts';

/** Of what is fetched from an address, `server/uploads` says what went wrong. */
type FetchCode = 'too-large' | 'quota-exceeded' | Extract<FailureCode, `import-${string}`>;

export type Failure = { readonly code: FailureCode; readonly message: string };

/** As it stands in a job that failed. */
export const reasonOf = ({ code, message }: Failure): string => `${code}: ${message}`;

/** Work that ends with words for whoever sent the file. */
export class IntakeFault extends JobFault {
  readonly failure: Failure;
  constructor(failure: Failure, recoverable: boolean | 'later' = false, options?: ErrorOptions) {
    super(reasonOf(failure), recoverable, options);
    this.failure = failure;
  }
}

const sentences: { readonly [code in Exclude<FailureCode, 'too-many-tracks' | FetchCode>]: string } = {
  'not-a-video': 'This is no video or sound in any of the forms that are taken.',
  truncated: 'The file ends too early: part of it is missing.',
  broken: 'It cannot be read: the file is damaged, or not what it says that it is.',
  encrypted: 'It is protected: its pictures and sounds are encrypted.',
  'no-media': 'There is neither a picture nor a sound in it that this server can read.',
  'picture-too-large': 'Its picture is larger than this server takes.',
  'took-too-long': 'Working on it took longer than any video should.',
  'encode-failed': 'It could not be converted.',
  'no-room': 'There is no room left on the disk of the server.',
};

export const failing = (code: keyof typeof sentences, message = sentences[code]): Failure => ({ code, message });

/** What our own index says of a file that ffmpeg need not be asked about; null: ffmpeg may know better. */
export const failureOfIndex = (error: unknown): Failure | null => {
  if (!(error instanceof Mp4Error)) return null;
  switch (error.code) {
    case 'not-mp4':
      return failing('not-a-video');
    case 'truncated':
      return failing('truncated');
    case 'encrypted':
      return failing('encrypted');
    case 'limit':
      return { code: 'too-many-tracks', message: `It has more than is taken: ${error.message}.` };
    case 'not-yet':
    case 'invalid':
    case 'unsupported':
      return null;
  }
};

/** Whatever a job ended with. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof IntakeFault) return error.failure;
  if (error instanceof EncodeError && error.code !== 'unwanted') return { code: error.code, message: error.message };
  if (['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '')) return failing('no-room');
  return failureOfIndex(error) ?? failing('encode-failed');
};

/** What may go better the next time, and does not for ever: somebody waits for their file to play. */
const fewAttempts = 3;

/** Handlers end with faults that say what to tell people, and whether there is any use in trying again. `most`: attempts that are worth it; for room it waits longer. */
export const withWords =
  (handler: JobHandler, most = fewAttempts): JobHandler =>
  async (job, context) => {
    try {
      return await handler(job, context);
    } catch (error) {
      if (context.signal.aborted || error instanceof IntakeFault) throw error;
      const failure = failureOf(error);
      const known = error instanceof EncodeError ? error.recoverable : true;
      throw new IntakeFault(failure, known && (failure.code === 'no-room' || job.attempts < most), { cause: error });
    }
  };

/** What is made behind a video that plays can wait till somebody has made room, for days, and is tried as often as its job says. */
export const withPatience =
  (handler: JobHandler): JobHandler =>
  async (job, context) => {
    try {
      return await withWords(handler, job.maxAttempts)(job, context);
    } catch (error) {
      if (error instanceof IntakeFault && error.failure.code === 'no-room') throw new IntakeFault(error.failure, 'later', { cause: error });
      throw error;
    }
  };
