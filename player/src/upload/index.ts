/**
 * Uploads without any user interface: files go to the server in parts, whatever the line does meanwhile.
 *
 *     const queue = createUploadQueue();
 *     queue.subscribe(() => draw(queue.items(), queue.totals()));
 *     queue.add(input.files ?? [], { visibility: 'unlisted' });
 *
 * A file that is chosen again after a reload, or on another machine, goes on where it stopped.
 */
export { createUploadQueue } from './queue.ts';
export type {
  Unfinished,
  UploadItem,
  UploadQueue,
  UploadReason,
} from './types.ts';
