/**
 * The live picture of every show that is on, for cards: the newest key picture as a small JPEG, about every five seconds, in
 * memory alone. One is made at a time on the whole server, and no more than half of the time, so however many shows there
 * are, they share half of one core that gives way to everybody; where there are too many, or the machine is slow, pictures
 * become rarer by themselves. What cannot be decoded costs its own show its picture: the one of before stays.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import type { CoreBudget } from '../../packager/encode/budget.ts';
import type { Jpeg } from '../../packager/encode/jpeg.ts';
import { makeJobPlace, type JobPlace, type Sandbox } from '../../packager/encode/sandbox.ts';
import { takePicture, type LonePicture, type Taken } from '../../packager/encode/take-picture.ts';
import type { KeyPicture } from '../../packager/live/key-picture.ts';
import { CodecError } from '../../packager/media/codec-error.ts';
import { pictureFacts } from '../../packager/media/picture-facts.ts';
import type { ServerLog } from '../log.ts';

export type LivePicture = Jpeg & {
  /** Another one for another picture: it stands in addresses, so that pages know whether they have it. */
  readonly version: string;
};

export type ShowOnNow = { readonly video: string; /** Its newest. */ readonly key: KeyPicture | null };

export type LivePicturesOptions = {
  readonly clock: Clock;
  readonly log: Pick<ServerLog, 'debug' | 'warn'>;
  readonly budget: Pick<CoreBudget, 'free'>;
  readonly shows: () => readonly ShowOnNow[];
  /** `<data>/jobs`: what a crash leaves there is swept away. */
  readonly folder: string;
  /** For tests: what makes them. */
  readonly take?: (picture: LonePicture, signal: AbortSignal) => Promise<Taken>;
};

/** How soon it is seen that a show has begun, or has a new key picture. */
const LOOK_MS = 500;
const EVERY_MS = 5_000;
/** Where no core is free for encoding: what is paid for by fewer pictures is not asked of anybody. */
const EVERY_WHEN_FULL_MS = 30_000;
const LEAST_FREE = 0.1;
/** After a picture that could not be made, for a second time and more often. */
const LONGEST_PAUSE_MS = 60_000;
const TELL_EVERY_MS = 60_000;

type Show = {
  /** What was tried last. */
  tried: KeyPicture | null;
  triedAt: number;
  failures: number;
  toldAt: number;
  picture: LivePicture | null;
};

type Due = { readonly video: string; readonly show: Show; readonly key: KeyPicture };

export class LivePictures {
  readonly #o: LivePicturesOptions;
  readonly #shows = new Map<string, Show>();
  readonly #stopped = new AbortController();
  #take: LivePicturesOptions['take'] | null;
  #working: Promise<void> | null = null;
  #restUntil = Number.NEGATIVE_INFINITY;
  #cancelLook: () => void = () => undefined;
  readonly counts = { taken: 0, failed: 0 };

  constructor(options: LivePicturesOptions) {
    this.#o = options;
    this.#take = options.take ?? null;
    this.#lookLater();
  }

  /** From now on there is somebody who decodes. */
  async equip(sandbox: Sandbox): Promise<void> {
    const place: JobPlace = await makeJobPlace(join(this.#o.folder, `pictures-${process.pid}`));
    this.#take = (picture, signal) => takePicture({ sandbox, place, signal }, picture);
  }

  /** Null: it is not on, or has no picture (yet). */
  of(video: string): LivePicture | null {
    return this.#shows.get(video)?.picture ?? null;
  }

  async stop(): Promise<void> {
    this.#cancelLook();
    this.#stopped.abort();
    await this.#working;
  }

  #lookLater(): void {
    this.#cancelLook = this.#o.clock.after(LOOK_MS, () => {
      this.#lookLater();
      this.#look();
    });
  }

  #look(): void {
    const { clock, shows } = this.#o;
    const on = shows();
    const videos = new Set(on.map(({ video }) => video));
    for (const video of this.#shows.keys()) if (!videos.has(video)) this.#shows.delete(video);
    const take = this.#take;
    if (!take || this.#working || clock.now() < this.#restUntil) return;
    const due = this.#nextDue(on);
    if (!due) return;
    this.#working = this.#renew(due, take).finally(() => {
      this.#working = null;
    });
  }

  /** The one that has waited for the longest. */
  #nextDue(on: readonly ShowOnNow[]): Due | null {
    const now = this.#o.clock.now();
    let next: Due | null = null;
    for (const { video, key } of on) {
      const show = this.#shows.get(video) ?? { tried: null, triedAt: Number.NEGATIVE_INFINITY, failures: 0, toldAt: Number.NEGATIVE_INFINITY, picture: null };
      this.#shows.set(video, show);
      if (!key || key === show.tried || now - show.triedAt < this.#pause(show)) continue;
      if (!next || show.triedAt < next.show.triedAt) next = { video, show, key };
    }
    return next;
  }

  #pause({ failures, picture }: Show): number {
    if (failures > 0) return Math.min(LONGEST_PAUSE_MS, EVERY_MS * 2 ** (failures - 1));
    return picture && this.#o.budget.free < LEAST_FREE ? EVERY_WHEN_FULL_MS : EVERY_MS;
  }

  async #renew({ video, show, key }: Due, take: NonNullable<LivePicturesOptions['take']>): Promise<void> {
    const { clock } = this.#o;
    const began = clock.now();
    Object.assign(show, { tried: key, triedAt: began });
    const words = await this.#tryIt(show, key, take).catch((error: unknown) => {
      // Its head cannot be read. Anything else is a fault of ours (no process can be made, say), and goes no further than this.
      if (error instanceof CodecError) return error.message;
      this.#o.log.warn({ video, err: error }, 'A live picture could not be made.');
      return String(error);
    });
    const over = clock.now();
    this.#restUntil = over + (over - began);
    if (words === null) return;
    this.counts.failed += 1;
    show.failures += 1;
    if (over - show.toldAt < TELL_EVERY_MS) return;
    show.toldAt = over;
    this.#o.log.debug({ video, words, failures: show.failures }, 'A live picture could not be made; the one of before stays.');
  }

  /** Null: it is there (or nobody wants it any more); else why not. */
  async #tryIt(show: Show, key: KeyPicture, take: NonNullable<LivePicturesOptions['take']>): Promise<string | null> {
    const { codec, config } = key.config;
    const { size, colour } = pictureFacts(key.config);
    if (!size) return 'nobody has said how large the pictures are';
    const taken = await take({ codec, config, ...size, colour, data: key.data }, this.#stopped.signal);
    if (taken.kind === 'unwanted') return null;
    if (taken.kind === 'failed') return taken.words;
    this.counts.taken += 1;
    Object.assign(show, { failures: 0, picture: { ...taken.jpeg, version: versionOf(taken.jpeg) } });
    return null;
  }
}

const versionOf = ({ bytes }: Jpeg): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
