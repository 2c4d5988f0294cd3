/**
 * Who watches under a grant just now. A viewing is one grant at one address in one player: it begins with the first media
 * that is asked for and lasts as long as more is, so that a show is watched to its end although the grant is over by then;
 * and it is what is counted where only so many may watch at once.
 *
 * Nothing of it is written down: after a restart of the server everybody who watches begins anew.
 */
import type { Clock } from '../../packager/clock.ts';
import { newId } from '../catalog/ids.ts';
import type { Asker } from '../delivery/presentation.ts';
import { clientKey } from './address.ts';
import type { Grant } from './grant-token.ts';

/** With the 20 s that a peer may take for a slice of an answer, a player that crashed is forgotten within 90 s. */
export const silenceMs = 60_000;
export const longestMs = 24 * 3_600_000;
/** Beyond that, whoever has been silent longest is forgotten. */
const mostRemembered = 100_000;

export type StreamPolicy = 'refuse-new' | 'stop-oldest';
export type StreamLimits = {
  /** How many may watch at once as one account; 0: any number. */
  readonly perAccount: number;
  readonly whenFull: StreamPolicy;
};

type Viewing = {
  readonly id: string;
  readonly key: string;
  readonly group: string;
  readonly grant: string;
  readonly video: string;
  readonly from: Asker;
  /** On the monotonic clock, as all here but `wall`. */
  beganAt: number;
  seenAt: number;
  /** Answers on their way to it. */
  under: number;
  stopped: boolean;
  readonly wall: number;
};

export type ViewingView = {
  readonly id: string;
  readonly videoId: string;
  /** ms since 1970. */
  readonly startedAt: number;
  readonly seenAt: number;
  readonly address: string;
  readonly agent: string;
  readonly grant: string;
};

export type Turned = 'too-many-streams' | 'stream-stopped';

const keyOf = (grant: string, { address, agent }: Asker): string => `${grant} ${clientKey(address)} ${agent}`;
export const accountGroup = (account: string): string => `account ${account}`;

export class Viewings {
  readonly #clock: Clock;
  readonly #limits: StreamLimits;
  readonly #most: number;
  /** Whoever was seen last is last. */
  readonly #all = new Map<string, Viewing>();
  readonly #groups = new Map<string, Set<Viewing>>();

  constructor(clock: Clock, limits: StreamLimits, most = mostRemembered) {
    this.#clock = clock;
    this.#limits = limits;
    this.#most = most;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Whether one that began in time is still going on: then it does not matter that the grant is over. */
  goesOn(grant: Grant, from: Asker): boolean {
    const known = this.#all.get(keyOf(grant.id, from));
    return known !== undefined && this.#isOn(known) && this.#clock.now() - known.beganAt < longestMs;
  }

  /** Media is asked for: the viewing begins, or goes on. */
  take(grant: Grant, from: Asker): Turned | null {
    const now = this.#clock.now();
    const key = keyOf(grant.id, from);
    const known = this.#all.get(key);
    if (known && this.#isRemembered(known)) {
      this.#touch(known, now);
      if (known.stopped) return 'stream-stopped';
      // A grant that is still good begins another day of it.
      if (now - known.beganAt >= longestMs) known.beganAt = now;
      this.#hold(known, from);
      return null;
    }
    if (known) this.#drop(known);
    const { name, limit } = this.#groupOf(grant);
    if (limit !== null && !this.#makeRoom(name, limit)) return 'too-many-streams';
    const { address, agent } = from;
    const viewing = { id: newId(), key, group: name, grant: grant.id, video: grant.video, from: { address, agent }, beganAt: now, seenAt: now, under: 0, stopped: false, wall: this.#clock.wall() };
    this.#all.set(key, viewing);
    const group = this.#groups.get(name) ?? new Set();
    this.#groups.set(name, group.add(viewing));
    this.#forgetSome();
    this.#hold(viewing, from);
    return null;
  }

  /** Whether media would be given, for whoever asks for a list of it: that takes no place. */
  look(grant: Grant, from: Asker): Turned | null {
    const known = this.#all.get(keyOf(grant.id, from));
    if (known && this.#isRemembered(known)) {
      if (known.stopped) this.#touch(known, this.#clock.now());
      return known.stopped ? 'stream-stopped' : null;
    }
    const { name, limit } = this.#groupOf(grant);
    return limit !== null && this.#limits.whenFull === 'refuse-new' && this.#watching(name).length >= limit ? 'too-many-streams' : null;
  }

  /** Somebody means to watch again where he was stopped. */
  restart(grant: Grant, from: Asker): void {
    for (const viewing of this.#groups.get(this.#groupOf(grant).name) ?? []) {
      if (viewing.stopped && viewing.grant === grant.id && (grant.own || viewing.key === keyOf(grant.id, from))) this.#drop(viewing);
    }
  }

  ofAccount(account: string): readonly ViewingView[] {
    return this.#watching(accountGroup(account)).map(({ id, video, wall, beganAt, seenAt, from, grant }) => ({
      ...{ id, videoId: video, startedAt: wall, seenAt: wall + Math.round(seenAt - beganAt), address: from.address, agent: from.agent, grant },
    }));
  }

