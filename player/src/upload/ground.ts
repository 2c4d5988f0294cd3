/** What an upload stands on: everything that is not its own, so that tests can stand in for it. */
import type { AskOptions } from '../api/client.ts';
import type { NewUpload, UploadMetadata } from '../api/endpoints.ts';
import type { VideoNow } from '../api/follow-video.ts';
import { ApiProblem } from '../api/problem.ts';
import type { NewVideo, Page, UploadAddresses, UploadView, Video } from '../api/types.ts';
import { interruptible, linked, Stopped } from '../lib/interruptible.ts';
import type { Reader } from './digest.ts';
import { passes } from './failure.ts';
import type { LineTools, UploadLine } from './line.ts';
import type { Memory } from './memory.ts';
import type { Wire } from './wire.ts';

export type UploadApi = {
  createUpload(body: NewUpload, options: AskOptions): Promise<NewVideo>;
  signUpload(id: string, options: AskOptions): Promise<{ readonly upload: UploadAddresses & UploadView }>;
  myVideos(state: Video['state'], cursor: string | null, options: AskOptions): Promise<Page<Video>>;
  video(id: string): Promise<Video>;
  changeVideo(id: string, body: UploadMetadata): Promise<Video>;
  deleteVideo(id: string): Promise<void>;
};

/** Of the page, or of a test. */
export type UploadTools = LineTools & {
  readonly api: UploadApi;
  readonly wire: Wire;
  readonly reader: Reader;
  readonly memory: Memory;
  /** Something that nobody else says: for Idempotency-Key. */
  newKey(): string;
  follow(video: string, tell: (now: VideoNow) => void): () => void;
  /** Calls when the network is said to come or go. Returns the way to stop. */
  onNetwork(run: () => void): () => void;
  /** A mistake of this program. */
  report(error: unknown): void;
};

export type Ground = UploadTools & { readonly line: UploadLine };

const answersWithinMs = 30_000;

const never = new AbortController().signal;

/**
 * One answer of the server, waited for until it comes: what passes by itself is asked again. Throws ApiProblem, Stopped.
 * `unbroken`: a question that is on its way is not called off, since its answer has to be known.
 */
export const insist = async <T>(
  { line, clock }: Pick<Ground, 'line' | 'clock'>,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
  { unbroken = false } = {},
): Promise<T> => {
  for (;;) {
    await line.calm(signal);
    if (signal.aborted) throw new Stopped();
    const startedAt = clock.now();
    const attempt = linked(unbroken ? never : signal);
    const cancel = clock.later(answersWithinMs, attempt.abort);
    try {
      const answer = await interruptible<T>(attempt.signal, (resolve, reject) => {
        ask(attempt.signal).then(resolve, reject);
        return () => {};
      });
      line.answered();
      return answer;
    } catch (error) {
      if (signal.aborted && !unbroken) throw new Stopped();
      const late = error instanceof Stopped;
      if (!late && !(error instanceof ApiProblem)) throw error;
      if (!late && !passes(error)) {
        line.answered();
        throw error;
      }
      line.failed(startedAt, { waitMs: late ? null : error.retryAfterMs });
    } finally {
      cancel();
      attempt.unlink();
    }
  }
};
