/** What whoever wrote a wrong name may have meant. */

/** The name with the fewest letters to change. */
export const nearest = (wrong: string, known: readonly string[]): string => known.reduce((best, name) => (distance(wrong, name) < distance(wrong, best) ? name : best), known[0] ?? '');

const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0 : 1;
      next[j] = Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + change);
    }
    row = next;
  }
  return row[b.length] ?? 0;
};
