/** What all requests of the upload edge share: who is let in, how bodies are read, and how an upload becomes whole. */
import type { Clock } from '../../packager/clock.ts';
import { BatchMemory, type Batch } from './batch-memory.ts';
import { Body, type BodyEnd } from './body.ts';
import type { OpenUpload, UploadDesk } from './desk.ts';
import { DigestThread } from './digest-thread.ts';
import type { Exchange } from './exchange.ts';
import type { Range } from './landed-map.ts';
import type { UploadLimits } from './limits.ts';
import type { Original } from './original.ts';
import type { Originals } from './originals.ts';
import { problemOf, problems, type Problem } from './problems.ts';
import { UploadFault } from './faults.ts';
import type { Seat, StopReason } from './writers.ts';

export type EdgeParts = {
  readonly desk: UploadDesk;
  readonly originals: Originals;
  readonly clock: Clock;
  readonly limits: UploadLimits;
  readonly failed: (error: unknown) => void;
};

export type Reading = {
  /** Bytes that may come. */
  readonly most: number;
  /** Whether what came is of use when the rest does not. */
  readonly piecemeal: boolean;
  readonly take: (batch: Batch, length: number) => Promise<void>;
  /** All of it has come. Nobody else writes these bytes until this is done. */
  readonly judge: () => Promise<Problem | null>;
};

/** What is said instead of reading it; 'not-needed': these bytes are there. */
export type NotRead = Problem | 'not-needed';

export class Edge {
  readonly #p: EdgeParts;
  readonly #bodies = new Set<Body>();
  readonly #memory: BatchMemory;
  readonly digests = new DigestThread();
  readonly #finishing = new Map<string, Promise<Range[]>>();
  stopping = false;
  received = 0;

  constructor(parts: EdgeParts) {
    this.#p = parts;
    this.#memory = new BatchMemory(parts.limits.heldBytes);
  }

  get desk(): UploadDesk {
    return this.#p.desk;
  }
  get limits(): UploadLimits {
    return this.#p.limits;
  }
  /** Bodies that are read, or wait to be. */
  get bodies(): number {
    return this.#bodies.size;
  }

  /** Null: it may send so many bytes. */
  refusal(original: Original, bytes: number): Problem | null {
    if (this.stopping) return problems.stopping;
    if (original.writers.count >= this.limits.bodiesOfUpload) return problems.tooManyBodies;
    if (this.#bodies.size >= this.limits.bodies) return problems.crowded;
    return this.desk.room(bytes);
  }

  /** Reads a body for whoever may write these bytes, one at a time. What is to be said to him; null: all is well. */
  async receive(exchange: Exchange, original: Original, [from, to]: Range, begin: (seat: Seat) => Reading | NotRead): Promise<NotRead | null> {
    const { clock, limits } = this.#p;
    let reading: Reading | null = null;
    // It waits for a seat as a body that has not begun; what it does with what comes is said when it has one.
    const body = new Body(exchange.request, {
      ...{ clock, memory: this.#memory, silenceMs: limits.silenceMs, most: () => reading?.most ?? 0 },
      lingerMs: () => (reading?.piecemeal ? limits.lingerMs : null),
      came: (bytes) => (this.received += bytes),
      take: (batch, length) => reading?.take(batch, length) ?? Promise.resolve(),
    });
    this.#bodies.add(body);
    try {
      const seat = await original.enter(from, to, body);
      if (!seat) return this.stopping ? problems.stopping : exchange.method === 'PUT' ? problems.lockedPart : problems.locked;
      try {
        const begun = begin(seat);
        if (begun === 'not-needed' || 'code' in begun) return begun;
        reading = begun;
        exchange.invite();
        body.start();
        const end = await body.done;
        return end === 'whole' && !seat.stopped ? await begun.judge() : this.#problemOf(end, seat, begun.most);
      } finally {
        seat.leave();
      }
    } finally {
      this.#bodies.delete(body);
    }
  }

  #problemOf(end: BodyEnd, seat: Seat, left: number): Problem {
    if (typeof end === 'object') return this.faultOf(end.fault);
    switch (end) {
      case 'broken':
        // By the client, who hears nothing any more; or by us.
        return problems.stopping;
      case 'silent':
        return problems.tooSlow;
      case 'too-much':
        return problems.tooMuch(left);
      case 'whole':
      case 'stopped':
        return stoppedProblems[seat.stopped ?? 'over'];
    }
  }

  faultOf(error: unknown): Problem {
    if (!(error instanceof UploadFault)) {
      this.#p.failed(error);
      return problems.internal;
    }
    if (error.code === 'disk-failed') this.#p.failed(error);
    return problemOf(error);
  }

  /** Nothing is missing: it is whole now, and known to be. Else the ranges that are. */
  finish(upload: OpenUpload): Promise<Range[]> {
    const under = this.#finishing.get(upload.id);
    if (under) return under;
    const finishing = this.#finish(upload).finally(() => this.#finishing.delete(upload.id));
    this.#finishing.set(upload.id, finishing);
    return finishing;
  }

  async #finish(upload: OpenUpload): Promise<Range[]> {
    const { originals, desk } = this.#p;
    const missing = await originals.use(upload, async (original) => (original.landed.whole ? [] : original.missing()));
    if (missing.length === 0) await originals.settle(upload, () => desk.whole(upload.id));
    return missing;
  }

  /** Whoever sent it does not want it any more. */
  async cancel(upload: OpenUpload): Promise<void> {
    const { originals, desk } = this.#p;
    // What is becoming whole at this moment is a video, and not its sender's to take back.
    await this.#finishing.get(upload.id)?.catch(() => undefined);
    if (originals.isOver(upload.id)) throw new UploadFault('over', 'this upload is over');
    await originals.remove(upload);
    await desk.cancelled(upload.id);
  }

  /** No further bodies; those that come are ended where they are, and what came of them is written down. */
  stop(): void {
    this.stopping = true;
    for (const body of this.#bodies) body.cut();
  }
}

/** Both have come to their end when this does, whatever one of them came to. */
export const both = async (one: Promise<void>, other: Promise<void> | undefined): Promise<void> => {
  for (const outcome of await Promise.allSettled([one, other])) if (outcome.status === 'rejected') throw outcome.reason;
};

export const stoppedProblems: Readonly<Record<StopReason, Problem>> = { 'taken-over': problems.takenOver, over: problems.over, 'disk-failed': problems.diskFailed };
