/** What one upload, and all of them together, may take of this machine. */
export type UploadLimits = {
  /** Bodies of one upload that are read, or wait to be, at once. */
  readonly bodiesOfUpload: number;
  /** And of all uploads. */
  readonly bodies: number;
  /** Requests of any kind that are being answered at once. */
  readonly requests: number;
  /** Originals whose files are open at once. */
  readonly openFiles: number;
  /** Bytes of bodies that are held in memory, waiting for the disk. */
  readonly heldBytes: number;
  /** Writes that are at the disk at once: the threads that do them also write what is live. */
  readonly writes: number;
  /** A body that brings nothing for so long is ended. */
  readonly silenceMs: number;
  /** Whoever has been silent for so long makes place for somebody who comes back for the same bytes. */
  readonly takeoverMs: number;
  /** How long somebody waits for those who write the same bytes. */
  readonly patienceMs: number;
  /** What is left of a body that was refused is read, so that the refusal is: so much of it, for so long. */
  readonly drainBytes: number;
  readonly drainMs: number;
  /** Bytes that come by tus are counted this often when they come slowly. */
  readonly lingerMs: number;
  /** What has landed is brought to the platter after so many bytes, or so long; near the end after fewer, but not after less than the least. */
  readonly syncBytes: number;
  readonly leastSyncBytes: number;
  readonly syncMs: number;
  /** Files that nobody writes to are closed after this. */
  readonly idleMs: number;
  /** Ranges that a status or a refusal lists. */
  readonly ranges: number;
};

const MiB = 2 ** 20;

export const uploadLimits: UploadLimits = {
  bodiesOfUpload: 16,
  bodies: 256,
  requests: 2_048,
  openFiles: 256,
  heldBytes: 24 * MiB,
  writes: 4,
  silenceMs: 60_000,
  takeoverMs: 2_000,
  patienceMs: 5_000,
  drainBytes: 64 * MiB,
  drainMs: 20_000,
  lingerMs: 200,
  syncBytes: 256 * MiB,
  leastSyncBytes: 16 * MiB,
  syncMs: 5_000,
  idleMs: 30_000,
  ranges: 4_096,
};

/** What has landed of parts is kept in units of so many bytes, and no part is smaller. */
export const unit = 256 * 1024;
export const largestPart = 64 * MiB;
