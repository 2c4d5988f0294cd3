/** What a page sees of uploads. */
import type { UploadMetadata } from '../api/endpoints.ts';
import type { VideoNow } from '../api/follow-video.ts';

/** Why an upload stopped. The pages have words for each. */
export type UploadReason =
  /** It has no bytes. */
  | 'empty-file'
  /** It changed, moved or became unreadable while it was sent: it has to be chosen again. */
  | 'file-unreadable'
  /** The same file is in the queue already. */
  | 'already-here'
  | 'too-large'
  | 'quota-exceeded'
  /** Too many of this account's uploads wait for their bytes. */
  | 'too-many'
  | 'disk-full'
  /** This account may not upload, or what was asked for is not to be had here. */
  | 'not-allowed'
  /** The session is over: after signing in it goes on. */
  | 'signed-out'
  /** The upload has expired, or somebody removed the video. */
  | 'gone'
  /** Another program sends into the same upload by another way (tus). */
  | 'taken'
  /** Something between here and the server refuses even the smallest parts. */
  | 'proxy-refuses'
  /** The same bytes arrive changed, again and again. */
  | 'damaged-on-the-way'
  /** What has come is enough to know that nothing can be made of it; `now.error` has the code. */
  | 'not-usable'
  | 'unexpected';

export type UploadState =
  | { readonly is: 'waiting' }
  /** Looked at, and made known to the server. */
  | { readonly is: 'preparing' }
  | { readonly is: 'sending'; readonly line: Line }
  | { readonly is: 'paused' }
  /** All bytes are sent; the server says whether it has them. */
  | { readonly is: 'verifying' }
  | { readonly is: 'done' }
  /** `again`: `resume` goes on where it stopped, if what was in the way is away. */
  | { readonly is: 'failed'; readonly reason: UploadReason; readonly detail: string; readonly again: boolean }
  | { readonly is: 'cancelled' };

/** `trying`: nothing gets through; it is tried again by itself. `offline`: the browser says that there is no network. */
export type Line = 'good' | 'trying' | 'offline';

/** One file, as it is now. A new object whenever something has changed. */
export type UploadItem = {
  /** Names it in this queue. */
  readonly key: string;
  readonly filename: string;
  /** Bytes. */
  readonly size: number;
  readonly state: UploadState;
  /** The video's id; null until the server knows of it. */
  readonly video: string | null;
  readonly metadata: UploadMetadata;
  /** Bytes that have arrived, or are on the way. */
  readonly sent: number;
  /** Bytes that an earlier visit, or another machine, had sent. */
  readonly resumedFrom: number;
  /** Bytes a second, over the last few; null: too early to tell, or nothing moves. */
  readonly speed: number | null;
  /** Seconds; null as above. */
  readonly remaining: number | null;
  /** It can be watched already. */
  readonly plays: boolean;
  /** What the server says of the video; null until it has said something. */
  readonly now: VideoNow | null;
};

export type UploadTotals = {
  readonly files: number;
  readonly done: number;
  /** Bytes of what is neither done, failed nor cancelled; and of those, what has been sent. */
  readonly size: number;
  readonly sent: number;
  readonly speed: number | null;
  readonly remaining: number | null;
};

/** A file that was begun, here or elsewhere, and goes on when it is chosen again. */
export type Unfinished = {
  readonly video: string;
  readonly title: string;
  readonly filename: string;
  readonly size: number;
  readonly received: number;
  /** Until then what has arrived is kept, in ms since 1970; null: the server did not say. */
  readonly expiresAt: number | null;
};

export interface UploadQueue {
  /** In the order in which they were added. The same array until something changes. */
  items(): readonly UploadItem[];
  totals(): UploadTotals;
  /** Called a few times a second at most while bytes move, and at once when a state changes. Returns the way to stop. */
  subscribe(listener: () => void): () => void;
  /** Returns their keys. What is not said follows the server: the title from the filename, visibility private. */
  add(files: Iterable<File>, metadata?: UploadMetadata): readonly string[];
  /** At any time, also when it is done. Rejects with an ApiProblem when the server does not want it so. */
  change(key: string, metadata: UploadMetadata): Promise<void>;
  pause(key: string): void;
  /** Goes on after `pause`, and after a failure that can be mended (`again`). */
  resume(key: string): void;
  /** Stops, and removes the video from the server. Rejects if the server cannot be told; then `cancel` works again. */
  cancel(key: string): Promise<void>;
  /** Takes it off the list. What is under way is paused first: it stays at the server until it expires. */
  forget(key: string): void;
  /** Bytes move or wait to: the page should ask before it is closed. */
  busy(): boolean;
  /** What this account has begun and this queue does not hold. */
  unfinished(): Promise<readonly Unfinished[]>;
  /** Stops everything, as if the page was closed. */
  destroy(): void;
}
