export type ProtectErrorCode =
  /** Media that cannot be protected in this way. */
  | 'unsupported'
  /** What was written is not what it should be. */
  | 'damaged';

export class ProtectError extends Error {
  override readonly name = 'ProtectError';
  readonly code: ProtectErrorCode;

  constructor(code: ProtectErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
