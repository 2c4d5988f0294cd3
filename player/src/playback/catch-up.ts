/**
 * How far behind the live edge to stay, and how fast to play to be there.
 *
 * hls.js can do the second by itself, but it begins at 0.05 s of distance and has no memory: around its target it
 * changed the speed twice a second for as long as the show ran, and each change is a small break in the sound. And
 * what it stands back after a stall it never takes back. Here
 *
 *   - a distance counts when it has lasted for a second: one late playlist is none,
 *   - a change begins at a distance that is worth it, and goes on until it is made up for,
 *   - each time that it runs dry a viewing stands one part further back, and comes back by one after a calm minute;
 *     a line that could not bear that is given twice as long the next time.
 *
 * No clock and no media element: a moment in, the speed out.
 */
import { jumpBehind } from './settings.ts';

export type Moment = {
  /** Any clock that never goes back, ms. */
  readonly at: number;
  /** Seconds behind the live edge, and where the playlist wants players to be. */
  readonly latency: number;
  readonly target: number;
  /** Seconds of media that are here and not yet played. */
  readonly buffered: number;
};

export type Pace = {
  /** Of a viewing that plays and follows the edge. `jump`: so far behind that hurrying would take minutes. */
  next(moment: Moment): { readonly speed: number; readonly jump: boolean };
  /** It ran dry. */
  stalled(at: number): void;
  /** Paused, or somewhere else by the viewer's own will: what was measured counts no more. */
  rest(): void;
  /** Seconds that it stands back further than the playlist asks for. */
  extra(): number;
};

/**
 * Begin at a distance (seconds behind the place, below zero: too near), go on until it is made up for. Speeds above
 * 1.1 can be heard, and so can slow ones.
 */
const faster = [
  { speed: 1.1, from: 1.5, until: 0.75 },
  { speed: 1.05, from: 0.15, until: 0.04 },
] as const;
const slower = { speed: 0.95, from: -0.25, until: -0.05 } as const;

/** So long a distance must have lasted, ms. */
const lasting = 1_000;

/** PART-HOLD-BACK is three parts: with less than one in hand, playing faster would only bring the next stall. */
const partOf = (target: number): number => target / 3;

/** A stall is forgiven after so long without another, ms; at the most that it becomes. */
const calm = { first: 60_000, most: 900_000 } as const;
const mostParts = 6;

export const createPace = (): Pace => {
  let seen: { at: number; behind: number }[] = [];
  let speed = 1;
  let part = 0;
  let partsBack = 0;
  let calmFor: number = calm.first;
  let calmSince = 0;
  let forgivenAt = Number.NEGATIVE_INFINITY;

  const forgive = (at: number): void => {
    if (partsBack === 0 || at - calmSince < calmFor) return;
    partsBack -= 1;
    calmSince = at;
    forgivenAt = at;
  };

  const choose = (least: number, most: number, buffered: number): number => {
    if (buffered >= part) {
      for (const step of faster) if (least > (speed >= step.speed ? step.until : step.from)) return step.speed;
    }
    return most < (speed === slower.speed ? slower.until : slower.from) ? slower.speed : 1;
  };

  return {
    next({ at, latency, target, buffered }) {
      part = partOf(target);
      forgive(at);
      const behind = latency - target - partsBack * part;
      seen = [...seen.filter((one) => at - one.at <= lasting), { at, behind }];
      const [first] = seen;
      // On the way only the end of it is looked for, and it must not be overrun.
      const known = speed !== 1 || (first !== undefined && at - first.at >= lasting * 0.7);
      if (!known) return { speed, jump: false };
      const behinds = seen.map((one) => one.behind);
      const least = Math.min(...behinds);
      speed = choose(least, Math.max(...behinds), buffered);
      return { speed, jump: least > jumpBehind && buffered >= part };
    },
    stalled(at) {
      seen = [];
      speed = 1;
      if (at - forgivenAt < calm.first) calmFor = Math.min(calmFor * 2, calm.most);
      calmSince = at;
      partsBack = Math.min(partsBack + 1, mostParts);
    },
    rest() {
      seen = [];
      speed = 1;
    },
    extra: () => partsBack * part,
  };
};
