/** What may go wrong below a request that was in order. */
export type UploadFaultCode =
  /** No room on the disk: nothing of these bytes is claimed. */
  | 'disk-full'
  /** The disk failed: what it may have lost is claimed no more. */
  | 'disk-failed'
  /** More files are open than may be. */
  | 'crowded'
  /** Whole or removed meanwhile: nobody writes to it any more. */
  | 'over';

export class UploadFault extends Error {
  override readonly name = 'UploadFault';
  readonly code: UploadFaultCode;
  constructor(code: UploadFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const noRoom = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export const diskFault = (error: unknown): UploadFault => {
  if (error instanceof UploadFault) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return noRoom.has(code) ? new UploadFault('disk-full', 'the disk is full', { cause: error }) : new UploadFault('disk-failed', 'the disk failed', { cause: error });
};
