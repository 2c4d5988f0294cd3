/**
 * What delivery needs of the rest of the server: declared here, by the consumer. A presentation is one video
 * as it is played; delivery neither knows nor cares whether it is live, ended, or cut from an upload.
 */
import type { TrackLogReader } from '../../packager/log/types.ts';
import type { PictureName } from '../../packager/pictures/names.ts';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';

export interface Presentation {
  snapshot(): PresentationSnapshot;
  /** The log of one track of the snapshot. */
  reader(track: string): TrackLogReader | null;
  /** Called after every change of the snapshot (a part, a segment, an epoch, the end). Returns the way to stop it. */
  onChange(listener: () => void): () => void;
}

export interface Presentations {
  /** At once for what is live or was played lately; a promise while an ended video is opened from disk; null: no such video, or nothing of it is there yet. */
  find(video: string): Presentation | null | Promise<Presentation | null>;
  /** One that still has this track, which has come off the list of the video; null: nobody was watching, or that was long ago. */
  former(video: string, track: string): Presentation | null;
  /** The video that is live on the channel of this name now. */
  liveOn(channelName: string): string | null | Promise<string | null>;
  /** Called when what was known of a video no longer holds: it is gone, or less of it may be seen. Nothing of it may be answered from memory. */
  onForgotten(listener: (video: string) => void): void;
}

/** What is live, as a small JPEG. */
export interface LivePictureSource {
  /** Null: it is not on, or has no picture (yet). */
  of(video: string): { readonly bytes: Buffer; readonly height: number; /** Another one for another picture. */ readonly version: string } | null;
}

export type FoundPicture = {
  /** As headers say it. */
  readonly type: string;
  /** Of a picture; null: it is none. */
  readonly height: number | null;
  /** Another one for other bytes. */
  readonly version: string;
  /** Rejects with a LogError. */
  read(): Promise<Buffer>;
};

/** What was made of a video once, to be looked at: posters, storyboard, preview; and its chapters. */
export interface PictureSource {
  /** Null: there is no such thing (yet). */
  find(video: string, name: PictureName): FoundPicture | null | Promise<FoundPicture | null>;
}

/** What a grant is asked for: one grant never opens another audience's doors. */
export type Audience = 'media' | 'pictures' | 'keys' | 'statistics';

/** `wasThere`: the peer took all of it, or left by himself; otherwise he was given up, or the answer was broken off. */
export type WhenOver = (wasThere: boolean) => void;

/** Whoever asks, as far as a request tells. Worked out when somebody wants to know. */
export type Asker = {
  /** Behind trusted proxies. */
  readonly address: string;
  readonly agent: string;
  /** Media, and not only a list of it. */
  readonly wantsMedia?: boolean;
  /** Calls back when the answer has gone, or whoever asked has; at once, where that is so already. */
  readonly onOver?: (run: WhenOver) => void;
  /** Ends the answer wherever it is: the peer sees a fault. */
  readonly breakOff?: () => void;
};

export type GrantVerdict =
  | {
      readonly ok: true;
      /** Only answers under the grant `-` may be kept by a shared cache. */
      readonly shared: boolean;
      /** ms since 1970; null: does not expire. */
      readonly expiresAt: number | null;
      readonly maxHeight: number | null;
      readonly mayDownload: boolean;
    }
  | { readonly ok: false; readonly status: 403 | 404; readonly code: string };

/**
 * Judges a grant. Synchronous after the first time, so that the hot path pays a map look-up. `-` on what is
 * not public or unlisted is a 404, as for what does not exist; a wrong, expired or revoked grant is a 403.
 */
export interface Gatekeeper {
  verdict(grant: string, video: string, audience: Audience, from: Asker): GrantVerdict | Promise<GrantVerdict>;
}
