/** What the upload edge needs of the server: whose token this is, whether there is room, and who hears of what has come. */

/** An upload that bytes may be written to. Its id is that of the video. */
export type OpenUpload = {
  readonly id: string;
  readonly size: number;
  /** Bytes of a part, unless the client asks for smaller ones. */
  readonly partSize: number;
  /** ms since 1970. */
  readonly expiresAt: number;
  /** The file; what of it has landed stands beside it. */
  readonly path: string;
};

export type Refusal = { readonly status: number; readonly code: string; readonly detail: string };

export type UploadVerdict =
  | { readonly kind: 'open'; readonly upload: OpenUpload }
  /** All of it is there: said again to whoever asks again. */
  | { readonly kind: 'whole'; readonly id: string; readonly size: number; readonly expiresAt: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What of a file has landed. */
export interface Landed {
  /** Bytes, all together. */
  readonly bytes: number;
  has(from: number, to: number): boolean;
}

export interface UploadDesk {
  /** Whoever holds the token may write this one file until it expires, and nothing else. */
  verdict(token: string): Promise<UploadVerdict>;
  /** Null: so many bytes may come. Asked ahead of every request that brings some. */
  room(bytes: number): Refusal | null;
  /** More of it can be read, also after a restart. Called often: it takes no time. */
  landed(id: string, landed: Landed): void;
  /** All of it is on the platter. Resolves when that is remembered, not when anything has been done with it. Idempotent. */
  whole(id: string): Promise<void>;
  /** Whoever holds the token does not want it any more. */
  cancelled(id: string): Promise<void>;
}
