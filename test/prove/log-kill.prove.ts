import t from 'tap';
import { killRounds } from '../../packager/log/kill-rounds.ts';

t.test('a writer killed at 200 random moments: what it announced is there, what it had begun is cut off', { timeout: 600_000 }, async (t) => {
  await killRounds(t, 200, 2);
});
