import t from 'tap';
import { damagedMovies } from '../../test/support/damaged-movies.ts';

t.test('100,000 damaged films end in an index that holds, or in an Mp4Error', async (t) => {
  const { accepted, refused } = await damagedMovies({ count: 100_000, seed: 1 });
  t.ok(accepted > 1000 && refused > 1000, `${accepted} accepted, ${refused} refused`);
});
