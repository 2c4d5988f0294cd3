/**
 * Which pictures a rung has that may show no more than so many a second. ffmpeg's filter and this function decide alike, so
 * what a fragment of the rung has to hold is known before it comes:
 *
 *     key pictures, always; and whatever is far enough behind the last one that was chosen
 *
 * Pictures are looked at in the order in which they are shown. After a key picture nothing depends on what was before it.
 */

const ticksPerSecond = 90_000;
/** Times jitter by a millisecond or two each way where they were counted in milliseconds: 60 a second are to make 30, and 29.97 stay what they are. */
const tolerance = 0.9;

/** Least ticks from one chosen picture to the next. */
export const leastStep = (picturesPerSecond: number): number => Math.floor((tolerance * ticksPerSecond) / picturesPerSecond);

/** Asked once for each picture, in the order in which they are shown. `cap` null: every picture. */
export const pictureChoice = (cap: number | null): ((pts: number, key: boolean) => boolean) => {
  if (cap === null) return () => true;
  const least = leastStep(cap);
  let last: number | null = null;
  return (pts, key) => {
    if (!key && last !== null && pts - last < least) return false;
    last = pts;
    return true;
  };
};
