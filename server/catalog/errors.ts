/** What can go wrong in the catalog, as codes that callers can act on. */

export type CatalogErrorCode =
  | 'in-use' // another process holds the data folder
  | 'from-the-future' // written by a newer version
  | 'damaged' // not a catalog, or not readable
  | 'wrong-key' // master.key is not the one this catalog was made with
  | 'unwritable' // the data folder does not let us write
  | 'full' // the disk has no room left
  | 'unique' // a value that must be unique is taken
  | 'reference' // a row that this one needs is gone
  | 'busy' // too much is waiting
  | 'closed'
  | 'failed';

export class CatalogError extends Error {
  readonly code: CatalogErrorCode;
  constructor(code: CatalogErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'CatalogError';
    this.code = code;
  }
}

/** Whether `error` says that `column` (`table.column`) holds this value already. */
export const isTaken = (error: unknown, column: string): boolean =>
  error instanceof CatalogError && error.code === 'unique' && error.message.includes(column);
