/**
 * What has come whole is finished, whoever says so or does not. The request that brings the last byte sees to it; what may come
 * between that and the end (a kill, a disk that fails for a while) is made up for here, so that nobody has to come back. A few at
 * a time: each holds open files, of which there are too few for all that a kill may leave behind.
 */
import type { OpenUpload } from '../../ingest/upload/desk.ts';
import type { ServerLog } from '../log.ts';

type Parts = {
  readonly log: ServerLog;
  /** Brings it to the platter, and sees to it that it is known to be whole. */
  readonly finish: (upload: OpenUpload) => Promise<void>;
  /** It is neither finished nor gone. */
  readonly isOpen: (id: string) => boolean;
};

const atOnce = 8;

export class Finishing {
  readonly #p: Parts;
  readonly #waiting = new Map<string, OpenUpload>();
  readonly #under = new Map<string, Promise<void>>();
  #stopped = false;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Takes no time; what fails is tried again when somebody asks again. */
  take(upload: OpenUpload): void {
    if (this.#stopped || this.#under.has(upload.id)) return;
    this.#waiting.set(upload.id, upload);
    this.#next();
  }

  #next(): void {
    for (const [id, upload] of this.#waiting) {
      if (this.#stopped || this.#under.size >= atOnce) return;
      this.#waiting.delete(id);
      if (this.#p.isOpen(id)) this.#begin(upload);
    }
  }

  #begin(upload: OpenUpload): void {
    const { log, finish, isOpen } = this.#p;
    const { id } = upload;
    const finishing = finish(upload)
      .catch((error: unknown) => {
        // It may have been finished by somebody else, or removed, at the same time.
        if (isOpen(id)) log.error({ video: id, err: error }, 'An upload of which all has come could not be finished; it is tried again.');
      })
      .finally(() => {
        this.#under.delete(id);
        this.#next();
      });
    this.#under.set(id, finishing);
  }

  /** What is under way comes to its end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#under.values());
  }
}
