/** How far the bits of a rung may leave their average: one truth for its encoder, for its level, and for what players are told. */

export type RateBounds = { readonly maxRate: number; readonly buffer: number };

const overAverage = 1.2;
/** Of the average; a second's worth would let a segment that begins with a key picture grow to nearly twice the average. */
const bufferSeconds = 0.6;
/** The shortest segments that there are, but for the last one of an epoch. */
const shortestSegment = 2;

/** What x264 is held to: so many bits a second, and so many at once beyond that. */
export const rateBounds = (bitRate: number): RateBounds => ({ maxRate: Math.round(bitRate * overAverage), buffer: Math.round(bitRate * bufferSeconds) });

/** The most that a segment can have, bits a second: a full buffer at its beginning, and an empty one at its end. */
export const segmentPeak = (bitRate: number): number => {
  const { maxRate, buffer } = rateBounds(bitRate);
  return Math.ceil(maxRate + buffer / shortestSegment);
};
