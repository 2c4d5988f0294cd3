/** What a viewing is doing, as a page needs to know it to choose its words. */
import type { Captions } from './captions.ts';
import type { Choice } from './choices.ts';
import type { Window } from './dvr.ts';
import type { Quality } from './qualities.ts';

export type ErrorCode = 'network' | 'forbidden' | 'missing' | 'media' | 'codec' | 'keys' | 'noClearKey' | 'insecure' | 'unsupported' | 'player';

export type PlaybackState =
  | { readonly is: 'loading' }
  | { readonly is: 'playing' }
  /** `refused`: the browser lets nothing start without a tap, not even a silent picture. */
  | { readonly is: 'paused'; readonly refused: boolean }
  /** `network`: the server cannot be reached and we keep trying; `data`: the buffer ran dry. */
  | { readonly is: 'stalled'; readonly because: 'data' | 'network' }
  | { readonly is: 'ended' }
  /** Given up. `retry()` starts again. */
  | { readonly is: 'error'; readonly code: ErrorCode };

export type PlaybackOptions = {
  /** The multivariant playlist. */
  readonly source: string;
  readonly live: boolean;
  /** A preview asks for silence; otherwise sound is tried first. */
  readonly muted?: boolean;
  /** Where to begin: seconds from the beginning of the show or the recording. */
  readonly start?: number | null;
  /** Playlists are asked for anew: what this browser kept of them is known to be old. */
  readonly fresh?: boolean;
  onState(state: PlaybackState): void;
  /** True: the browser allows this viewing only without sound until someone touches the page. */
  onSoundBlocked(blocked: boolean): void;
  /** The show has ended: what was live is a recording from here on, and plays to its end. */
  onLiveEnd?(): void;
  /** It was paused for longer than is listed: the viewing goes on at the beginning of what there is. */
  onFellOut?(): void;
  /** The server has no such media. It is tried some more; whoever knows why may say so. */
  onMissing?(): void;
  /** Captions, sounds or sizes have come, gone or changed. */
  onTracks?(): void;
};

/** Where a viewing stands, for bars and labels. Seconds on the clock of the media element. */
export type Moment = {
  /** The show still goes on. */
  readonly live: boolean;
  readonly window: Window;
  /** The window's beginning moves: what lies before it is not listed any more. */
  readonly moves: boolean;
  readonly at: number;
  readonly bufferedUntil: number;
  /** As near to the live edge as this player keeps it. */
  readonly edge: boolean;
  /** Behind where a viewing of the live edge stands; 0 for recordings. */
  readonly behind: number;
};

export type Playback = {
  /** Null before the first picture. */
  moment(): Moment | null;
  /**
   * Seconds from when the server got the picture that is shown until now: the wall clock of the server against the
   * programme date-time of the picture. Null when not live or not known yet.
   */
  latency(): number | null;
  /** Date of a media time in ms since 1970; null where the show does not tell. */
  dateAt(time: number): number | null;
  /** Seconds since the beginning of the show, also where that is not listed any more; null before the first picture. */
  showTime(): number | null;
  play(): void;
  pause(): void;
  seek(time: number): void;
  /** To the beginning of what is listed. */
  startOver(): void;
  goLive(): void;
  readonly captions: Captions;
  readonly sounds: { choices(): readonly Choice[]; chosen(): string | null; choose(id: string): void };
  /** Of one size, or where the browser plays by itself, there is none to choose. */
  readonly qualities: { choices(): readonly Quality[]; chosen(): string | null; shown(): string | null; choose(id: string | null): void };
  retry(): void;
  /** For a person to hand to whoever helps: no grant, no token in it. */
  details(): string;
  destroy(): void;
};
