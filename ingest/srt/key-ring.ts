/**
 * The keys of a connection. A sender uses one for a while, announces the next one (the other of even and odd) ahead of
 * its time, and so on: what is sent again late may have been encrypted before its kind of key was replaced.
 */
import { cryptPacket, type SessionKey, type SessionKeys } from './key-material.ts';
import { distance } from './sequence.ts';

type Generation = { readonly key: SessionKey; /** Packets before this number had the one before. */ readonly since: number; readonly before: SessionKey | null };

export class KeyRing {
  #even: Generation | null = null;
  #odd: Generation | null = null;

  constructor(keys: SessionKeys, since: number) {
    this.learn(keys, since);
  }

  /** `since`: the number of a packet that is not older than the announcement. */
  learn({ even, odd }: SessionKeys, since: number): void {
    if (even) this.#even = renewed(this.#even, even, since);
    if (odd) this.#odd = renewed(this.#odd, odd, since);
  }

  /** Null: a key that nobody has told of. */
  open(which: number, sequence: number, body: Buffer): Buffer | null {
    const generation = which === 1 ? this.#even : which === 2 ? this.#odd : null;
    if (!generation) return null;
    const { key, since, before } = generation;
    return cryptPacket(before && distance(sequence, since) < 0 ? before : key, sequence, body);
  }
}

/** An announcement is repeated until it is answered. */
const renewed = (now: Generation | null, key: SessionKey, since: number): Generation =>
  now?.key.secret.equals(key.secret) ? now : { key, since, before: now?.key ?? null };
