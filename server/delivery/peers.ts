/**
 * Answers on their way out, whole or as they come. Small ones leave in one write; big ones in slices, each after the one before has
 * drained, because Node keeps in memory whatever a socket will not take. A peer that does not read is sent
 * away, and all the peers together hold no more than the bytes that the configuration allows: beyond that,
 * whoever has been at it longest goes.
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../packager/clock.ts';
import { Sweep } from './sweep.ts';

export type PeerLimits = {
  /** How long one slice may take. */
  readonly patienceMs: number;
  /** Bytes that answers under way may keep in memory. */
  readonly heldBytes: number;
};

type Sending = { readonly response: ServerResponse; readonly body: Buffer; readonly patienceMs: number; due: number };

/** An answer whose length or end is not known yet: what is written next is fetched when what was written before has gone. */
export interface Flow {
  /** Resolves when there is room for more; false: nobody is there any more. One at a time. */
  write(body: Buffer): Promise<boolean>;
  end(): void;
  /** It cannot go on: the peer sees a fault, and not an end. */
  break(): void;
}

const slice = 256 * 1024;
const inOneWrite = 1024 * 1024;

const nothing = Buffer.alloc(0);

/** The socket takes more, or is gone. */
const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });

export class Peers {
  readonly #clock: Clock;
  readonly #limits: PeerLimits;
  readonly #sending = new Set<Sending>();
  /** One buffer may be on its way to thousands, and is held once. */
  readonly #holders = new Map<Buffer, number>();
  readonly #sweep: Sweep;
  #held = 0;
  #dropped = 0;
  #flows = 0;

  constructor(clock: Clock, limits: PeerLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#sweep = new Sweep(clock, 1000, (now) => this.#dropLate(now));
  }

  get held(): number {
    return this.#held;
  }
  get dropped(): number {
    return this.#dropped;
  }
  /** Answers that are written piece by piece and go on. */
  get flows(): number {
    return this.#flows;
  }
  get sending(): number {
    return this.#sending.size;
  }

  /** The head has been given to the response; `whole` is the buffer that `body` is (a part of). */
  send(response: ServerResponse, body: Buffer, whole: Buffer): void {
    if (body.length <= inOneWrite) {
      response.end(body);
      // The kernel has taken all of it, which is how nearly every answer ends.
      if (response.socket?.writableLength === 0) return;
      this.#watch(response, whole, this.#limits.patienceMs * Math.ceil(Math.max(1, body.length) / slice));
      return;
    }
    const sending = this.#watch(response, whole, this.#limits.patienceMs);
    let at = 0;
    const pump = (): void => {
      while (at < body.length && !response.destroyed) {
        sending.due = this.#clock.now() + sending.patienceMs;
        const next = body.subarray(at, at + slice);
        at += next.length;
        if (at >= body.length) response.end(next);
        else if (!response.write(next)) {
          response.once('drain', pump);
          return;
        }
      }
    };
    pump();
  }

  /** As above, for an answer that is written piece by piece. Between two pieces it holds nothing, and nobody is late. */
  flow(response: ServerResponse, sent: (bytes: number) => void): Flow {
    this.#flows++;
    response.once('close', () => this.#flows--);
    const write = async (body: Buffer): Promise<boolean> => {
      let sending: Sending | null = null;
      for (let at = 0; at < body.length && !response.destroyed; at += slice) {
        const next = body.subarray(at, at + slice);
        sent(next.length);
        if (response.write(next)) continue;
        sending ??= this.#hold(response, body, this.#limits.patienceMs);
        sending.due = this.#clock.now() + sending.patienceMs;
        await drained(response);
      }
      if (sending) this.#forget(sending);
      return !response.destroyed;
    };
    return {
      write,
      end: () => {
        if (!response.destroyed) this.send(response, nothing, nothing);
      },
      break: () => void response.destroy(),
    };
  }

  #watch(response: ServerResponse, body: Buffer, patienceMs: number): Sending {
    const sending = this.#hold(response, body, patienceMs);
    const done = (): void => this.#forget(sending);
    response.once('finish', done);
    response.once('close', done);
    return sending;
  }

  #hold(response: ServerResponse, body: Buffer, patienceMs: number): Sending {
    const sending: Sending = { response, body, patienceMs, due: this.#clock.now() + patienceMs };
    this.#sending.add(sending);
    const holders = this.#holders.get(body) ?? 0;
    this.#holders.set(body, holders + 1);
    if (holders === 0) this.#held += body.length;
    this.#sweep.arm();
    for (const oldest of this.#sending) {
      if (this.#held <= this.#limits.heldBytes) break;
      this.#drop(oldest);
    }
    return sending;
  }

  #forget(sending: Sending): void {
    if (!this.#sending.delete(sending)) return;
    const { body } = sending;
    const holders = (this.#holders.get(body) ?? 1) - 1;
    if (holders > 0) {
      this.#holders.set(body, holders);
      return;
    }
    this.#holders.delete(body);
    this.#held -= body.length;
  }

  #drop(sending: Sending): void {
    this.#forget(sending);
    this.#dropped++;
    sending.response.destroy();
  }

  #dropLate(now: number): boolean {
    for (const sending of [...this.#sending]) if (sending.due <= now) this.#drop(sending);
    return this.#sending.size > 0;
  }
}
