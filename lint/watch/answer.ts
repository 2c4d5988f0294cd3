/** An answer as it came: what is left when a server or a line does what it likes. Asking never throws. */
import type { RuleId } from '../catalogue.ts';

export type Trouble = { readonly rule: RuleId; readonly says: string };

export type Answer = {
  readonly url: string;
  /** 0: there was none. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** Decoded. */
  readonly body: Buffer;
  /** Bytes of the body as they came, before decoding. */
  readonly wire: number;
  /** Chunked transfer coding: the length was not known when the answer began. */
  readonly chunked: boolean;
  /** ms of the checker's clock. */
  readonly askedAt: number;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly trouble: Trouble | null;
};

export type Ask = { readonly timeoutMs: number; readonly limit: number; readonly signal?: AbortSignal };

export type Fetch = (url: string, ask: Ask) => Promise<Answer>;

/** Time as an argument, so that tests need none. */
export type Time = {
  /** ms, monotonic. */
  now(): number;
  /** ms since 1970. */
  wall(): number;
  /** Resolves later, or at once when the signal says that it is over. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
};
