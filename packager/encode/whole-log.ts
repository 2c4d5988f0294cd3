/** A track log that is written in one go, and is all there on the platter or is an EncodeError: nobody watches it while it grows. */
import type { Clock } from '../clock.ts';
import { createTrackLog } from '../log/open.ts';
import type { Disk, EpochFacts, FragmentFacts, TrackLogWriter } from '../log/types.ts';
import { EncodeError } from './runs.ts';

export type WholeLogOptions = {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Nothing is in it yet. */
  readonly folder: string;
  readonly logId?: Buffer;
};

const stallMs = 60_000;

export class WholeLog {
  readonly #writer: TrackLogWriter;
  readonly #fault: () => unknown;

  private constructor(writer: TrackLogWriter, fault: () => unknown) {
    this.#writer = writer;
    this.#fault = fault;
  }

  static async create(options: WholeLogOptions): Promise<WholeLog> {
    let fault: unknown = null;
    const writer = await createTrackLog({
      ...{ ...options, stallMs, syncEveryMs: 0 },
      onFault: ({ kind, message, cause }) => {
        if (kind !== 'cleanup' && kind !== 'index') fault ??= cause ?? new Error(message);
      },
    });
    return new WholeLog(writer, () => fault);
  }

  async beginEpoch(facts: EpochFacts): Promise<void> {
    await this.#writer.beginEpoch(facts);
  }

  async append(facts: FragmentFacts, data: readonly Buffer[]): Promise<void> {
    this.#mustHold();
    await this.#writer.append(facts, data);
  }

  /** Resolves with the bytes that it takes. */
  async finish(): Promise<number> {
    await this.#writer.sync();
    const { bytes, failed, volatileBytes } = this.#writer.stats();
    if (failed || volatileBytes > 0) throw asNoRoom(this.#fault());
    this.#mustHold();
    return bytes;
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }

  #mustHold(): void {
    const fault = this.#fault();
    if (fault !== null) throw asNoRoom(fault);
  }
}

/** What a disk says when something is written to it. */
export const asNoRoom = (cause: unknown): EncodeError => {
  const full = cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
  return new EncodeError(full ? 'no-room' : 'encode-failed', full ? 'There is no room left on the disk of the server.' : 'What was made could not be written to the disk of the server.', true, { cause });
};
