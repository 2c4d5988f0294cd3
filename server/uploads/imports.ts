/**
 * Imports: files that the server fetches by itself, some at once, and never so many of one account that others must wait for
 * whoever sends it slowly. Each ends as an upload does, or as a video that failed with a sentence why.
 */
import type { Clock } from '../../packager/clock.ts';
import type { Landed } from '../../ingest/upload/desk.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { FailureCode, Progress } from '../intake/types.ts';
import type { ServerLog } from '../log.ts';
import { fetchFile, fetchLimits, type FetchLimits } from './fetch-file.ts';
import { ImportError } from './import-error.ts';
import { ImportFile } from './import-file.ts';
import type { SourceGuard } from './source-guard.ts';

export type ToImport = { readonly id: string; readonly ownerId: string; readonly url: string; readonly path: string };

/** What imports need of the desk of uploads. */
export interface ImportDesk {
  landed(id: string, landed: Landed): void;
  /** It has so many bytes; null: it may. */
  sized(id: string, size: number): Promise<'quota' | 'disk' | null>;
  /** Nobody knows how many it will have, but it takes so many by now. */
  grows(id: string, bytes: number): Promise<'quota' | 'disk' | null>;
  whole(id: string): Promise<void>;
}

export type ImportsOptions = {
  readonly desk: ImportDesk;
  readonly catalog: Pick<Catalog, 'videos'>;
  readonly guard: SourceGuard;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly maxSize: number;
  readonly mostAtOnce: number;
  /** What takes longer is given up. */
  readonly timeMs: number;
  readonly limits?: Partial<FetchLimits>;
};

/** Of one account, so much of what goes at once: a source that sends next to nothing holds its place for hours. */
const shareOfAccount = 1 / 4;
/** Room for what has no size is asked for in steps. */
const step = 64 * 2 ** 20;

type Running = { readonly wanted: ToImport; readonly abort: AbortController; file: ImportFile | null; done: Promise<void> };

/** Why a fetch ends without having ended. */
class Cancelled extends Error {}

export class Imports {
  readonly #o: ImportsOptions;
  readonly #waiting = new Map<string, ToImport>();
  readonly #running = new Map<string, Running>();
  #fetched = 0;
  #failed = 0;
  #stopped = false;

  constructor(options: ImportsOptions) {
    this.#o = options;
  }

