/** Many files, one or two at a time. */
import type { UploadQueue } from './types.ts';

export const createUploadQueue = (): UploadQueue => ({
  items: () => [],
  totals: () => ({ files: 0, done: 0, size: 0, sent: 0, speed: null, remaining: null }),
  subscribe: () => () => {},
  add: () => [],
  change: async () => {},
  pause: () => {},
  resume: () => {},
  cancel: async () => {},
  forget: () => {},
  busy: () => false,
  unfinished: async () => [],
  destroy: () => {},
});
