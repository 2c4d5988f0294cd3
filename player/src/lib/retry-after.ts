/** RFC 9110 10.2.3: seconds, or a date. In milliseconds, at most an hour; null: nothing was asked for. */
const most = 3_600_000;

export const retryAfterMs = (header: string | null, now: number): number | null => {
  if (header === null || header.trim() === '') return null;
  const text = header.trim();
  // Date.parse takes nearly anything for a date.
  const date = /^[A-Z][a-z]+,? /.test(text) ? Date.parse(text) : Number.NaN;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : date - now;
  return Number.isNaN(wait) ? null : Math.min(most, Math.max(0, wait));
};
