/** What the progressive view says to a presentation of which it can make no file. */

export type ProgressiveErrorCode =
  | 'invalid' // a fragment that is not what its log says
  | 'empty' // nothing to put into the file
  | 'limit'; // more samples than a file is built for

export class ProgressiveError extends Error {
  override readonly name = 'ProgressiveError';
  readonly code: ProgressiveErrorCode;

  constructor(code: ProgressiveErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
