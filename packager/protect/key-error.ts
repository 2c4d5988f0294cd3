export type KeyErrorCode =
  /** Whoever makes the keys did not answer in time. */
  | 'late'
  /** He answered that there are none, or could not be reached. */
  | 'failed'
  /** What he answered is no key, or cannot be told to players. */
  | 'unusable';

/** There is no key where one is needed. It costs the video that it is for, until he is asked again. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
  readonly code: KeyErrorCode;

  constructor(code: KeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
