import t from 'tap';
import type { Video } from '../api/types.ts';
import { withNow } from './video-now.ts';

const video = { id: 'v', state: 'processing', duration: null } as unknown as Video;
const heard = { state: 'playable', duration: 40, error: null, progress: null, upload: null } as const;

t.test('what was heard is newer than what was loaded', async (t) => {
  t.equal(withNow(video, undefined), video);
  t.match(withNow(video, heard), { id: 'v', state: 'playable', duration: 40 });
  t.match(withNow({ ...video, trim: null }, heard), { duration: 40 });
});

t.test('to whoever may trim it, it stays as long as all of it', async (t) => {
  t.match(withNow({ ...video, duration: 60, trim: { in: 20, out: null } }, heard), { state: 'playable', duration: 60, trim: { in: 20 } });
});
