/** Looks how full the disk is, and says so when a mark is passed. */
import type { Clock } from '../../packager/clock.ts';
import type { Disk } from '../../packager/log/types.ts';
import { diskLevel, type DiskLevel, type Watermarks } from '../../packager/log/watermarks.ts';
import type { ServerLog } from '../log.ts';

export type DiskWatchOptions = {
  readonly disk: Pick<Disk, 'space'>;
  readonly folder: string;
  readonly marks: Watermarks;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly changed: (level: DiskLevel) => void;
};

const EVERY_MS = 10_000;
const WORDS: Record<DiskLevel, string> = {
  ok: 'The disk has room again.',
  warn: 'The disk is filling up.',
  refuse: 'The disk is nearly full: new recordings are kept in memory only, and uploads are refused.',
  stop: 'The disk is full: no recording is written any more.',
};

export class DiskWatch {
  readonly #o: DiskWatchOptions;
  #level: DiskLevel = 'ok';
  #space = { free: 0, total: 0 };
  #cancel: (() => void) | null = null;

  constructor(options: DiskWatchOptions) {
    this.#o = options;
  }

  get level(): DiskLevel {
    return this.#level;
  }
  get space(): { readonly free: number; readonly total: number } {
    return this.#space;
  }

  async look(): Promise<void> {
    const { disk, folder, marks, log, changed } = this.#o;
    try {
      this.#space = await disk.space(folder);
      const level = diskLevel(this.#space, this.#level, marks);
      if (level !== this.#level) {
        this.#level = level;
        log[level === 'ok' ? 'info' : level === 'warn' ? 'warn' : 'error']({ ...this.#space, level }, WORDS[level]);
        changed(level);
      }
    } catch (error) {
      log.warn({ err: error }, 'The room on the disk cannot be told.');
    }
  }

  async start(): Promise<void> {
    await this.look();
    const again = (): void => {
      this.#cancel = this.#o.clock.after(EVERY_MS, () => void this.look().then(again));
    };
    again();
  }

  stop(): void {
    this.#cancel?.();
  }
}
