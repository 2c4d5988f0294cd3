/** How a stream comes in: what the server measured of it. Times in ms, rates in bits a second. */
import { api } from './endpoints.ts';
import type { Topic } from './topics.ts';
import type { Instant } from './types.ts';

export type Severity = 'info' | 'warning' | 'error';
type Params = Readonly<Record<string, string | number>>;
export type Finding = { readonly code: string; readonly severity: Severity; readonly since: Instant; readonly params: Params };
export type LineCounts = {
  readonly packets: number;
  readonly lost: number;
  readonly dropped: number;
  readonly rtt: number;
  readonly latency: number;
  readonly encrypted: boolean;
};
export type VideoForm = { readonly codec: string; readonly profile: string | null; readonly width: number | null; readonly height: number | null };
export type AudioForm = { readonly codec: string; readonly sampleRate: number | null; readonly channels: number | null };

export type Health = {
  /** Null: nobody is sending. */
  readonly session: { readonly protocol: string; readonly software: string | null; readonly since: Instant } | null;
  readonly video:
    | (VideoForm & {
        readonly fps: number | null;
        readonly bitrate: number;
        readonly gop: { readonly last: number | null; readonly min: number | null; readonly max: number | null };
      })
    | null;
  readonly audio: (AudioForm & { readonly bitrate: number }) | null;
  readonly arrival: { readonly jitter: number } | null;
  readonly srt: LineCounts | null;
  /** `until` is the server's clock. */
  readonly minute: { readonly until: Instant; readonly video: readonly number[]; readonly audio: readonly number[]; readonly frames: readonly number[] } | null;
  readonly broadcast: { readonly sessions: number; readonly reconnects: number } | null;
  /** By heights. Null: the channel wants nothing of the kind, or no show is on; absent: from a server that knows of none. */
  readonly ladder?: { readonly name: string; readonly encoding: readonly number[]; readonly shed: readonly number[]; readonly leftOut: readonly number[] } | null;
  readonly findings: readonly Finding[];
};

export type HealthReport = {
  readonly sessions: readonly { readonly protocol: string; readonly software: string | null; readonly srt: LineCounts | null }[];
  readonly sessionCount: number;
  readonly reconnects: number;
  readonly video: readonly VideoForm[];
  readonly audio: readonly AudioForm[];
  readonly gop: { readonly min: number; readonly max: number } | null;
  readonly history: { readonly step: number; readonly video: readonly number[]; readonly audio: readonly number[]; readonly fps: readonly number[] };
  readonly findings: readonly { readonly code: string; readonly severity: Severity; readonly seconds: number; readonly times: number; readonly params: Params }[];
};

const readHealth = (data: unknown): Health | null =>
  typeof data === 'object' && data !== null && 'session' in data && 'findings' in data ? (data as Health) : null;

export const healthTopic = (name: string, tell: (health: Health) => void): Topic<Health> => ({
  name: `ingest:@${name}`,
  read: readHealth,
  async poll() {
    try {
      return readHealth(await api.channelIngest(`@${name}`));
    } catch {
      return null; // the next poll asks again; the page keeps what it knew
    }
  },
  tell,
});
