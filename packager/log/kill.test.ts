import t from 'tap';
import { killRounds } from './kill-rounds.ts';

t.test('a writer killed at 20 random moments: what it announced is there, what it had begun is cut off', async (t) => {
  await killRounds(t, 20, 1);
});
