/** What the API answers, as far as the web app reads it. */
export type Role = 'admin' | 'creator' | 'viewer';
export type Account = { readonly id: string; readonly username: string; readonly role: Role };

export const visibilities = ['public', 'unlisted', 'private'] as const;
export type Visibility = (typeof visibilities)[number];

export const latencies = ['ultra', 'low', 'standard'] as const;
export type Latency = (typeof latencies)[number];

/** An ISO date or milliseconds since 1970. */
export type Instant = string | number;

export type LiveNow = { readonly videoId: string; readonly startedAt: Instant; readonly viewers: number };

export type Channel = {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly page: string;
  readonly visibility: string;
  readonly latency: Latency;
  readonly live: LiveNow | null;
  /** Only for whoever may publish on it. */
  readonly ingest?: Ingest;
};

/** Where encoders send to. The SRT address holds the key only where the key itself is shown. */
export type Ingest = { readonly rtmp: { readonly server: string }; readonly srt: { readonly url: string } | null };

export type StreamKey = { readonly id: string; readonly label: string; readonly createdAt: Instant };
export type ShownKey = StreamKey & { readonly streamKey: string; readonly ingest: Ingest };

export type Video = {
  readonly id: string;
  readonly title: string;
  readonly state: 'scheduled' | 'uploading' | 'processing' | 'live' | 'playable' | 'ready' | 'failed';
  readonly visibility: string;
  readonly createdAt: Instant;
  readonly startedAt: Instant | null;
  /** Seconds. */
  readonly duration: number | null;
  readonly channelId: string | null;
};

export type PlaybackAddress = {
  readonly videoId: string;
  readonly live: boolean;
  readonly hls: string;
  readonly expiresAt: Instant | null;
};
export type Page<T> = { readonly items: readonly T[]; readonly cursor: string | null };
