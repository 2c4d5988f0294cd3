/** What the API answers, as far as the web app reads it. */
export type Role = 'admin' | 'creator' | 'viewer';
export type Account = { readonly id: string; readonly username: string; readonly role: Role };

export const visibilities = ['public', 'unlisted', 'private', 'members'] as const;
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
  readonly streamKey?: string;
  readonly ingest?: { readonly rtmp: { readonly server: string; readonly key?: string }; readonly srt?: { readonly url: string } };
};

export type StreamKey = {
  readonly id: string;
  readonly label: string | null;
  readonly masked: string;
  readonly createdAt: Instant;
  readonly lastUsedAt: Instant | null;
};

export type Video = {
  readonly id: string;
  readonly title: string;
  readonly state: 'scheduled' | 'uploading' | 'processing' | 'live' | 'playable' | 'ready' | 'failed';
  readonly visibility: string;
  readonly createdAt?: Instant;
  readonly startedAt?: Instant | null;
  /** Seconds. */
  readonly duration?: number | null;
  readonly channel?: { readonly id: string; readonly name: string; readonly title: string } | null;
};

export type PlaybackAddress = { readonly hls: string; readonly dash?: string; readonly expiresAt: Instant | null };
export type Page<T> = { readonly items: readonly T[]; readonly cursor: string | null };
