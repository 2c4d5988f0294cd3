/**
 * When an epoch is dated: from the arrival of its first picture, but not before the media ahead of it has ended.
 *
 * An arrival is late by what the line, the gate or a busy machine makes of it, once more, once less. Where the epoch ahead
 * was announced later than this one, its media would end behind this one's beginning, by tens of ms. Shaka (5.2, segments
 * mode of HLS) lays media by its dates, so its timestampOffset is less than 0 from there on; to a negative one it adds a
 * millisecond, takes that for a change at the next part, and begins its source buffer anew: of each segment it shows the
 * first part and nothing else, for as long as the show lasts (shaka-project/shaka-player#10559, not in 5.2.12). In DASH a
 * Period that begins earlier cuts off the end of the one ahead.
 */

/** More than that no line makes: whoever is so far ahead sends faster than time. Shaka closes such a jump by itself. */
const MOST_OVERLAP_MS = 1000;

/** ms since 1970, whole. `wallMs`: arrival; `endMs`: the date at which what is ahead ends, null where nothing is. */
export const epochDate = (wallMs: number, endMs: number | null): number => {
  // A part of a millisecond would be an overlap too, and where nothing at all lies between, players that reckon in seconds find
  // one of 3e-16.
  const free = endMs !== null && endMs - wallMs <= MOST_OVERLAP_MS ? Math.ceil(endMs) + 1 : Number.NEGATIVE_INFINITY;
  return Math.max(Math.round(wallMs), free);
};
