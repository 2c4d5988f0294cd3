/**
 * The keys of a connection. A sender uses one for a while, announces the next one (the other of even and odd) ahead of
 * its time, and so on:
 *
 *     even A ······· | odd B ······· | even C ·······
 *                            ▲ C is announced          a packet with "even" is A's before B began, and C's behind
 *
 * So what is sent again late finds its key, and so does what comes before an announcement that was lost: packets are
 * opened when they are due.
 */
import { cryptPacket, type SessionKey, type SessionKeys } from './key-material.ts';
import { distance } from './sequence.ts';

/** A packet of the same kind this far back belongs to the run before the last. */
const reordered = 64;

type Generation = { readonly key: SessionKey; /** Packets before this number had the one before. */ readonly since: number; readonly before: SessionKey | null };

export class KeyRing {
  #even: Generation | null = null;
  #odd: Generation | null = null;
  /** The kind of key that is in use, and the first packet that is known to have it. */
  #run: { which: number; since: number };

  constructor(keys: SessionKeys, since: number) {
    this.#run = { which: 0, since };
    this.learn(keys);
  }

  learn({ even, odd }: SessionKeys): void {
    if (even) this.#even = renewed(this.#even, even, this.#run.since);
    if (odd) this.#odd = renewed(this.#odd, odd, this.#run.since);
  }

  /** A packet has come. */
  saw(which: number, sequence: number): void {
    const { which: now, since } = this.#run;
    const ahead = distance(sequence, since);
    if (which === now ? ahead < 0 && ahead > -reordered : ahead > 0) this.#run = { which, since: sequence };
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
