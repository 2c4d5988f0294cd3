/**
 * Answers on their way out. Small ones leave in one write; big ones in slices, each after the one before has
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

const slice = 256 * 1024;
const inOneWrite = 1024 * 1024;

export class Peers {
  readonly #clock: Clock;
  readonly #limits: PeerLimits;
  readonly #sending = new Set<Sending>();
  /** One buffer may be on its way to thousands, and is held once. */
  readonly #holders = new Map<Buffer, number>();
  readonly #sweep: Sweep;
  #held = 0;
  #dropped = 0;

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

  #watch(response: ServerResponse, body: Buffer, patienceMs: number): Sending {
    const sending: Sending = { response, body, patienceMs, due: this.#clock.now() + patienceMs };
    this.#sending.add(sending);
    const holders = this.#holders.get(body) ?? 0;
    this.#holders.set(body, holders + 1);
    if (holders === 0) this.#held += body.length;
    const done = (): void => this.#forget(sending);
    response.once('finish', done);
    response.once('close', done);
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
