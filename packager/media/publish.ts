/**
 * What a protocol edge and the core say to each other. An edge asks the desk to admit a publisher, and gets
 * a sink for its access units; it never sees a channel, a log or a viewer.
 *
 *     edge ── admit(request) ──▶ desk
 *     edge ◀─ verdict ────────── desk      refused: say so in the protocol's words, close
 *     edge ── track, write ────▶ sink      write() === false: stop reading until `drained`
 *     edge ── event ───────────▶ sink      timed metadata beside them: never worth a stream
 *     edge ── line, uncarried ─▶ sink      what the streamer should hear of: never worth a stream either
 *     edge ── end(reason) ─────▶ sink      exactly once
 *     edge ◀─ evict(reason) ──── core      taken over, channel deleted, shutting down: close
 */
import type { WireEvent } from './event.ts';
import type { AccessUnit, MediaKind, TrackConfig, WireClock } from './unit.ts';

export type Protocol = 'rtmp' | 'rtmps' | 'srt' | 'whip';

export type PublishRequest = {
  readonly protocol: Protocol;
  /** The stream key as the sender gave it: a secret, never logged. */
  readonly key: string;
  /** Address of the sender, as the socket (or a trusted proxy) knows it. */
  readonly address: string;
  /** What the encoder calls itself; shown to the streamer, so bounded by the edge. */
  readonly software?: string;
  readonly clock: WireClock;
  /** A protocol with a passphrase (SRT): whether the sender knows the channel's, or rightly uses none. Asked before anybody is let in. */
  readonly proves?: (passphrase: string | null) => Promise<boolean>;
  /** Aborted when the sender has left, also while the desk is thinking: nobody makes room for it, and nothing is asked for it any more. */
  readonly left?: AbortSignal;
  /** The core calls this when the session must go; the edge closes the socket and calls `end('evicted')`. */
  readonly evict: (reason: EvictReason) => void;
};

export type RefusalCode = 'unknown-key' | 'wrong-passphrase' | 'busy' | 'slow-down' | 'shutting-down' | 'refused';
export type PublishVerdict =
  | { readonly ok: true; readonly sink: PublishSink }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string };

export interface PublishDesk {
  admit(request: PublishRequest): Promise<PublishVerdict>;
}

/**
 * Why a session ended. Only an announced end finishes the show at once; every other one opens the
 * reconnect window.
 */
export type EndReason =
  | 'announced' // FCUnpublish, deleteStream, SRT shutdown: the sender meant it
  | 'lost' // the socket closed or broke without a word
  | 'timeout' // no media for too long
  | 'protocol-error' // what came was not the protocol
  | 'evicted'; // we sent it away

export type EvictReason = 'taken-over' | 'key-revoked' | 'ended-by-owner' | 'channel-deleted' | 'shutting-down' | 'fault';

/**
 * What a protocol that mends its losses knows of its line, since the beginning of the session. All of it was counted;
 * protocols that count nothing (RTMP) say nothing.
 */
export type LineReport = {
  /** Packets of media that came; bytes in them. */
  readonly packets: number;
  readonly bytes: number;
  /** Found missing; of these, come after all; given up, as it was too late for them. */
  readonly lost: number;
  readonly recovered: number;
  readonly dropped: number;
  /** Packets that were sent again. */
  readonly again: number;
  /** Not to be decrypted. */
  readonly undecrypted: number;
  /** Pictures and frames of sound that lacked a piece, and were left out. */
  readonly damaged: number;
  readonly rttMs: number;
  /** That both sides agreed on. */
  readonly latencyMs: number;
  readonly encrypted: boolean;
};

export interface PublishSink {
  /** Announces a track, or a new configuration of one. The same configuration again is nothing. */
  track(config: TrackConfig): void;
  /** Takes one access unit. False: the core is full; stop reading the socket until `drained` resolves. */
  write(unit: AccessUnit): boolean;
  /** Resolves when the core has room again (at once when it has). */
  drained(): Promise<void>;
  /** Something that is said at a moment (ID3, SCTE-35). Bounded by the core: what is too much is dropped and counted. */
  event(event: WireEvent): void;
  /** What the sender says about itself (onMetaData): a hint, shown and never believed. */
  hint(metadata: Readonly<Record<string, unknown>>): void;
  /** What is known of the line, once a second at the most. */
  line?(report: LineReport): void;
  /** Something in the stream that is not carried, under the name that streamers know it by. */
  uncarried?(media: MediaKind, codec: string): void;
  /** The session is over. Later calls of anything are ignored. */
  end(reason: EndReason): void;
}
