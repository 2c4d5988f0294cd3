/** Uploads as the frame of every page sees them. The queue itself is loaded with the page that fills it, and outlives it. */
import { createStore } from './store.ts';

export type UploadsNow = {
  /** Those that are on their way or wait for it. */
  readonly files: number;
  /** Of their bytes, 0 to 1. */
  readonly share: number;
  /** Something stopped, and only a person can help. */
  readonly stuck: boolean;
};

export const noUploads: UploadsNow = { files: 0, share: 0, stuck: false };

export const uploadsNow = createStore<UploadsNow>(noUploads);
