/** `?start=<seconds>` of a multivariant playlist: where the viewing begins; below zero, from the end. */

/** A week, which is more than any show has. */
const furthest = 7 * 86_400;
const shape = /^-?\d{1,7}(?:\.\d{1,6})?$/;

/** Null: not asked for. */
export const parseStart = (query: string): number | null | 'bad' => {
  let start: number | null = null;
  if (!query.includes('start')) return null;
  for (const pair of query.split('&')) {
    if (pair !== 'start' && !pair.startsWith('start=')) continue;
    const text = pair.slice('start='.length);
    const seconds = Number(text);
    if (start !== null || !shape.test(text) || Math.abs(seconds) > furthest) return 'bad';
    // Playlists say milliseconds, and -0 is 0.
    start = Math.round(seconds * 1000) / 1000 + 0;
  }
  return start;
};
