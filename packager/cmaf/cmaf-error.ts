/** What the CMAF reader says to bytes that it cannot take, and the writer to values that no box can hold. */

export type CmafErrorCode =
  | 'truncated' // a size points past the end
  | 'invalid' // against ISO 14496-12 or CMAF
  | 'unsupported' // legal, but not what a track of CMAF looks like
  | 'limit' // larger or more numerous than anything real
  | 'range'; // a value does not fit its field

export class CmafError extends Error {
  override readonly name = 'CmafError';
  readonly code: CmafErrorCode;

  constructor(code: CmafErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
