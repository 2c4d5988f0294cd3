import { damagedMovies } from '../../test/support/damaged-movies.ts';

// tap follows every promise from the moment it is loaded, which takes longer than all of these films: it comes behind them.
const outcome = damagedMovies({ count: 100_000, seed: 1 });
await Promise.allSettled([outcome]);
const { default: t } = await import('tap');

t.test('100,000 damaged films end in an index that holds, or in an Mp4Error', async (t) => {
  const { accepted, refused } = await outcome;
  t.ok(accepted > 1000 && refused > 1000, `${accepted} accepted, ${refused} refused`);
});