  get figures(): { readonly running: number; readonly waiting: number; readonly fetched: number; readonly failed: number } {
    return { running: this.#running.size, waiting: this.#waiting.size, fetched: this.#fetched, failed: this.#failed };
  }

  add(wanted: ToImport): void {
    if (this.#stopped || this.#running.has(wanted.id)) return;
    this.#waiting.set(wanted.id, wanted);
    this.#next();
  }

  progress(id: string): Progress | null {
    const running = this.#running.get(id);
    if (!running) return this.#waiting.has(id) ? { step: 'import', done: 0 } : null;
    const size = running.file?.facts.size ?? null;
    return { step: 'import', done: size === null ? null : Math.min(1, (running.file?.bytes ?? 0) / size) };
  }

  /** Nobody writes to its file any more when this resolves. */
  async release(id: string): Promise<void> {
    this.#waiting.delete(id);
    const running = this.#running.get(id);
    running?.abort.abort(new Cancelled());
    await running?.done;
  }

  /** They go on where they are at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    await Promise.all([...this.#running.keys()].map((id) => this.release(id)));
  }

  #next(): void {
    while (!this.#stopped && this.#running.size < this.#o.mostAtOnce) {
      const wanted = this.#nextInLine();
      if (!wanted) return;
      this.#waiting.delete(wanted.id);
      const running: Running = { wanted, abort: new AbortController(), file: null, done: Promise.resolve() };
      this.#running.set(wanted.id, running);
      running.done = this.#run(running).finally(() => {
        this.#running.delete(wanted.id);
        this.#next();
      });
    }
  }

  /** Of the account that has the fewest under way; who has waited longest, among those. Null: whoever waits has enough. */
  #nextInLine(): ToImport | null {
    const fetching = Map.groupBy(this.#running.values(), ({ wanted }) => wanted.ownerId);
    const ofAccount = ({ ownerId }: ToImport): number => fetching.get(ownerId)?.length ?? 0;
    const most = Math.max(1, Math.floor(this.#o.mostAtOnce * shareOfAccount));
    let next: ToImport | null = null;
    for (const wanted of this.#waiting.values()) {
      if (ofAccount(wanted) < (next ? ofAccount(next) : most)) next = wanted;
    }
    return next;
  }

  async #run(running: Running): Promise<void> {
    const { wanted, abort } = running;
    const { clock, timeMs } = this.#o;
    const tooLong = new ImportError('It took too long to fetch this file.', { code: 'import-too-slow' });
    const cancelTimer = clock.after(timeMs, () => abort.abort(tooLong));
    try {
      await this.#fetch(running);
      await this.#o.desk.whole(wanted.id);
      this.#fetched += 1;
    } catch (error) {
      if (!(error instanceof Cancelled)) await this.#fail(wanted, error);
    } finally {
      cancelTimer();
    }
  }

  async #fetch(running: Running): Promise<void> {
    const { desk, guard, clock, maxSize, limits } = this.#o;
    const { wanted, abort } = running;
    const { id } = wanted;
    const file = await ImportFile.open(wanted.path);
    running.file = file;
    try {
      const { size } = file.facts;
      // What an earlier run fetched lies on the disk: only for the rest is room wanted.
      if (file.bytes > 0) desk.landed(id, file);
      if (size !== null && file.bytes > 0) this.#mustFit(await desk.sized(id, size));
      let reserved = 0;
      await fetchFile({
        ...{ url: new URL(wanted.url), file, guard, clock, signal: abort.signal },
        limits: { ...fetchLimits, maxSize, ...limits },
        sized: async (bytes) => this.#mustFit(await desk.sized(id, bytes)),
        grows: async (bytes) => {
          if (bytes <= reserved) return;
          reserved = Math.min(maxSize, bytes + step);
          // The last room may be less than a step.
          if ((await desk.grows(id, reserved)) === null) return;
          reserved = bytes;
          this.#mustFit(await desk.grows(id, bytes));
        },
        arrived: () => desk.landed(id, file),
      });
      abort.signal.throwIfAborted();
      if (file.facts.size === null) this.#mustFit(await desk.sized(id, file.bytes));
      await file.finish();
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    desk.landed(id, file);
  }

  #mustFit(lacking: 'quota' | 'disk' | null): void {
    if (lacking === 'quota') throw new ImportError('The file is larger than what your account may still keep.', { code: 'quota-exceeded' });
    if (lacking === 'disk') throw new ImportError('The server has no room for this file.', { code: 'no-room' });
  }

  async #fail({ id }: ToImport, error: unknown): Promise<void> {
    const { catalog, log } = this.#o;
    const { code, message } = told(error);
    try {
      // What was removed meanwhile has nothing to fail.
      if (!(await catalog.videos.become(id, ['uploading', 'playable'], { state: 'failed', error: { code, message } }))) return;
      this.#failed += 1;
      if (error instanceof ImportError) log.info({ video: id, code, err: error }, 'A file could not be fetched.');
      else log.error({ video: id, err: error }, 'A file that was being fetched could not be stored.');
    } catch (cause) {
      log.error({ video: id, err: cause }, 'That a file could not be fetched could not be remembered; the next start tries again.');
    }
  }
}

const told = (error: unknown): { readonly code: FailureCode; readonly message: string } => {
  if (error instanceof ImportError) return error;
  const full = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return full ? { code: 'no-room', message: 'The server has no room for this file.' } : { code: 'import-failed', message: 'This server could not store the file.' };
};
