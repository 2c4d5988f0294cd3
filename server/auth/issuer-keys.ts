/**
 * The public keys of the issuer whose tokens are taken (JWK set, RFC 7517), from a file or from its https address. They are
 * kept for a while, and asked for at once when a token names one that is not among them, so that a new key needs no
 * waiting. Whoever makes key ids up costs the issuer nothing: it is asked by one request at a time, and seldom.
 */
import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../../packager/clock.ts';

/** The keys cannot be had: that is not the token's fault. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

type Kept = { readonly keys: JWTVerifyGetKey; readonly at: number };

export const keptMs = 600_000;
/** While the issuer does not answer, the last keys are good for this long: an outage there is none here. */
export const goodMs = 3_600_000;
/** Between two questions, whatever came of the first. */
export const coolDownMs = 10_000;
export const patienceMs = 5_000;
/** Some hundred keys. */
export const mostBytes = 256 * 1024;

export class IssuerKeys {
  readonly #read: () => Promise<string>;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  #kept: Kept | null = null;
  #asking: Promise<Kept> | null = null;
  #askedAt = -Infinity;
  #fault: KeysUnavailable | null = null;
  #text: string | null = null;
  #toldUnfit = false;

  /** `from`: a file, or an https address. `failed` is told once each time that they could not be had. */
  constructor(from: string, clock: Clock, failed: (error: unknown) => void) {
    this.#read = /^https?:/.test(from) ? () => fetched(from, clock) : () => readFile(from, 'utf8');
    this.#clock = clock;
    this.#failed = failed;
  }

  /** Rejects with KeysUnavailable, and with the errors of jose where the token names none of the keys. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const kept = await this.#current();
    try {
      return await kept.keys(header, token);
    } catch (error) {
      // The issuer may sign with a key that it has just made.
      const newer = error instanceof errors.JWKSNoMatchingKey ? await this.#newerThan(kept) : null;
      if (!newer) throw error;
      return newer.keys(header, token);
    }
  };

  /** One of them cannot be used at all. Told once for the same keys, since whoever makes tokens up may name it as often as he likes. */
  unfit(error: unknown): void {
    if (this.#toldUnfit) return;
    this.#toldUnfit = true;
    this.#failed(error);
  }

  async #current(): Promise<Kept> {
    const kept = this.#kept;
    const age = kept ? this.#clock.now() - kept.at : Infinity;
    if (kept && age < keptMs) return kept;
    try {
      if (this.#fault && !this.#asking && this.#isCooling()) throw this.#fault;
      return await this.#ask();
    } catch (error) {
      if (kept && age < goodMs) return kept;
      throw error;
    }
  }

  /** Null: there is nothing newer, as far as one may ask. */
  async #newerThan(kept: Kept): Promise<Kept | null> {
    if (this.#kept !== kept) return this.#kept;
    if (!this.#asking && this.#isCooling()) return null;
    return this.#ask().catch(() => null);
  }

  #isCooling(): boolean {
    return this.#clock.now() - this.#askedAt < coolDownMs;
  }

  /** Whoever comes while it is being asked waits for that answer. */
  #ask(): Promise<Kept> {
    this.#asking ??= this.#askAnew().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #askAnew(): Promise<Kept> {
    this.#askedAt = this.#clock.now();
    try {
      const text = await this.#read();
      this.#kept = { keys: createLocalJWKSet(JSON.parse(text) as JSONWebKeySet), at: this.#clock.now() };
      this.#fault = null;
      if (text !== this.#text) this.#toldUnfit = false;
      this.#text = text;
      return this.#kept;
    } catch (error) {
      this.#fault = new KeysUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
      this.#failed(this.#fault);
      throw this.#fault;
    }
  }
}

/** Redirects are not followed: the keys are those of the address that was configured. */
const fetched = async (address: string, clock: Clock): Promise<string> => {
  const control = new AbortController();
  const cancel = clock.after(patienceMs, () => control.abort(new Error(`no answer within ${patienceMs / 1000} s`)));
  try {
    const { status, body } = await fetch(address, { redirect: 'manual', signal: control.signal, headers: { accept: 'application/jwk-set+json, application/json' } });
    if (status !== 200) throw new Error(`the answer was ${status}, and not 200`);
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of body ?? []) {
      bytes += piece.length;
      if (bytes > mostBytes) throw new Error(`the answer is larger than ${mostBytes} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString();
  } catch (error) {
    throw wrapped(error);
  } finally {
    cancel();
    // Whatever of the answer nobody wants any more.
    control.abort();
  }
};

/** fetch says "fetch failed", and what failed in the cause. */
const wrapped = (error: unknown): Error => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : null;
  if (cause) return new Error(cause.message, { cause });
  return error instanceof Error ? error : new Error(String(error));
};
