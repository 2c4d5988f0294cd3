import t from 'tap';
import type { Video } from '../../../api/types.ts';
import { freshened } from './freshened.ts';

const video = (at: number): Video => ({
  id: `v${at}`,
  title: `Video ${at}`,
  state: 'ready',
  visibility: 'private',
  createdAt: at,
  startedAt: null,
  duration: 1,
  channelId: null,
});
const ids = ({ items }: { items: readonly Video[] }): string => items.map(({ id }) => id).join(' ');

t.test('what is new comes in at the top, and later pages stay', async (t) => {
  const list = freshened([video(4), video(3), video(2), video(1)], null, { items: [video(5), video(4)], cursor: 'after 4' });
  t.equal(ids(list), 'v5 v4 v3 v2 v1');
  t.equal(list.cursor, null, 'the end of the list was reached before');
});

t.test('what was removed from the first page goes', async (t) => {
  const list = freshened([video(4), video(3), video(2), video(1)], 'after 1', { items: [video(4), video(2)], cursor: 'after 2' });
  t.equal(ids(list), 'v4 v2 v1');
  t.equal(list.cursor, 'after 1');
});

t.test('a list that fits on one page is that page', async (t) => {
  t.same(freshened([video(2), video(1)], 'x', { items: [video(1)], cursor: null }), { items: [video(1)], cursor: null });
  t.same(freshened([video(2)], null, { items: [], cursor: null }), { items: [], cursor: null });
  t.same(freshened([], null, { items: [video(1)], cursor: 'after 1' }), { items: [video(1)], cursor: 'after 1' });
});
