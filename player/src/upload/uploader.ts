/**
 * One file on its way: known to the server, sent in parts, and said by the server to be whole.
 *
 *     fingerprint, index ─▶ begin or go on ─▶ what has landed? ─▶ parts, several at once ─▶ finish
 *                                                  ▲                                          │
 *                                                  └──────────── the server misses some ──────┘
 *
 * `run` may be called off at any time and called again: nothing is kept but what the server will say itself.
 */
import type { UploadMetadata } from '../api/endpoints.ts';
import { ApiProblem } from '../api/problem.ts';
import type { UploadAddresses } from '../api/types.ts';
import { linked, Stopped } from '../lib/interruptible.ts';
import { meaningOf } from './answers.ts';
import { begin, signAnew } from './begin.ts';
import type { Begun } from './begin.ts';
import { wantedFirst } from './boxes.ts';
import type { Span } from './boxes.ts';
import { Unreadable } from './digest.ts';
import { failureOf, UploadFailure } from './failure.ts';
import { fingerprintOf } from './fingerprint.ts';
import { insist } from './ground.ts';
import type { Ground } from './ground.ts';
import { mostLanes } from './line.ts';
import { Pieces } from './pieces.ts';
import type { Piece } from './pieces.ts';
import { AskProblem } from './wire.ts';
import type { Answer } from './wire.ts';

export type Phase = 'preparing' | 'sending' | 'verifying';

export type UploaderEvents = {
  phase(phase: Phase): void;
  /** Bytes went out. */
  moved(bytes: number): void;
  /** False: this page sends that file already. */
  claim(fingerprint: string): boolean;
  /** What its video is to be called. Asked once, and not at all when it goes on. */
  metadata(): UploadMetadata;
  /** The server has its video. */
  known(begun: Begun, signal: AbortSignal): Promise<void>;
};

type Status = { readonly landed: readonly (readonly [number, number])[]; readonly whole: boolean; readonly mode: string | null };

/** Nothing moved for so long: the connection is dead, whatever TCP believes. */
const stallMs = 30_000;
/** All is sent, and the server writes it down. */
const answerMs = 60_000;
/**
 * So many parts of its size or more, begun later, have landed before it: its connection hangs while the line is good.
 * Whoever watches waits for nothing but this one. Twice around of the others: on a line that is shared evenly it is none.
 */
const mostOvertaken = 2 * (mostLanes - 1);
const mostDamaged = 5;
/** So often the server may miss what it had. */
const mostRounds = 8;

/** The address does not work (any more). */
class AddressRefused extends Error {
  readonly failure: UploadFailure;

  constructor(status: number) {
    super(`the address is refused: ${status}`);
    this.failure = new UploadFailure(status === 404 || status === 410 ? 'gone' : 'not-allowed', this.message);
  }
}

const spansOf = (pairs: unknown): Span[] => {
  if (!Array.isArray(pairs)) return [];
  return pairs.flatMap((pair: unknown) => {
    const [from, to] = Array.isArray(pair) ? (pair as unknown[]) : [];
    return typeof from === 'number' && typeof to === 'number' && from < to ? [{ from, to }] : [];
  });
};

/** A part that is on its way. */
type UnderWay = {
  /** Counts them in the order in which they began. */
  readonly turn: number;
  readonly leave: () => void;
  /** Bytes of it that are out. */
  out: number;
  overtaken: number;
};

export class Uploader {
  readonly #file: File;
  readonly #ground: Ground;
  readonly #events: UploaderEvents;
  readonly #underWay = new Map<Piece, UnderWay>();
  #turns = 0;
  #fingerprint: string | null = null;
  #pieces: Pieces | null = null;
  #begun: Begun | null = null;
  #addresses: UploadAddresses | null = null;
  /** Nothing has been sent to it yet, by anybody. */
  #fresh = false;
  /** Null: the server has not said yet. */
  #resumedFrom: number | null = null;
  #damaged = 0;

  constructor(file: File, ground: Ground, events: UploaderEvents) {
    this.#file = file;
    this.#ground = ground;
    this.#events = events;
  }

