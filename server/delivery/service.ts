/**
 * What every kind of answer is given from, and the ways in which an answer comes later than its request: when
 * something has been opened, when something new is there, or never.
 */
import { findTrack } from '../../packager/hls/window.ts';
import { KeyError } from '../../packager/protect/key-error.ts';
import type { KeyProvider, Protected } from '../../packager/protect/keys.ts';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import { cbcsView, unprotectable } from './cbcs-view.ts';
import type { Exchange } from './exchange.ts';
import { isLasting, readProblem, type MediaFiles } from './media-files.ts';
import type { Playlists } from './playlists.ts';
import type { Presentation, Presentations } from './presentation.ts';
import { problems } from './problem.ts';
import type { Waiters, WakeReason, Wish } from './waiters.ts';

export type ServiceParts = {
  readonly presentations: Presentations;
  readonly keys: KeyProvider;
  readonly playlists: Playlists;
  readonly files: MediaFiles;
  readonly waiters: Waiters;
  /** Full addresses begin alike whoever asks. */
  readonly oneAddress: boolean;
  /** Told of whatever should not have happened. */
  readonly onError: (error: unknown) => void;
};

/** A presentation, and under which keys it is served; null: in the clear. */
export type Opened = { readonly presentation: Presentation; readonly sealed: Protected | null };

/** Has the keys prepared that an answer will be given with, and no more: a long show has very many. Null: they are there. */
export type Needs = (sealed: Protected, snapshot: PresentationSnapshot) => Promise<void> | null;

export class Service {
  readonly presentations: Presentations;
  readonly #keys: KeyProvider;
  readonly playlists: Playlists;
  readonly files: MediaFiles;
  readonly oneAddress: boolean;
  readonly #waiters: Waiters;
  readonly #onError: (error: unknown) => void;
  /** What has been told of what stays as it is: once is enough, however many ask. */
  readonly #told = new WeakSet<Error>();
  #released = false;

  constructor({ presentations, keys, playlists, files, waiters, oneAddress, onError }: ServiceParts) {
    this.presentations = presentations;
    this.#keys = keys;
    this.playlists = playlists;
    this.files = files;
    this.#waiters = waiters;
    this.oneAddress = oneAddress;
    this.#onError = onError;
  }

  get released(): boolean {
    return this.#released;
  }

  release(): void {
    this.#released = true;
    this.#waiters.release();
  }

  /** Goes on at once with what is known at once: only what is opened or looked up for the first time costs a promise. */
  whenKnown<Value>(exchange: Exchange, value: Value | Promise<Value>, next: (value: Value) => void): void {
    if (value instanceof Promise) this.later(exchange, async () => next(await value));
    else next(value);
  }

  /** What is done in later turns must not fail unheard. */
  later(exchange: Exchange, run: () => Promise<void>): void {
    void run().catch((error: unknown) => this.fail(exchange, error));
  }

  guarded(exchange: Exchange, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fail(exchange, error);
    }
  }

  fail(exchange: Exchange, error: unknown): void {
    const known = readProblem(error);
    // That media is gone is everyday; that the disk failed is the operator's business as well.
    // Who wants keys tells of those that are not to be had, once and not for each answer.
    const everyday = known === problems.gone || known === problems.notYet || error instanceof KeyError;
    if (!everyday && !this.#wasTold(error)) this.#onError(error);
    if (known && !exchange.over) exchange.problem(known);
    else exchange.broken();
  }

  #wasTold(error: unknown): boolean {
    if (!isLasting(error)) return false;
    const was = this.#told.has(error);
    this.#told.add(error);
    return was;
  }

  /** `track`: that it is about. Whoever began to watch while it was on the list goes on with it. */
  open(exchange: Exchange, video: string, needs: Needs, next: (opened: Opened) => void, track?: string): void {
    this.whenKnown(exchange, this.presentations.find(video), (found) => {
      const isListed = track === undefined || !found || findTrack(found.snapshot(), track) !== null;
      const presentation = isListed ? found : (this.presentations.former(video, track) ?? found);
      if (!presentation) return exchange.problem(this.#released ? problems.stopping : problems.notLiveYet);
      const snapshot = presentation.snapshot();
      const scheme = snapshot.policy.protection;
      if (scheme === undefined) return next({ presentation, sealed: null });
      const problem = unprotectable(snapshot);
      if (problem) return exchange.problem(problem);
      const shown = scheme === 'cbcs' ? cbcsView(presentation) : presentation;
      this.whenKnown(exchange, this.#keys.ringOf(video), (ring) => this.withKeys(exchange, video, { presentation: shown, sealed: { scheme, ring } }, needs, next));
    });
  }

  /**
   * When the keys are there that an answer of now needs. Whoever has waited asks anew: more may be there, and the video may be under other keys
   * by now, for its owner may change his mind and an upload that grows may be protected meanwhile.
   */
  withKeys(exchange: Exchange, video: string, opened: Opened, needs: Needs, next: (opened: Opened) => void): void {
    const { presentation, sealed } = opened;
    const snapshot = presentation.snapshot();
    if (snapshot.policy.protection !== sealed?.scheme) return this.open(exchange, video, needs, next);
    const wait = sealed && needs(sealed, snapshot);
    if (!wait) return next(opened);
    this.later(exchange, async () => {
      await wait;
      this.withKeys(exchange, video, opened, needs, next);
    });
  }

  /** `next` is told whether what was waited for is there; too late is a 503. */
  wait(exchange: Exchange, presentation: Presentation, wish: Wish, next: (there: boolean) => void): void {
    if (this.#released) return next(false);
    const leave = this.#waiters.wait(presentation, wish, (why) => {
      exchange.whileWaiting(null);
      this.guarded(exchange, () => (why === 'late' ? exchange.problem(problems.heldTooLong) : next(why === 'ready')));
    });
    exchange.whileWaiting(leave);
  }

  /** What comes soon is waited for; without it goes on as well. `next` is told whether there was a wait: then it is to ask for keys anew. */
  waitAtMost(exchange: Exchange, presentation: Presentation, wish: Wish, next: (waited: boolean) => void): void {
    if (this.#released || wish.ready(presentation.snapshot())) return next(false);
    const leave = this.#waiters.wait(presentation, wish, () => {
      exchange.whileWaiting(null);
      this.guarded(exchange, () => next(true));
    });
    exchange.whileWaiting(leave);
  }

  /** The same for an answer that is under way. */
  until(exchange: Exchange, presentation: Presentation, wish: Wish): Promise<WakeReason | 'left'> {
    if (this.#released) return Promise.resolve('released');
    return new Promise((resolve) => {
      const leave = this.#waiters.wait(presentation, wish, (why) => {
        exchange.whileWaiting(null);
        resolve(why);
      });
      exchange.whileWaiting(() => {
        leave();
        resolve('left');
      });
    });
  }
}
