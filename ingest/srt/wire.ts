/** What the thread with the socket and the main thread say to each other. */
import type { SrtStatistics } from './connection.ts';
import type { SrtFault } from './errors.ts';
import type { SrtLimits } from './limits.ts';

export type ThreadData = { readonly host: string; readonly port: number; readonly limits: SrtLimits };

/** Thread ▶ main. `call` is the number of one caller, from its question to its end. */
export type Word =
  | { readonly type: 'listening'; readonly port: number; readonly receiveBuffer: number }
  | { readonly type: 'failed'; readonly code: string | null; readonly message: string }
  /** Something of ours threw: one packet is lost by it, and nobody else's. */
  | { readonly type: 'fault'; readonly message: string }
  | { readonly type: 'ask'; readonly call: number; readonly address: string; readonly streamKey: string; readonly keyMaterial: Uint8Array | null; readonly software: string }
  | { readonly type: 'rejected'; readonly address: string; readonly fault: SrtFault; readonly times: number }
  | { readonly type: 'media'; readonly call: number; readonly bytes: Uint8Array; /** Packets before it. */ readonly missing: number }
  | { readonly type: 'closed'; readonly call: number; readonly reason: 'announced' | 'lost'; readonly statistics: SrtStatistics | null }
  | { readonly type: 'statistics'; readonly counters: ListenerCounters; readonly calls: readonly { readonly call: number; readonly statistics: SrtStatistics }[] };

/** Main ▶ thread. */
export type Order =
  | { readonly type: 'accept'; readonly call: number; readonly passphrase: string | null }
  | { readonly type: 'refuse'; readonly call: number; readonly fault: SrtFault }
  | { readonly type: 'taken'; readonly call: number; readonly bytes: number }
  | { readonly type: 'end'; readonly call: number }
  | { readonly type: 'stop-accepting' }
  | { readonly type: 'close' };

/** Since the start; they only grow. */
export type ListenerCounters = {
  readonly datagrams: number;
  readonly bytes: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Datagrams that were nobody's. */
  readonly strays: number;
};
