/**
 * How fast to play to come back to the live edge. Pure: the last speed and where things are in, the next speed out.
 *
 * hls.js can do this by itself, but it begins at 0.05 s of distance and has no memory: around its target it changed
 * the speed twice a second for as long as the show ran, and each change is a small break in the sound. Here a
 * catch-up begins only at a distance that a person would want back, and then goes on until it is done.
 */
export type Distance = {
  /** Seconds behind where the viewing should be. */
  readonly behind: number;
  /** Seconds of media that are here and not yet played. */
  readonly buffered: number;
};

/** Begin further behind than `from`; go on until nearer than `until`. Speeds above 1.1 can be heard. */
const steps = [
  { speed: 1.1, from: 1.5, until: 0.75 },
  { speed: 1.05, from: 0.5, until: 0.1 },
] as const;

/** With less than this in hand, playing faster would only bring the next stall. Seconds. */
const leastBuffer = 0.6;

export const catchUpSpeed = (last: number, { behind, buffered }: Distance): number => {
  if (buffered < leastBuffer) return 1;
  for (const { speed, from, until } of steps) {
    if (behind > (last >= speed ? until : from)) return speed;
  }
  return 1;
};
