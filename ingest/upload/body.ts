/**
 * The body of a request on its way to the disk: pieces are gathered into batches, one batch is written while the next one
 * gathers, and when both are full the socket is not read until there is room. So a body holds two batches, however fast it
 * comes, and no batch is larger than its share of what all bodies together may hold.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../packager/clock.ts';
import type { Writer } from './writers.ts';

export type BodyEnd =
  | 'whole'
  /** The connection broke. */
  | 'broken'
  /** Nothing came for too long. */
  | 'silent'
  /** It was told to stop. */
  | 'stopped'
  /** More came than may. */
  | 'too-much'
  | { readonly fault: unknown };

export type BodyParts = {
  readonly clock: Clock;
  readonly silenceMs: number;
  /** Bytes that may come; asked once, when it starts. */
  readonly most: () => number;
  /** Bytes of a batch, as things are now. */
  readonly batchBytes: () => number;
  /** A batch that is not full waits for more for this long; null: until the end. Where it ends early, it is taken all the same. */
  readonly lingerMs: () => number | null;
  /** Every piece as it comes, before it is written. */
  readonly see: (piece: Buffer) => void;
  /** One at a time, in order. */
  readonly take: (batch: readonly Buffer[], bytes: number) => Promise<void>;
};

/** A body of many tiny pieces would cost more memory than its bytes. */
const mostPieces = 256;

export class Body implements Writer {
  readonly #request: IncomingMessage;
  readonly #p: BodyParts;
  readonly #done: (end: BodyEnd) => void;
  /** Nothing of it is being written any more. */
  readonly done: Promise<BodyEnd>;
  #batch: Buffer[] = [];
  #bytes = 0;
  #left = 0;
  #taking = false;
  #paused = false;
  /** It has gathered for long enough. */
  #due = false;
  #heardAt: number;
  #end: BodyEnd | null = null;
  #cancelLinger: (() => void) | null = null;
  #cancelSilence: () => void = () => undefined;

  constructor(request: IncomingMessage, parts: BodyParts) {
    this.#request = request;
    this.#p = parts;
    this.#heardAt = parts.clock.now();
    let settle: (end: BodyEnd) => void = () => undefined;
    this.done = new Promise((resolve) => (settle = resolve));
    this.#done = settle;
  }

  get silentMs(): number {
    return this.#paused ? 0 : this.#p.clock.now() - this.#heardAt;
  }

  start(): void {
    if (this.#end !== null) return;
    const request = this.#request;
    this.#left = this.#p.most();
    this.#heardAt = this.#p.clock.now();
    request.on('data', this.#onData);
    request.once('end', this.#onEnd);
    request.once('close', this.#onClose);
    request.on('error', this.#onClose);
    this.#watch(this.#p.silenceMs);
    if (request.destroyed && !request.complete) this.#over('broken');
  }

  stop(): void {
    this.#over('stopped');
  }

  /** As if the connection had broken here: what has come is taken. */
  cut(): void {
    this.#over('broken');
  }

  readonly #onData = (piece: Buffer): void => {
    this.#heardAt = this.#p.clock.now();
    this.#left -= piece.length;
    if (this.#left < 0) return this.#over('too-much');
    this.#p.see(piece);
    this.#batch.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#p.batchBytes() && this.#batch.length < mostPieces) {
      const lingerMs = this.#p.lingerMs();
      if (lingerMs !== null) this.#cancelLinger ??= this.#p.clock.after(lingerMs, () => this.#dueNow());
      return;
    }
    if (!this.#taking) return this.#next(true);
    this.#paused = true;
    this.#request.pause();
  };
  readonly #onEnd = (): void => this.#over('whole');
  readonly #onClose = (): void => this.#over('broken');

  /** No more is read. What has come is still taken, unless it is of no use. */
  #over(end: BodyEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#cancelSilence();
    const request = this.#request;
    request.off('data', this.#onData);
    request.off('end', this.#onEnd);
    request.off('close', this.#onClose);
    if (end !== 'whole') request.pause();
    if (end === 'stopped' || end === 'too-much' || typeof end === 'object') this.#drop();
    this.#next(true);
  }

  #dueNow(): void {
    this.#due = true;
    this.#next(true);
  }

  #drop(): void {
    this.#batch = [];
    this.#bytes = 0;
  }

  /** Begins to write what has gathered, if it is time to. */
  #next(now: boolean): void {
    if (this.#taking) return;
    const full = this.#bytes >= this.#p.batchBytes() || this.#batch.length >= mostPieces;
    if (this.#bytes > 0 && (now || full)) {
      void this.#take();
      return;
    }
    if (this.#end !== null) this.#done(this.#end);
  }

  async #take(): Promise<void> {
    const [batch, bytes] = [this.#batch, this.#bytes];
    this.#drop();
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    this.#due = false;
    this.#taking = true;
    const taken = this.#p.take(batch, bytes);
    if (this.#paused) {
      this.#paused = false;
      this.#heardAt = this.#p.clock.now();
      this.#request.resume();
    }
    try {
      await taken;
    } catch (fault) {
      this.#taking = false;
      if (this.#end === null) return this.#over({ fault });
      // It was ending, and what came last found no place.
      this.#drop();
      this.#end = this.#end === 'stopped' ? this.#end : { fault };
    }
    this.#taking = false;
    this.#next(this.#end !== null || this.#due);
  }

  #watch(ms: number): void {
    this.#cancelSilence = this.#p.clock.after(ms, () => {
      const left = this.#p.silenceMs - this.silentMs;
      if (left <= 0) this.#over('silent');
      else this.#watch(left);
    });
  }
}
