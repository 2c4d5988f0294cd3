/**
 * Intake: what becomes of an original. While it arrives, its beginning may be watched as soon as its index is known; when
 * it is whole, it is a rung of its own, or work for ffmpeg.
 *
 *     uploading ──▶ (playable) ──▶ whole ──▶ standard ──────────────────────▶ ready
 *                                     └────▶ processing ─▶ lowest rung: playable ─▶ ready
 *                                     └────▶ failed, with a code and a sentence
 */

/** An original that is still coming. */
export type Arriving = {
  readonly path: string;
  readonly size: number;
  /** How many have landed. Fewer than before: a disk lost some, and what comes in their place may be something else. */
  readonly bytes: number;
  has(from: number, to: number): boolean;
};

/** Work that goes on behind a video, for whoever looks at it. */
export type Progress = {
  readonly step: 'import' | 'inspect' | 'remux' | 'audio' | 'lowest' | 'mezzanine' | 'rungs';
  /** 0 to 1; null: nobody knows. */
  readonly done: number | null;
};

export interface Intake {
  /** More of it has landed. Called often, takes no time, never throws. */
  arrived(video: string, original: Arriving): void;
  /** All of it is there. Resolves when what becomes of it stands in the catalog; long work goes on as jobs. Idempotent. */
  whole(video: string): Promise<void>;
  /** The video is gone: what is done for it stops. */
  dropped(video: string): void;
  progress(video: string): Progress | null;
}

/** Why a video could not be used: kept in the catalog, and told in both languages by the pages. */
export const failureCodes = [
  'not-a-video',
  'truncated',
  'broken',
  'encrypted',
  'no-media',
  'too-many-tracks',
  'picture-too-large',
  'took-too-long',
  'encode-failed',
  'no-room',
  'too-large',
  'quota-exceeded',
  'import-refused',
  'import-missing',
  'import-forbidden',
  'import-unreachable',
  'import-contradicts',
  'import-page',
  'import-empty',
  'import-too-slow',
  'import-failed',
] as const;
export type FailureCode = (typeof failureCodes)[number];
