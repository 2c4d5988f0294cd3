/**
 * Who watches under a grant just now. A viewing is one grant at one address in one player: it begins with the first media
 * that is asked for and lasts as long as more is, so that a show is watched to its end although the grant is over by then;
 * and it is what is counted where only so many may watch at once. The first of those holds for one video each: grants of
 * one viewer have one id, whatever video they open.
 *
 * Nothing of it is written down: after a restart of the server everybody who watches begins anew.
 */
import type { Clock } from '../../packager/clock.ts';
import { outlivedForMs } from '../catalog/grants.ts';
import { newId } from '../catalog/ids.ts';
import type { Asker } from '../delivery/presentation.ts';
import { clientKey } from './address.ts';
import type { Grant } from './grant-token.ts';

/** Who is counted with whom. */
export type Counted = Pick<Grant, 'id' | 'own' | 'account' | 'viewer' | 'streams'>;
/** Somebody at a video, which a grant may open among others. */
export type Seat = Counted & Pick<Grant, 'expiresAt'> & { readonly video: string };

/** With the 20 s that a peer may take for a slice of an answer, a player that crashed is forgotten within 90 s. */
export const silenceMs = 60_000;
export const longestMs = outlivedForMs;
/** Beyond that, whoever has been silent longest is forgotten. */
const mostRemembered = 100_000;
/** Of one account or viewer, and by one link, which a school may hang out: who makes players up crowds out nobody else. */
export const mostOfOne = 1_000;
export const mostByLink = 10_000;
/** Open in one player at once. */
export const mostVideos = 20;
/** Whoever asks again and again is brought to the end of the lines so often: their order is that of seconds. */
const movedEveryMs = 1_000;
/** Looked at for each viewing that begins. */
const sweptAtOnce = 4;

export type StreamPolicy = 'refuse-new' | 'stop-oldest';
export type StreamLimits = {
  /** How many may watch at once as one account; 0: any number. */
  readonly perAccount: number;
  readonly whenFull: StreamPolicy;
};

/** One video of a viewing. */
type Watched = { beganAt: number; wall: number; seenAt: number; under: number };

type Viewing = {
  readonly id: string;
  readonly key: string;
  readonly group: Group;
  readonly grant: string;
  readonly from: Asker;
  /** What was asked for last is last. */
  readonly videos: Map<string, Watched>;
  /** On the monotonic clock, as all here but `wall`. */
  readonly beganAt: number;
  readonly wall: number;
  seenAt: number;
  movedAt: number;
  /** On their way to it: how to break each off. */
  readonly answers: Set<() => void>;
  stopped: boolean;
};

/** Who is counted together. Whoever was seen last is last, to the second. */
type Group = { readonly name: string; readonly most: number; readonly watching: Set<Viewing>; readonly stopped: Set<Viewing> };

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
const accountGroup = (account: string): string => `account ${account}`;

const byBeginning = (viewings: readonly Viewing[]): readonly Viewing[] => viewings.toSorted((a, b) => a.beganAt - b.beganAt);

export class Viewings {
  readonly #clock: Clock;
  readonly #limits: StreamLimits;
  readonly #most: number;
  /** Whoever was seen last is last, to the second. */
  readonly #all = new Map<string, Viewing>();
  readonly #groups = new Map<string, Group>();

