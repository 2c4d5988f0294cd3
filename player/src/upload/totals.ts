/** All files together. */
import type { UploadItem, UploadTotals } from './types.ts';

const ended: readonly string[] = ['done', 'failed', 'cancelled'];

export const totalsOf = (items: readonly UploadItem[]): UploadTotals => {
  let done = 0;
  let size = 0;
  let sent = 0;
  let speed: number | null = null;
  for (const item of items) {
    if (item.state.is === 'done') done += 1;
    if (ended.includes(item.state.is)) continue;
    size += item.size;
    sent += item.sent;
    if (item.speed !== null) speed = (speed ?? 0) + item.speed;
  }
  const wanted = items.filter(({ state }) => state.is !== 'cancelled').length;
  return { files: wanted, done, size, sent, speed, remaining: speed === null ? null : (size - sent) / speed };
};
