/** Everything that bounds an SRT peer, in one place. Bytes, milliseconds and counts. */

export type SrtLimits = {
  /** For the desk to decide; libsrt itself gives up after 3 s. */
  readonly admissionMs: number;
  /** libsrt repeats its question every 250 ms for as long as it waits: who did and is silent for so long has gone. */
  readonly patienceMs: number;
  /** Without one picture or frame of sound. */
  readonly idleMs: number;
  /** Without one packet of any kind: libsrt says at least that it is there, every second. */
  readonly silenceMs: number;
  /** What we ask for as receiver, and the most that a caller may ask for. */
  readonly latencyMs: number;
  readonly mostLatencyMs: number;
  /** Packets, a power of two: whatever a peer says of sequence numbers is looked at within this range only. 10 Mbit/s for 8 s. */
  readonly window: number;
  /** Media that left the window and has not been taken yet, of one connection. */
  readonly creditBytes: number;
  readonly connections: number;
  /** Callers for whom the desk is thinking: from one address, and in all. Handshakes before that cost no memory. */
  readonly pendingPerAddress: number;
  readonly pending: number;
  /** How long an answer is kept, for callers that repeat their question because it was lost. */
  readonly answerMs: number;
  readonly answers: number;
  /** Asked for, because the usual 208 KiB are full within 20 ms at the rates of a dozen streams. */
  readonly socketBytes: number;
};

export const defaultLimits: SrtLimits = {
  admissionMs: 10_000,
  patienceMs: 1_500,
  idleMs: 15_000,
  silenceMs: 5_000,
  latencyMs: 120,
  mostLatencyMs: 8_000,
  window: 8_192,
  creditBytes: 2 * 1024 * 1024,
  connections: 2_000,
  pendingPerAddress: 64,
  pending: 512,
  answerMs: 10_000,
  answers: 4_096,
  socketBytes: 4 * 1024 * 1024,
};
