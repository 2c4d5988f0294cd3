/**
 * One request to a hook of the operator: signed, bounded in time, in what is read of its answer, and in how many are
 * under way. Redirects are not followed: what is signed is for the address that was configured.
 */
import { createHmac } from 'node:crypto';
import type { Clock } from '../../packager/clock.ts';

export type HookTarget = { readonly url: string; readonly secret: string; readonly timeoutMs: number };

export type HookAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  /** Nobody knows what the hook would have said. */
  | { readonly kind: 'failed'; readonly why: string };

type Options = HookTarget & { readonly clock: Clock; readonly userAgent: string; readonly atOnce: number };

const mostAnswerBytes = 16 * 1024;
const noLongerWanted = 'nobody waits for its answer any more';

/** `t=<seconds since 1970>,v1=<hex>`: the HMAC is over the time, a full stop, and the body as it was sent. */
export const signatureOf = (secret: string, seconds: number, body: string): string =>
  `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;

export class HookCaller {
  readonly #o: Options;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #calls = new Set<AbortController>();
  #closed = false;

  constructor(options: Options) {
    this.#o = options;
  }

  /** Never rejects. Waiting for its turn counts as well. `unwanted`: nobody waits for an answer any more. */
  async call(event: string, id: string, body: string, unwanted?: AbortSignal): Promise<HookAnswer> {
    const { clock, timeoutMs } = this.#o;
    if (this.#closed) return { kind: 'failed', why: 'the server is stopping' };
    if (unwanted?.aborted) return { kind: 'failed', why: noLongerWanted };
    const controller = new AbortController();
    const giveUp = (): void => controller.abort();
    unwanted?.addEventListener('abort', giveUp, { once: true });
    this.#calls.add(controller);
    const cancel = clock.after(timeoutMs, () => controller.abort());
    try {
      await this.#turn(controller.signal);
      try {
        return await this.#sendTwice(event, id, body, controller.signal);
      } finally {
        this.#running -= 1;
        this.#waiting.shift()?.();
      }
    } catch (error) {
      if (unwanted?.aborted) return { kind: 'failed', why: noLongerWanted };
      return { kind: 'failed', why: controller.signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error) };
    } finally {
      cancel();
      unwanted?.removeEventListener('abort', giveUp);
      this.#calls.delete(controller);
    }
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.abort();
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#running < this.#o.atOnce) {
      this.#running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', give);
        this.#running += 1;
        resolve();
      };
      const give = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(new Error('too many at once'));
      };
      this.#waiting.push(go);
      signal.addEventListener('abort', give, { once: true });
    });
  }

  /**
   * A connection that was kept open may have been closed by the other side just now: that is no reason to refuse a
   * publisher. The id is the same, so that whoever did hear the first one knows.
   */
  async #sendTwice(event: string, id: string, body: string, signal: AbortSignal): Promise<HookAnswer> {
    try {
      return await this.#send(event, id, body, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return this.#send(event, id, body, signal);
    }
  }

  async #send(event: string, id: string, body: string, signal: AbortSignal): Promise<HookAnswer> {
    const { url, secret, clock, userAgent } = this.#o;
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': userAgent,
        'millrace-event': event,
        'millrace-id': id,
        'millrace-signature': signatureOf(secret, Math.floor(clock.wall() / 1000), body),
      },
      body,
    });
    const text = await readAtMost(response, mostAnswerBytes);
    return text === null ? { kind: 'failed', why: `its answer is larger than ${mostAnswerBytes} bytes` } : { kind: 'answered', status: response.status, body: text };
  }
}

/** Null: there is more. */
const readAtMost = async (response: Response, most: number): Promise<string | null> => {
  if (!response.body) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > most) return null; // Leaving the loop cancels the body.
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** `fetch failed` says nothing; its cause does. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' && cause.message === '' ? cause.code : cause.message;
};
