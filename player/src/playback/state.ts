/** What a viewing is doing, as a page needs to know it to choose its words. */
export type ErrorCode = 'network' | 'forbidden' | 'missing' | 'media' | 'unsupported' | 'player';

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
  onState(state: PlaybackState): void;
  /** True: the browser allows this viewing only without sound until someone touches the page. */
  onSoundBlocked(blocked: boolean): void;
};

export type Playback = {
  /** Seconds behind the live edge; null when not live or not known yet. */
  latency(): number | null;
  /** Whether what is seen is as near to the live edge as this player keeps it. */
  atLiveEdge(): boolean;
  goLive(): void;
  retry(): void;
  /** For a person to hand to whoever helps: no grant, no token in it. */
  details(): string;
  destroy(): void;
};
