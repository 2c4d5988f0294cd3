/** What a codec parser says to bytes that it cannot take. The one error that leaves packager/media parsers. */

export type CodecErrorCode =
  | 'truncated' // a length points past the end
  | 'invalid' // a value that the specification forbids
  | 'unsupported' // legal, but nothing here can carry it
  | 'limit'; // larger or more numerous than anything real

export class CodecError extends Error {
  override readonly name = 'CodecError';
  readonly code: CodecErrorCode;

  constructor(code: CodecErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
