/** What a session is given, and what can be seen of it from outside. */
import type { Clock } from '../../packager/clock.ts';
import type { PublishDesk } from '../../packager/media/publish.ts';
import type { SrtStatistics } from './connection.ts';
import type { SrtLimits } from './limits.ts';
import type { Order } from './wire.ts';

/** One line of the log. Never holds a stream key, nor anything else that a sender wrote. */
export type SrtLog = (entry: { readonly event: string; readonly level: LogLevel; readonly [field: string]: unknown }) => void;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type SessionContext = {
  /** The number of the caller, which the thread with the socket knows it by. */
  readonly call: number;
  readonly address: string;
  readonly software: string;
  readonly desk: PublishDesk;
  readonly clock: Clock;
  readonly log: SrtLog;
  readonly limits: SrtLimits;
  readonly order: (order: Order) => void;
  readonly onClosed: () => void;
};

export type SessionState = 'admission' | 'publishing' | 'closed';

export type SessionFacts = {
  readonly id: number;
  readonly protocol: 'srt';
  readonly address: string;
  readonly software: string;
  readonly state: SessionState;
  /** Wall clock, ms. */
  readonly since: number;
  readonly bytesIn: number;
  readonly units: number;
  readonly encrypted: boolean;
  /** Null: nothing has been measured yet. */
  readonly statistics: SrtStatistics | null;
};
