/**
 * Fetches a file into its place, and goes on where it was when the line breaks. What has come is never written again: a
 * server that cannot go on in the middle is read from the beginning and what is there already skipped, and a file that is
 * not the same any more is given up, since somebody may be watching its beginning.
 */
import type { Clock } from '../../packager/clock.ts';
import { ImportError } from './import-error.ts';
import type { ImportFile, SourceFacts } from './import-file.ts';
import { explained, openSource, type Answered } from './open-source.ts';
import type { SourceGuard } from './source-guard.ts';

export type FetchOptions = {
  readonly url: URL;
  readonly file: ImportFile;
  readonly guard: SourceGuard;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly limits: FetchLimits;
  /** The file has so many bytes: may it? Rejects with what is wrong. */
  readonly sized: (size: number) => Promise<void>;
  /** Nobody knows how many it has; so many are there, with the next ones. */
  readonly grows: (bytes: number) => Promise<void>;
  /** More of it can be read. */
  readonly arrived: () => void;
};
export type FetchLimits = {
  readonly maxSize: number;
  /** Until the head of an answer must have come. */
  readonly headMs: number;
  /** In each such span at least so many bytes must come. */
  readonly slowMs: number;
  readonly slowBytes: number;
  /** Broken lines one after another that brought next to nothing. */
  readonly failures: number;
  readonly firstPauseMs: number;
};

export const fetchLimits: Omit<FetchLimits, 'maxSize'> = { headMs: 30_000, slowMs: 60_000, slowBytes: 65_536, failures: 6, firstPauseMs: 1_000 };

const longestPauseMs = 60_000;
/** A try that brought so much was not in vain. */
const worthwhile = 2 ** 20;

export const fetchFile = async (options: FetchOptions): Promise<void> => {
  const { file, signal, limits, clock } = options;
  for (let failures = 0; ; ) {
    const before = file.bytes;
    try {
      return await once(options);
    } catch (error) {
      signal.throwIfAborted();
      const known = explained(error);
      failures = file.bytes - before >= worthwhile ? 1 : failures + 1;
      if (!known.passing || failures >= limits.failures) throw known;
      await pause(clock, signal, Math.min(longestPauseMs, limits.firstPauseMs * 2 ** (failures - 1)));
    }
  }
};

/** One answer, to its end. */
const once = async (options: FetchOptions): Promise<void> => {
  const { url, file, guard, clock, signal, limits } = options;
  const { size: known, validator } = file.facts;
  // Of what has neither a size nor a name nobody can tell whether the rest belongs to it.
  const from = known === null && validator === null ? 0 : file.bytes;
  if (known !== null && from === known && known > 0) return;
  const answer = await openSource({ url, from, validator }, { guard, clock, signal, headMs: limits.headMs });
  try {
    const skip = await fit(answer, options);
    await take(answer, skip, options);
  } finally {
    answer.body.destroy();
  }
};

/** How many bytes of the answer are there already. */
const fit = async (answer: Answered, { file, limits, sized }: FetchOptions): Promise<number> => {
  const { size, validator } = answer;
  if (size !== null && size > limits.maxSize) throw tooLarge(limits.maxSize);
  if (file.bytes > 0 && isSame(answer, file.facts)) return file.bytes - answer.from;
  // What has no size was shown to nobody: it may begin anew.
  if (file.bytes > 0 && file.facts.size !== null) throw new ImportError('The file at this address changed while it was being fetched. Fetch it again.', { code: 'import-contradicts' });
  if (size === 0) throw empty();
  if (size !== null) await sized(size);
  await file.begin({ size, validator });
  return 0;
};

/** Whether this answer goes on with what is there. Without a size it takes a name to know. */
const isSame = ({ from, size, validator }: Answered, facts: SourceFacts): boolean => {
  if (validator !== null && facts.validator !== null && validator !== facts.validator) return false;
  const unsaid = size === null || facts.size === null;
  return unsaid ? from > 0 || (validator !== null && validator === facts.validator) : size === facts.size;
};

const take = async ({ body }: Answered, skip: number, { file, clock, limits, grows, arrived }: FetchOptions): Promise<void> => {
  const { size } = file.facts;
  let left = skip;
  let came = 0;
  const watch = (): (() => void) =>
    clock.after(limits.slowMs, () => {
      if (came < limits.slowBytes) body.destroy(new ImportError('The server at this address sends next to nothing.', { code: 'import-unreachable', passing: true }));
      came = 0;
      stopWatching = watch();
    });
  let stopWatching = watch();
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      came += chunk.length;
      const data = chunk.subarray(Math.min(left, chunk.length));
      left -= chunk.length - data.length;
      if (data.length === 0) continue;
      const total = file.bytes + data.length;
      if (size !== null && total > size) throw new ImportError('The server at this address sends more than it said.', { code: 'import-contradicts' });
      if (total > limits.maxSize) throw tooLarge(limits.maxSize);
      if (size === null) await grows(total);
      await file.write(data);
      arrived();
    }
  } finally {
    stopWatching();
  }
  if (file.bytes === 0) throw empty();
  if (size !== null && file.bytes < size) throw new ImportError('The connection broke.', { code: 'import-unreachable', passing: true });
};

const empty = (): ImportError => new ImportError('The file at this address is empty.', { code: 'import-empty' });

const tooLarge = (most: number): ImportError => new ImportError(`The file at this address is larger than ${Math.round(most / 1e7) / 100} GB, which is the most that this server takes.`, { code: 'too-large' });

const pause = (clock: Clock, signal: AbortSignal, ms: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel();
      reject(signal.reason as Error);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