  constructor(clock: Clock, limits: StreamLimits, most = mostRemembered) {
    this.#clock = clock;
    this.#limits = limits;
    this.#most = most;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Whether one that began while the grant was good is still going on: then it does not matter that the grant is over. */
  goesOn(grant: Seat, from: Asker): boolean {
    const known = this.#all.get(keyOf(grant.id, from));
    const watched = known && !known.stopped ? known.videos.get(grant.video) : undefined;
    return watched !== undefined && this.#lasts(watched) && watched.wall < grant.expiresAt;
  }

  /** Media is asked for: the viewing begins, or goes on. */
  take(grant: Seat, from: Asker): Turned | null {
    const now = this.#clock.now();
    const key = keyOf(grant.id, from);
    const known = this.#all.get(key);
    if (known && this.#isRemembered(known)) {
      this.#seen(known, now);
      if (known.stopped) return 'stream-stopped';
      this.#watch(known, grant.video, from, now);
      return null;
    }
    if (known) this.#drop(known);
    const { name, limit, most } = this.#countedAs(grant);
    if (limit !== null && !this.#makeRoom(name, limit)) return 'too-many-streams';
    const group = this.#groups.get(name) ?? { name, most, watching: new Set(), stopped: new Set() };
    const { address, agent } = from;
    const viewing: Viewing = {
      ...{ id: newId(), key, group, grant: grant.id, from: { address, agent }, videos: new Map() },
      ...{ beganAt: now, wall: this.#clock.wall(), seenAt: now, movedAt: now, answers: new Set(), stopped: false },
    };
    this.#all.set(key, viewing);
    this.#groups.set(name, group);
    group.watching.add(viewing);
    this.#forgetSome(group);
    this.#watch(viewing, grant.video, from, now);
    return null;
  }

  /** Whether media would be given, for whoever asks for a list of it: that takes no place. */
  look(grant: Counted, from: Asker): Turned | null {
    const known = this.#all.get(keyOf(grant.id, from));
    if (known && this.#isRemembered(known)) {
      if (known.stopped) this.#seen(known, this.#clock.now());
      return known.stopped ? 'stream-stopped' : null;
    }
    const { name, limit } = this.#countedAs(grant);
    return limit !== null && this.#limits.whenFull === 'refuse-new' && this.#watching(name).length >= limit ? 'too-many-streams' : null;
  }

  /** Somebody means to watch again where he was stopped. */
  restart(grant: Counted, from: Asker): void {
    for (const viewing of this.#groups.get(this.#countedAs(grant).name)?.stopped ?? []) {
      if (viewing.grant === grant.id && (grant.own || viewing.key === keyOf(grant.id, from))) this.#drop(viewing);
    }
  }

  /** Whoever began first is first. */
  ofAccount(account: string): readonly ViewingView[] {
    return byBeginning(this.#watching(accountGroup(account))).flatMap(({ id, videos, wall, beganAt, seenAt, from, grant }) => {
      const last = [...videos].at(-1);
      if (!last) return [];
      const [videoId, watched] = last;
      return { id, videoId, startedAt: watched.wall, seenAt: wall + Math.round(seenAt - beganAt), address: from.address, agent: from.agent, grant };
    });
  }

  /** False: the account watches nothing by this id. */
  stop(account: string, id: string): boolean {
    const found = this.#watching(accountGroup(account)).find((viewing) => viewing.id === id);
    if (found) this.#stop(found);
    return found !== undefined;
  }

  /** The grant was taken back: nobody watches by it any more. */
  end(grant: string): void {
    for (const viewing of this.#all.values()) if (viewing.grant === grant) this.#end(viewing);
  }

  /** Whoever watches as this account itself, but by one of these grants. */
  endAccount(account: string, except: ReadonlySet<string>): void {
    const group = this.#groups.get(accountGroup(account));
    for (const viewing of group ? [...group.watching, ...group.stopped] : []) if (!except.has(viewing.grant)) this.#end(viewing);
  }

  #countedAs({ id, own, account, viewer, streams }: Counted): { readonly name: string; readonly limit: number | null; readonly most: number } {
    if (viewer === null && !own) return { name: `grant ${id}`, limit: streams, most: mostByLink };
    return { name: viewer === null ? accountGroup(account) : `viewer ${viewer}`, limit: streams ?? (this.#limits.perAccount || null), most: mostOfOne };
  }

  #makeRoom(group: string, limit: number): boolean {
    const watching = this.#watching(group);
    if (watching.length < limit) return true;
    if (this.#limits.whenFull === 'refuse-new') return false;
    for (const viewing of byBeginning(watching).slice(0, watching.length - limit + 1)) this.#stop(viewing);
    return true;
  }

  /** Those that are over go, so that they are not looked at again. */
  #watching(group: string): readonly Viewing[] {
    const watching: Viewing[] = [];
    for (const viewing of this.#groups.get(group)?.watching ?? []) {
      if (this.#isRemembered(viewing)) watching.push(viewing);
      else this.#drop(viewing);
    }
    return watching;
  }

  #isRemembered({ answers, seenAt }: Viewing): boolean {
    return answers.size > 0 || this.#clock.now() - seenAt < silenceMs;
  }

  #lasts({ beganAt, seenAt, under }: Watched): boolean {
    const now = this.#clock.now();
    return (under > 0 || now - seenAt < silenceMs) && now - beganAt < longestMs;
  }

  #watch(viewing: Viewing, video: string, from: Asker, now: number): void {
    const { videos } = viewing;
    const known = videos.get(video);
    const watched = known ?? { beganAt: now, wall: this.#clock.wall(), seenAt: now, under: 0 };
    if (!this.#lasts(watched)) {
      // After a silence it begins anew; and a grant that is still good begins another day of it.
      watched.beganAt = now;
      watched.wall = this.#clock.wall();
    }
    watched.seenAt = now;
    // Of one there is no order.
    if (!known || videos.size > 1) {
      videos.delete(video);
      videos.set(video, watched);
      const [oldest] = videos.size > mostVideos ? videos.keys() : [];
      if (oldest !== undefined) videos.delete(oldest);
    }
    this.#hold(viewing, watched, from);
  }

  /** One long answer (a download) is one request: it is seen until that is over. */
  #hold(viewing: Viewing, watched: Watched, { onOver, breakOff }: Asker): void {
    if (!onOver) return;
    const answer = (): void => breakOff?.();
    viewing.answers.add(answer);
    watched.under += 1;
    onOver((wasThere) => {
      viewing.answers.delete(answer);
      watched.under -= 1;
      // A player that crashed was there for the last time when it asked.
      if (!wasThere) return;
      watched.seenAt = this.#clock.now();
      if (this.#all.get(viewing.key) === viewing) this.#seen(viewing, watched.seenAt);
    });
  }

  #seen(viewing: Viewing, now: number): void {
    viewing.seenAt = now;
    if (now - viewing.movedAt >= movedEveryMs) this.#toTheEnd(viewing, now);
  }

  #toTheEnd(viewing: Viewing, now: number): void {
    viewing.movedAt = now;
    this.#all.delete(viewing.key);
    this.#all.set(viewing.key, viewing);
    const { watching, stopped } = viewing.group;
    const among = viewing.stopped ? stopped : watching;
    among.delete(viewing);
    among.add(viewing);
  }

