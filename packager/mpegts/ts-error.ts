/** What the multiplexer says to media that no transport stream can carry. */

export type TsErrorCode =
  | 'invalid' // samples that are not what their track says
  | 'unsupported' // legal media for which MPEG-TS has no place
  | 'limit'; // larger than anything real

export class TsError extends Error {
  override readonly name = 'TsError';
  readonly code: TsErrorCode;

  constructor(code: TsErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