  get video(): string | null {
    return this.#begun?.video ?? null;
  }
  /** Bytes that have landed, or are on the way. */
  get sent(): number {
    let bytes = this.#pieces?.landedBytes ?? 0;
    for (const { out } of this.#underWay.values()) bytes += out;
    return bytes;
  }
  get resumedFrom(): number {
    return this.#resumedFrom ?? 0;
  }

  /** Resolves when the server has all of it. Throws UploadFailure, Unreadable, Stopped. */
  async run(signal: AbortSignal): Promise<void> {
    this.#events.phase('preparing');
    const pieces = (this.#pieces ??= await this.#lookAt());
    if (!this.#begun) {
      this.#begun = await begin(this.#ground, signal, {
        filename: this.#file.name.normalize('NFC'),
        size: this.#file.size,
        fingerprint: this.#fingerprint ?? '',
        metadata: () => this.#events.metadata(),
      });
      this.#addresses = this.#begun.addresses;
      this.#fresh = !this.#begun.resumed;
      if (this.#fresh) this.#resumedFrom = 0;
      await this.#events.known(this.#begun, signal);
    }
    let signedAt: number | null = null;
    while (this.#addresses) {
      try {
        await this.#sendAll(this.#addresses, pieces, signal);
        break;
      } catch (error) {
        if (!(error instanceof AddressRefused)) throw error;
        // New ones that do not work either are no help.
        if (signedAt === pieces.landedBytes) throw error.failure;
        this.#addresses = await signAnew(this.#ground, signal, this.#begun.video);
        this.#fresh = false;
        signedAt = pieces.landedBytes;
      }
    }
    this.#ground.memory.forget(this.#fingerprint ?? '');
  }

  /** What it is, and what of it goes first. */
  async #lookAt(): Promise<Pieces> {
    const file = this.#file;
    if (file.size === 0) throw new UploadFailure('empty-file');
    try {
      this.#fingerprint = await fingerprintOf(file);
      const read = async (from: number, to: number) => new Uint8Array(await file.slice(from, to).arrayBuffer());
      const first = await wantedFirst(read, file.size);
      if (!this.#events.claim(this.#fingerprint)) throw new UploadFailure('already-here');
      return new Pieces(file.size, first);
    } catch (error) {
      throw error instanceof UploadFailure ? error : new Unreadable(error);
    }
  }

  async #sendAll(addresses: UploadAddresses, pieces: Pieces, signal: AbortSignal): Promise<void> {
    const { status, finish } = addresses.parts;
    const fresh = this.#fresh;
    this.#fresh = false;
    if (!fresh && (await this.#askStatus(status, pieces, signal))) return;
    for (let round = 0; round < mostRounds; round++) {
      this.#events.phase('sending');
      if (!(await this.#sendPieces(addresses, pieces, signal))) {
        // Something was said that only the server's own account explains.
        if (await this.#askStatus(status, pieces, signal)) return;
        continue;
      }
      this.#events.phase('verifying');
      const missing = await this.#finish(finish, signal);
      if (!missing) return;
      pieces.lose(missing);
    }
    throw new UploadFailure('unexpected', 'the server does not keep what it is sent', true);
  }

  /** Takes over what has landed. True: all of it, and the server has taken note. */
  async #askStatus(url: string, pieces: Pieces, signal: AbortSignal): Promise<boolean> {
    const said = await this.#ask<Status>('GET', url, signal);
    if (said.mode === 'tus') throw new UploadFailure('taken');
    pieces.replaceLanded(said.whole ? [{ from: 0, to: pieces.size }] : spansOf(said.landed));
    this.#resumedFrom ??= pieces.landedBytes;
    return said.whole;
  }
  /** Null: it is whole. */
  async #finish(url: string, signal: AbortSignal): Promise<readonly Span[] | null> {
    try {
      await this.#ask('POST', url, signal);
      return null;
    } catch (error) {
      if (!(error instanceof AskProblem) || error.code !== 'parts-missing') throw error;
      return spansOf((error.document as { missing?: unknown }).missing);
    }
  }
  async #ask<T>(method: 'GET' | 'POST', url: string, signal: AbortSignal): Promise<T> {
    const { wire } = this.#ground;
    try {
      return await insist(this.#ground, signal, (signal) => wire.ask<T>(method, url, signal));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (error.code === 'parts-missing') throw error;
      if ([401, 403, 404, 410].includes(error.status)) throw new AddressRefused(error.status);
      if (error.status === 422) throw new UploadFailure('not-usable', error.detail);
      throw failureOf(error);
    }
  }

  /** Several at once, until none is missing. False: the server's account has to be asked. The first failure ends all. */
  async #sendPieces(addresses: UploadAddresses, pieces: Pieces, signal: AbortSignal): Promise<boolean> {
    const group = linked(signal);
    let failure: unknown = null;
    let asks = false;
    const lane = async (): Promise<void> => {
      while (!asks) {
        const release = await this.#ground.line.lane(group.signal);
        try {
          const piece = group.signal.aborted ? null : pieces.take(this.#ground.line.sizeFor(addresses.parts.size));
          // What others have under way and lose, they take again themselves.
          if (!piece) return;
          try {
            if (await this.#sendPiece(addresses, pieces, piece, group.signal)) asks = true;
          } finally {
            this.#underWay.delete(piece);
            pieces.giveBack(piece);
          }
        } finally {
          release();
        }
      }
    };
    const guarded = (): Promise<void> =>
      lane().catch((error: unknown) => {
        if (!(error instanceof Stopped)) failure ??= error;
        group.abort();
      });
    await Promise.all(Array.from({ length: mostLanes }, guarded));
    group.unlink();
    if (failure) throw failure;
    if (signal.aborted) throw new Stopped();
    return !asks && pieces.isWhole;
  }

  /** True: the server's account has to be asked. */
  async #sendPiece(addresses: UploadAddresses, pieces: Pieces, piece: Piece, signal: AbortSignal): Promise<boolean> {
    const { line, clock, reader } = this.#ground;
    const { body, digest } = await reader.read(this.#file.slice(piece.from, piece.to));
    if (body.byteLength !== piece.to - piece.from) throw new Unreadable('it has become shorter');
    const startedAt = clock.now();
    const answer = await this.#put({ url: addressOf(addresses, piece), body, digest }, piece, signal);
    // It goes out again at once, over another connection: what is missing first is taken first.
    if (answer === 'overtaken') return false;
    const meaning = meaningOf(answer);
    switch (meaning.is) {
      case 'landed':
        pieces.hasLanded(piece);
        this.#damaged = 0;
        line.succeeded(piece.size, clock.now() - startedAt);
        this.#leaveBehind(piece);
        return false;
      case 'trouble':
        line.failed(startedAt, { size: piece.size, waitMs: meaning.waitMs });
        return false;
      case 'damaged':
        if (++this.#damaged >= mostDamaged) throw new UploadFailure('damaged-on-the-way', '', true);
        line.failed(startedAt);
        return false;
      case 'too-large':
        line.answered();
        if (!line.refused(piece.size)) throw new UploadFailure('proxy-refuses', '', true);
        return false;
      case 'ask':
        line.answered();
        return true;
      case 'refused':
        line.answered();
        throw new AddressRefused(answer.status);
      case 'failed':
        line.answered();
        throw meaning.failure;
    }
  }

  /** A part has landed before those that began earlier. */
  #leaveBehind(landed: Piece): void {
    const turn = this.#underWay.get(landed)?.turn ?? 0;
    for (const [piece, late] of this.#underWay) {
      if (late.turn >= turn || piece.size > landed.size) continue;
      late.overtaken += 1;
      if (late.overtaken >= mostOvertaken) late.leave();
    }
  }

  /** A part that stops moving is given up: status 0, as when its connection breaks. */
  async #put(part: { url: string; body: ArrayBuffer; digest: string }, piece: Piece, signal: AbortSignal): Promise<Answer | 'overtaken'> {
    const { wire, clock } = this.#ground;
    const attempt = linked(signal);
    const underWay: UnderWay = { turn: ++this.#turns, leave: attempt.abort, out: 0, overtaken: 0 };
    let cancel = clock.later(stallMs, attempt.abort);
    const progress = (bytes: number): void => {
      const before = underWay.out;
      const out = Math.min(bytes, part.body.byteLength);
      if (out <= before) return;
      cancel();
      cancel = clock.later(out === part.body.byteLength ? answerMs : stallMs, attempt.abort);
      underWay.out = out;
      this.#events.moved(out - before);
    };
    this.#underWay.set(piece, underWay);
    try {
      return await wire.put({ ...part, progress }, attempt.signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof Stopped)) throw error;
      return underWay.overtaken >= mostOvertaken ? 'overtaken' : { status: 0, retryAfterMs: null, body: null };
    } finally {
      cancel();
      attempt.unlink();
    }
  }
}

/** The part's own size is said where it is not the upload's. */
const addressOf = ({ parts }: UploadAddresses, { from, size }: Piece): string => {
  const url = parts.url.replace('{n}', String(from / size));
  return size === parts.size ? url : `${url}${url.includes('?') ? '&' : '?'}size=${size}`;
};