  #stop(viewing: Viewing): void {
    const { watching, stopped, most } = viewing.group;
    viewing.stopped = true;
    watching.delete(viewing);
    stopped.add(viewing);
    const [oldest] = stopped.size > most ? stopped : [];
    if (oldest) this.#drop(oldest);
    for (const breakOff of viewing.answers) breakOff();
  }

  #end(viewing: Viewing): void {
    this.#drop(viewing);
    for (const breakOff of viewing.answers) breakOff();
  }

  #drop(viewing: Viewing): void {
    const { name, watching, stopped } = viewing.group;
    this.#all.delete(viewing.key);
    watching.delete(viewing);
    stopped.delete(viewing);
    if (watching.size + stopped.size === 0) this.#groups.delete(name);
  }

  /** Those that are over, several for each that begins; and whatever is too much. */
  #forgetSome({ watching, most }: Group): void {
    for (let looked = 0; looked < sweptAtOnce; looked += 1) {
      const [longest] = this.#all.values();
      if (!longest) return;
      // It asked long ago and takes its answer still: others behind it may be over.
      if (longest.answers.size > 0) this.#toTheEnd(longest, this.#clock.now());
      else if (this.#isRemembered(longest)) break;
      else this.#drop(longest);
    }
    const [longest] = this.#all.size > this.#most ? this.#all.values() : [];
    if (longest) this.#drop(longest);
    const [ofThem] = watching.size > most ? watching : [];
    if (ofThem) this.#drop(ofThem);
  }
}
