/**
 * Room for jobs: who may begin one now, and what of the machine it gets.
 *
 *     small   next to nothing each, a few at once: looking, joining, texts, pictures
 *     heavy   whatever keeps a core busy, of all classes and of all processes: as many equal slots as there are cores
 *
 * Live comes before all of it (see the core budget).
 */
import { systemClock, type Clock } from '../../packager/clock.ts';
import type { CoreBudget, CoreLease } from '../../packager/encode/budget.ts';
import type { Job } from './queue.ts';

export type Room = {
  /** Of these classes, those of which a job may begin now. */
  open(classes: readonly string[]): readonly string[];
  /** For a job of an open class. `giveWay`: called when live needs the cores. Null: somebody else was quicker. */
  take(job: Pick<Job, 'id' | 'class'>, giveWay: () => void): CoreLease | null;
  /** What a job of this class has found missing, the next one would as well. Absent: each is to see for itself. */
  readonly later?: (jobClass: string) => void;
  /** Called whenever there may be more room. Returns the way to stop. */
  onFree(listener: () => void): () => void;
};

export type Share = {
  /** Of each job; where the budget has fewer in all, those. */
  readonly cores: number;
  /** At once, however many cores there are. */
  readonly most: number;
};

/** Remade tracks of long originals take as long as the film: with every slot full of them nothing that is short would come to its turn. */
const longest = 'rest';
/** Of what is heavy, what is made behind videos that play. What makes a file playable says at once that it cannot. */
const behind: readonly string[] = [longest, 'encode'];
/** What can be done in no other process than the server's. */
const onlyHere: readonly string[] = ['first', longest];
/** Of the machine, kept out of the slots: for what is small, which would otherwise wait for the end of a chunk. */
const smallShare = 0.2;

/** A lease that says when it is over. */
const noting = (lease: CoreLease | null, began: () => void, ended: () => void): CoreLease | null => {
  if (!lease) return null;
  began();
  let over = false;
  return {
    ask: lease.ask,
    get cores() {
      return lease.cores;
    },
    resize: (cores) => lease.resize(cores),
    release() {
      if (over) return;
      over = true;
      // Before whoever waits for room is told that there is some.
      ended();
      lease.release();
    },
  };
};

export const smallRoom = (budget: CoreBudget, { cores: wanted, most }: Share, mayBegin = (): boolean => true): Room => {
  const cores = Math.min(wanted, budget.total);
  let running = 0;
  const isOpen = (): boolean => running < most && budget.free >= cores && mayBegin();
  return {
    open: (classes) => (isOpen() ? classes : []),
    take(job, giveWay) {
      if (!isOpen()) return null;
      return noting(budget.take({ rank: 'vod', cores, name: job.class, yield: giveWay }), () => (running += 1), () => (running -= 1));
    },
    onFree: (listener) => budget.onFree(listener),
  };
};

export type Rooms = {
  /** How many heavy jobs at once, in all processes together. */
  readonly slots: number;
  /** What is heavy, in the server itself. */
  readonly heavy: Room;
  /** Of uploads: seconds of work each, one at a time, wherever. */
  readonly pictures: Room;
  /** Putting together what is there takes next to nothing. */
  readonly light: Room;
  /** Subtitles wait for the disk more than for a core, and some for half an hour: one at a time. */
  readonly captions: Room;
  /** For processes beside the server: what of both they can do. */
  readonly workers: Room;
};

export type RoomsOptions = {
  /** How many heavy jobs that a worker could do as well the server does itself at the most. */
  readonly here: number;
  /** False: the disk is nearly full, and what is left of it is for what is live. Looked at whenever somebody looks for work. */
  readonly mayWrite?: () => boolean;
  /** False: there is no ffmpeg. What is made behind videos that play loses nothing by waiting for a start that finds one. */
  readonly mayConvert?: () => boolean;
  readonly clock?: Clock;
};

/** As long as the queue waits with a job that found no room. A quota that is used up closes nothing else. */
const shutMs = 60_000;

export const roomsOf = (budget: CoreBudget, { here: mostHere, mayWrite = () => true, mayConvert = () => true, clock = systemClock }: RoomsOptions): Rooms => {
  // What the budget keeps for the server is a part of a core, and takes no slot away.
  const slots = Math.max(1, Math.floor(budget.total + 0.3));
  const cores = Math.max(budget.total / 2, budget.total - smallShare) / slots;
  let [long, shareable] = [0, 0];
  const shutUntil = new Map<string, number>();
  const isShut = (jobClass: string): boolean => clock.now() < (shutUntil.get(jobClass) ?? -Infinity);
  const later = (jobClass: string): void => void shutUntil.set(jobClass, clock.now() + shutMs);
  const isOpen = (jobClass: string, isHere: boolean): boolean => {
    if (budget.free < cores || isShut(jobClass)) return false;
    if (behind.includes(jobClass) && !mayConvert()) return false;
    // What nobody waits for.
    if (!onlyHere.includes(jobClass) && !mayWrite()) return false;
    if (jobClass === longest && slots > 1 && long >= slots - 1) return false;
    return onlyHere.includes(jobClass) ? isHere : !isHere || shareable < mostHere;
  };
  const heavy = (isHere: boolean): Room => ({
    open: (classes) => classes.filter((one) => isOpen(one, isHere)),
    take(job, giveWay) {
      if (!isOpen(job.class, isHere)) return null;
      const count = (by: number) => (): void => {
        if (job.class === longest) long += by;
        else if (isHere && !onlyHere.includes(job.class)) shareable += by;
      };
      return noting(budget.take({ rank: 'vod', cores, name: job.class, yield: giveWay }), count(1), count(-1));
    },
    later,
    onFree: (listener) => budget.onFree(listener),
  });
  const pictures = { ...smallRoom(budget, { cores: Math.min(0.1, budget.total / 20), most: 1 }, () => mayConvert() && mayWrite() && !isShut('picture')), later };
  const light = smallRoom(budget, { cores: Math.min(0.05, budget.total / 40), most: 1 }, mayConvert);
  const captions = smallRoom(budget, { cores: Math.min(0.1, budget.total / 25), most: 1 }, mayConvert);
  return { slots, heavy: heavy(true), pictures, light, captions, workers: either('picture', pictures, heavy(false)) };
};

const either = (jobClass: string, room: Room, others: Room): Room => ({
  open: (classes) => [...room.open(classes.filter((one) => one === jobClass)), ...others.open(classes.filter((one) => one !== jobClass))],
  take: (job, giveWay) => (job.class === jobClass ? room : others).take(job, giveWay),
  later: (one) => (one === jobClass ? room : others).later?.(one),
  onFree: (listener) => others.onFree(listener),
});
