/** A first page that was read again, put before what was read of the following ones. Pure. */
import type { Instant, Page, Video } from '../../../api/types.ts';

const timeOf = (instant: Instant): number => new Date(instant).getTime();

/** Newest first. What is as new as the fresh page and not on it is gone; what is older was on a later page. */
export const freshened = (
  old: readonly Video[],
  oldCursor: string | null,
  { items, cursor }: Page<Video>,
): { items: readonly Video[]; cursor: string | null } => {
  const last = items.at(-1);
  if (cursor === null || !last) return { items, cursor };
  const fresh = new Set(items.map(({ id }) => id));
  const older = old.filter((video) => !fresh.has(video.id) && timeOf(video.createdAt) < timeOf(last.createdAt));
  return older.length === 0 ? { items, cursor } : { items: [...items, ...older], cursor: oldCursor };
};
