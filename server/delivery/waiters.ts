/**
 * Requests that must wait for what is not there yet. Each is one entry in a list: those who wait for the same
 * thing share one question, asked once per change; deadlines share one timer. Whoever is woken is answered in
 * slices, a slice per turn of the event loop, so that a crowd of viewers never holds up the publisher.
 *
 *     room (a presentation) ── group (what is waited for) ── entry (a request)
 */
import type { Clock } from '../../packager/clock.ts';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import type { Presentation } from './presentation.ts';
import { Sweep } from './sweep.ts';

export type WakeReason = 'ready' | 'late' | 'released';
export type Wish = {
  /** Equal for all who wait for the same thing of one presentation. */
  readonly key: string;
  readonly ready: (snapshot: PresentationSnapshot) => boolean;
  readonly deadlineMs: number;
};

type Entry = { readonly resume: (why: WakeReason) => void; readonly due: number; gone: boolean };
type Group = { readonly ready: Wish['ready']; readonly entries: Set<Entry> };
type Room = {
  readonly presentation: Presentation;
  readonly groups: Map<string, Group>;
  readonly leave: () => void;
  stirred: boolean;
};

const sliceOfWaiters = 250;
const sweepEveryMs = 200;

export class Waiters {
  readonly #clock: Clock;
  readonly #rooms = new Map<Presentation, Room>();
  readonly #sweep: Sweep;
  readonly #woken: { entry: Entry; why: WakeReason }[] = [];
  #handing = false;
  #count = 0;
  #wakes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sweep = new Sweep(clock, sweepEveryMs, (now) => this.#expire(now));
  }

  get count(): number {
    return this.#count;
  }
  /** How many groups have been woken so far. */
  get wakes(): number {
    return this.#wakes;
  }

  /** Calls `resume` once, in a later turn. The returned function gives up waiting. */
  wait(presentation: Presentation, wish: Wish, resume: (why: WakeReason) => void): () => void {
    const room = this.#rooms.get(presentation) ?? this.#open(presentation);
    let group = room.groups.get(wish.key);
    if (!group) room.groups.set(wish.key, (group = { ready: wish.ready, entries: new Set() }));
    const entry: Entry = { resume, due: this.#clock.now() + wish.deadlineMs, gone: false };
    group.entries.add(entry);
    this.#count++;
    this.#sweep.arm();
    const joined = group;
    return () => {
      entry.gone = true;
      if (!joined.entries.delete(entry)) return;
      this.#count--;
      if (joined.entries.size === 0 && room.groups.get(wish.key) === joined) room.groups.delete(wish.key);
      this.#closeIfEmpty(room);
    };
  }

  /** Everybody is answered with what there is. */
  release(): void {
    for (const room of [...this.#rooms.values()]) {
      for (const [key, group] of [...room.groups]) this.#wake(room, key, group, 'released');
      this.#closeIfEmpty(room);
    }
  }

  #open(presentation: Presentation): Room {
    const room: Room = { presentation, groups: new Map(), leave: presentation.onChange(() => this.#stir(room)), stirred: false };
    this.#rooms.set(presentation, room);
    return room;
  }

  #closeIfEmpty(room: Room): void {
    if (room.groups.size > 0 || this.#rooms.get(room.presentation) !== room) return;
    this.#rooms.delete(room.presentation);
    room.leave();
  }

  /** Changes of several tracks in one turn are one change; and the publisher's own turn is not made longer. */
  #stir(room: Room): void {
    if (room.stirred) return;
    room.stirred = true;
    setImmediate(() => {
      room.stirred = false;
      const snapshot = room.presentation.snapshot();
      for (const [key, group] of [...room.groups]) {
        if (group.ready(snapshot)) this.#wake(room, key, group, 'ready');
      }
      this.#closeIfEmpty(room);
    });
  }

  #expire(now: number): boolean {
    for (const room of [...this.#rooms.values()]) {
      for (const [key, group] of [...room.groups]) {
        for (const entry of group.entries) {
          // Who came later is due later.
          if (entry.due > now) break;
          group.entries.delete(entry);
          this.#hand(entry, 'late');
        }
        if (group.entries.size === 0) room.groups.delete(key);
      }
      this.#closeIfEmpty(room);
    }
    return this.#rooms.size > 0;
  }

  #wake(room: Room, key: string, group: Group, why: WakeReason): void {
    room.groups.delete(key);
    this.#wakes++;
    for (const entry of group.entries) this.#hand(entry, why);
    group.entries.clear();
  }

  #hand(entry: Entry, why: WakeReason): void {
    this.#count--;
    this.#woken.push({ entry, why });
    if (this.#handing) return;
    this.#handing = true;
    setImmediate(() => this.#handOut());
  }

  #handOut(): void {
    for (const { entry, why } of this.#woken.splice(0, sliceOfWaiters)) {
      if (!entry.gone) entry.resume(why);
    }
    this.#handing = this.#woken.length > 0;
    if (this.#handing) setImmediate(() => this.#handOut());
  }
}
