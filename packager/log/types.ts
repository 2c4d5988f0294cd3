/**
 * The track log as its users see it. Two implementations stand behind the reader: the extents on disk
 * (`extents`), and later the virtual log over an original MP4. `conformance.ts` holds what both must do.
 */

export type FragmentFlags = {
  /** Decoding can start here. */
  readonly key: boolean;
  /** First fragment of a segment. */
  readonly segmentStart: boolean;
  /** A declared hole: no bytes, only time. */
  readonly gap: boolean;
  /** Events (emsg boxes) lie ahead of its moof: only of such fragments must the head be read when a log is opened again. */
  readonly events?: true;
};

/** What the writer is given with a fragment's bytes. Ticks are of the track's timescale. */
export type FragmentFacts = FragmentFlags & {
  readonly dts: number;
  readonly firstPts: number;
  readonly duration: number;
};

/** What the index knows of a fragment. */
export type FragmentEntry = FragmentFacts & {
  /** Counts from 0 without holes over the log's whole life. */
  readonly seq: number;
  readonly epoch: number;
  readonly size: number;
  /** Held in memory only, because the disk failed or was slow when it came. */
  readonly volatile: boolean;
};

/** The facts of an epoch, stored in the log ahead of its first fragment. */
export type EpochFacts = {
  readonly epoch: number;
  readonly timescale: number;
  /** Wall clock of the first media, ms since 1970. */
  readonly wallClock: number;
  /** Media time at which the epoch starts. */
  readonly start: number;
  /** Ticks that composition offsets were reduced by, so that first PTS equals first DTS. */
  readonly reorderDelay: number;
  readonly codecString: string;
  /** Under which run id its files are named; empty in logs from before there was one for each start. */
  readonly run: string;
  readonly init: Buffer;
};

/**
 * Which of two tellings of epochs is the later one. One may be told twice: as long as its encoder has made nothing its init is
 * empty, and nothing but holes belongs to it; then it is told again, with an init, and that holds.
 */
export const rankOf = ({ epoch, init }: Pick<EpochFacts, 'epoch' | 'init'>): number => 2 * epoch + (init.length > 0 ? 1 : 0);

/** Each epoch once, as it was told last. */
export const withEpoch = (epochs: readonly EpochFacts[], facts: EpochFacts): EpochFacts[] => {
  const known = epochs.find(({ epoch }) => epoch === facts.epoch);
  if (known && rankOf(known) >= rankOf(facts)) return [...epochs];
  return [...epochs.filter(({ epoch }) => epoch !== facts.epoch), facts].sort((a, b) => a.epoch - b.epoch);
};

export type LogStats = { readonly bytes: number; readonly extents: number; readonly volatileBytes: number; readonly failed: boolean };

/** One owner writes; `append` is announced to nobody until it has returned. */
export interface TrackLogWriter {
  readonly reader: TrackLogReader;
  /**
   * Must be called before the first fragment, and for every new configuration. Epoch numbers only rise; one without an init, of
   * which there are only holes, may be told again with one.
   */
  beginEpoch(facts: EpochFacts): Promise<void>;
  /**
   * Resolves when the bytes have been handed to the operating system (they then survive kill -9), or sit in
   * the bounded volatile store because the disk would not take them. `data` may be several buffers.
   */
  append(facts: FragmentFacts, data: readonly Buffer[]): Promise<FragmentEntry>;
  /** Everything appended so far is on the platter, or the log is marked failed. */
  sync(): Promise<void>;
  /** Unlinks whole extents that hold only fragments before `seq`. Returns the first seq that is still there. */
  trim(seq: number): Promise<number>;
  stats(): LogStats;
  close(): Promise<void>;
}

/** A consistent view of the index at one moment: later appends do not change it. */
export interface LogSnapshot {
  /** First seq still stored, and one past the last. */
  readonly first: number;
  readonly end: number;
  entry(seq: number): FragmentEntry;
  readonly epochs: readonly EpochFacts[];
}

export interface TrackLogReader {
  snapshot(): LogSnapshot;
  /**
   * Bytes of the fragments [from, to), in order, without the headers between them; one read of the disk
   * where they lie together. Rejects with a LogError when one of them is not (or no longer) there.
   */
  read(from: number, to: number): Promise<Buffer[]>;
  /** As `read`, and every fragment's CRC has been checked. For cache fills. */
  readChecked(from: number, to: number): Promise<Buffer[]>;
  /**
   * The first `bytes` bytes of each of the fragments [from, to) (all of a shorter one), unchecked: what a fragment is
   * made of stands there, and of a long recording nobody wants to read the media for it.
   */
  readHeads(from: number, to: number, bytes: number): Promise<Buffer[]>;
  close(): Promise<void>;
}

export type LogErrorCode = 'gone' | 'not-yet' | 'corrupt' | 'io' | 'closed' | 'out-of-order';

export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;
  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Its bytes are damaged or not there any more: whoever reads it goes on with what follows. A disk that does not answer now may do so later. */
export const isLost = (error: unknown): boolean => error instanceof LogError && (error.code === 'corrupt' || error.code === 'gone');

/** The file calls that a log makes, so that a test can make the n-th one fail. */
export interface Disk {
  mkdir(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
  open(path: string, mode: 'read' | 'append' | 'create'): Promise<DiskFile>;
  unlink(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes new names in the folder durable. */
  syncFolder(path: string): Promise<void>;
  /** Bytes free and bytes in all on the disk that holds the path. */
  space(path: string): Promise<{ free: number; total: number }>;
}

export interface DiskFile {
  size(): Promise<number>;
  /** Reads exactly `length` bytes at `offset`, or fewer at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>;
  /** Writes all buffers at `offset`, or rejects; a short write is a rejection. */
  write(offset: number, data: readonly Buffer[]): Promise<void>;
  truncate(size: number): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}
