/** How long to wait before trying again: doubling, bounded, and spread so that a thousand viewers do not come back at once. */
export const backOff = (attempt: number, limits: { first: number; most: number }, random: () => number): number => {
  const ceiling = Math.min(limits.most, limits.first * 2 ** Math.min(attempt, 20));
  return Math.round(ceiling * (0.5 + random() / 2));
};
