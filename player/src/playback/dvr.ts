/**
 * The window of a viewing: what can be seeked to, and what happens at its ends. Pure.
 *
 *      from                          at            live      to
 *       |------------- behind -------|··············|········|
 *      the oldest that is listed    the picture    where a   the newest
 *                                   that is shown  viewing of the edge stands
 */
export type Window = { readonly from: number; readonly to: number };

/** A fragment as a playlist tells it: where it lies on the clock of the media element, and on that of the world. */
export type Dated = { readonly start: number; readonly duration: number; readonly programDateTime: number | null };

/**
 * The date of a media time, in ms since 1970: that of the fragment in which it lies, and so much later. Times beyond
 * the last fragment count on from it (its parts are there before it is). Null where no fragment has a date.
 */
export const dateAt = (fragments: readonly Dated[], time: number): number | null => {
  let low = 0;
  let high = fragments.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((fragments[middle]?.start ?? Infinity) <= time) low = middle;
    else high = middle - 1;
  }
  const found = fragments[low];
  if (!found || found.programDateTime === null) return null;
  return found.programDateTime + (time - found.start) * 1000;
};

/** So far inside of its beginning a window is entered: the beginning itself leaves the list while it is fetched. */
const foothold = 6;

/** Where "from the beginning" leads to. A window whose beginning stays (the whole show, a recording) loses nothing. */
export const beginningOf = ({ from, to }: Window, moves: boolean): number =>
  moves ? from + Math.min(foothold, (to - from) / 4) : from;

/**
 * What comes next is not listed any more, and what is here does not reach back into the list: nothing would ever
 * come. A viewing that is only a little outside plays on from its buffer.
 */
export const fellOut = ({ from }: Window, at: number, bufferedUntil: number): boolean =>
  at < from && bufferedUntil < from;

/** The end of what is buffered at a place; the place itself where nothing is. */
export const bufferedUntil = (buffered: TimeRanges, at: number): number => {
  for (let range = 0; range < buffered.length; range++) {
    // A tenth of a second: ranges of sound and picture begin a few milliseconds apart.
    if (buffered.start(range) <= at + 0.1 && buffered.end(range) > at) return buffered.end(range);
  }
  return at;
};

export const clampTo = ({ from, to }: Window, time: number): number => Math.min(Math.max(time, from), Math.max(from, to));
