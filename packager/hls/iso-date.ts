/**
 * A date as EXT-X-PROGRAM-DATE-TIME has it. A playlist of hours has thousands, a fraction of a second apart: within a
 * minute only the last digits differ, and `toISOString` would be half of the cost of all its text.
 */
const minute = 60_000;

export const isoDate = (wallMs: number): string => {
  const ms = Math.round(wallMs);
  const since = ms - known.from;
  if (since < 0 || since >= minute) {
    const from = Math.floor(ms / minute) * minute;
    // "2026-11-21T10:34:": what all dates of this minute begin with.
    known = { from, text: new Date(from).toISOString().slice(0, -7) };
    return isoDate(ms);
  }
  const digits = String(100_000 + since);
  return `${known.text}${digits.slice(1, 3)}.${digits.slice(3)}Z`;
};

let known = { from: Number.NEGATIVE_INFINITY, text: '' };
