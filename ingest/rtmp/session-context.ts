/** What a session is given, and what can be seen of it from outside. */
import type { Clock } from '../../packager/clock.ts';
import type { PublishDesk } from '../../packager/media/publish.ts';
import type { RtmpLimits } from './limits.ts';

/** One line of the log. Never holds a stream key, nor anything else that a sender wrote but its software's name. */
export type RtmpLog = (entry: {
  readonly event: string;
  readonly level: LogLevel;
  readonly [field: string]: unknown;
}) => void;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** What the last line of a session adds. */
export type EndLine = { readonly level: LogLevel; readonly why: string; readonly [field: string]: unknown };

export type SessionContext = {
  readonly id: number;
  readonly protocol: 'rtmp' | 'rtmps';
  readonly address: string;
  readonly desk: PublishDesk;
  readonly clock: Clock;
  readonly log: RtmpLog;
  readonly limits: RtmpLimits;
  /** The peer is no stranger any more. */
  readonly onPublishing: () => void;
  readonly onClosed: () => void;
};

export type SessionState = 'handshake' | 'commands' | 'admission' | 'publishing' | 'leaving' | 'closed';

export type SessionFacts = {
  readonly id: number;
  readonly protocol: 'rtmp' | 'rtmps';
  readonly address: string;
  readonly software: string | undefined;
  readonly state: SessionState;
  /** Wall clock, ms. */
  readonly since: number;
  readonly bytesIn: number;
  readonly units: number;
};
