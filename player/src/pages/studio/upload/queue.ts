/** The one queue of this tab. It lives as long as the tab does: uploads go on while one walks through the pages. */
import { useEffect, useReducer } from 'preact/hooks';
import { session } from '../../../state/session.ts';
import { noUploads, uploadsNow } from '../../../state/uploads.ts';
import { createUploadQueue } from '../../../upload/index.ts';
import type { UploadItem, UploadQueue } from '../../../upload/index.ts';
import { keepAwake } from './keep-awake.ts';

export const queue: UploadQueue = createUploadQueue();

const isUnderWay = ({ state }: UploadItem): boolean =>
  state.is === 'waiting' || state.is === 'preparing' || state.is === 'sending' || state.is === 'verifying';

const askBeforeLeaving = (event: BeforeUnloadEvent): void => event.preventDefault();

const tellTheFrame = (): void => {
  const items = queue.items();
  const files = items.filter(isUnderWay).length;
  const stuck = items.some(({ state }) => state.is === 'failed');
  const { size, sent } = queue.totals();
  // In whole per cents: the frame is drawn again only for what can be seen.
  const share = size > 0 ? Math.floor((sent / size) * 100) / 100 : 0;
  const before = uploadsNow.get();
  if (files === 0 && !stuck) uploadsNow.set(noUploads);
  else if (files !== before.files || share !== before.share || stuck !== before.stuck)
    uploadsNow.set({ files, share, stuck });
  const busy = queue.busy();
  if (busy) addEventListener('beforeunload', askBeforeLeaving);
  else removeEventListener('beforeunload', askBeforeLeaving);
  keepAwake(busy);
};

queue.subscribe(tellTheFrame);

// Whoever signs in next in this browser is not to send what somebody else has chosen.
session.subscribe(() => {
  if (session.get().is !== 'nobody') return;
  for (const { key } of queue.items()) queue.forget(key);
});

export const useQueue = (): readonly UploadItem[] => {
  const [, again] = useReducer((count: number, step: number) => count + step, 0);
  const shown = queue.items();
  useEffect(() => {
    const look = (): void => again(1);
    if (queue.items() !== shown) look();
    return queue.subscribe(look);
  }, []);
  return shown;
};