  /** False: the account watches nothing by this id. */
  stop(account: string, id: string): boolean {
    const found = this.#watching(accountGroup(account)).find((viewing) => viewing.id === id);
    if (found) found.stopped = true;
    return found !== undefined;
  }

  #groupOf({ id, own, account, viewer, streams }: Grant): { readonly name: string; readonly limit: number | null } {
    if (viewer !== null) return { name: `viewer ${viewer}`, limit: streams ?? (this.#limits.perAccount || null) };
    if (own) return { name: accountGroup(account), limit: streams ?? (this.#limits.perAccount || null) };
    return { name: `grant ${id}`, limit: streams };
  }

  #makeRoom(group: string, limit: number): boolean {
    const watching = this.#watching(group);
    if (watching.length < limit) return true;
    if (this.#limits.whenFull === 'refuse-new') return false;
    const oldestFirst = watching.toSorted((a, b) => a.beganAt - b.beganAt);
    for (const viewing of oldestFirst.slice(0, watching.length - limit + 1)) viewing.stopped = true;
    return true;
  }

  #watching(group: string): readonly Viewing[] {
    return [...(this.#groups.get(group) ?? [])].filter((viewing) => this.#isOn(viewing));
  }

  #isRemembered({ under, seenAt }: Viewing): boolean {
    return under > 0 || this.#clock.now() - seenAt < silenceMs;
  }

  #isOn(viewing: Viewing): boolean {
    return !viewing.stopped && this.#isRemembered(viewing);
  }

  /** One long answer (a download) is one request: it is seen until that is over. */
  #hold(viewing: Viewing, { onOver }: Asker): void {
    if (!onOver) return;
    viewing.under += 1;
    onOver(() => {
      viewing.under -= 1;
      if (this.#all.get(viewing.key) === viewing) this.#touch(viewing, this.#clock.now());
    });
  }

  #touch(viewing: Viewing, now: number): void {
    viewing.seenAt = now;
    this.#all.delete(viewing.key);
    this.#all.set(viewing.key, viewing);
  }

  #drop(viewing: Viewing): void {
    this.#all.delete(viewing.key);
    const group = this.#groups.get(viewing.group);
    group?.delete(viewing);
    if (group?.size === 0) this.#groups.delete(viewing.group);
  }

  /** Those that are over, two for each that begins; and whatever is too much. */
  #forgetSome(): void {
    let looked = 0;
    for (const viewing of this.#all.values()) {
      const isTooMuch = this.#all.size > this.#most;
      if (!isTooMuch && (looked >= 2 || this.#isRemembered(viewing))) return;
      looked += 1;
      this.#drop(viewing);
    }
  }
}
