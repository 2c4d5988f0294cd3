/** Everything that bounds an RTMP peer, in one place. Bytes, milliseconds and counts. */
import type { ChunkLimits } from './chunks.ts';

export type RtmpLimits = {
  /** For the whole handshake, from the accepted socket to the last byte of C2. */
  readonly handshakeMs: number;
  /** From the end of the handshake to the publish command. */
  readonly publishMs: number;
  /** For the desk to decide. */
  readonly admissionMs: number;
  /** What may come of a sender while the desk decides: reading on is how it is noticed that it hangs up. Beyond that it is not read. */
  readonly aheadBytes: number;
  /** Without one picture or frame of sound. */
  readonly idleMs: number;
  /** How long a peer that was told to go may take to read that and close. */
  readonly lingerMs: number;
  readonly messageBytes: number;
  /** Sum of the lengths of all unfinished messages of a connection. */
  readonly partialBytes: number;
  /** The same two before anybody was authorised: commands are small, and strangers get little memory. */
  readonly strangerMessageBytes: number;
  readonly strangerPartialBytes: number;
  readonly chunkStreams: number;
  readonly messagesBeforePublish: number;
  readonly amfDepth: number;
  readonly amfStringBytes: number;
  readonly amfValues: number;
  /** What may wait for a peer that does not read. */
  readonly outputBytes: number;
  /** Connections that have not published yet: from one address (proxies and carrier NAT share one), and in all. */
  readonly strangersPerAddress: number;
  readonly strangers: number;
};

export const defaultLimits: RtmpLimits = {
  handshakeMs: 10_000,
  publishMs: 10_000,
  admissionMs: 10_000,
  aheadBytes: 64 * 1024,
  idleMs: 15_000,
  lingerMs: 2_000,
  messageBytes: 10 * 1024 * 1024,
  partialBytes: 16 * 1024 * 1024,
  strangerMessageBytes: 256 * 1024,
  strangerPartialBytes: 512 * 1024,
  chunkStreams: 64,
  messagesBeforePublish: 64,
  amfDepth: 16,
  amfStringBytes: 64 * 1024,
  amfValues: 4096,
  outputBytes: 256 * 1024,
  strangersPerAddress: 4096,
  strangers: 8192,
};

/** What a chunk reader may hold for somebody whom nobody has let in yet. */
export const strangerLimits = (limits: RtmpLimits): ChunkLimits => ({
  messageBytes: limits.strangerMessageBytes,
  partialBytes: limits.strangerPartialBytes,
  chunkStreams: limits.chunkStreams,
});
