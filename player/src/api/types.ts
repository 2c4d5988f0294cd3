/** What the API answers, as far as the web app reads it. */
export type Role = 'admin' | 'creator' | 'viewer';
/** When smaller pictures of an account's videos are made: as soon as they can be, or when somebody watches. */
export const rungPolicies = ['eager', 'on-demand'] as const;
export type Rungs = (typeof rungPolicies)[number];
export type Account = {
  readonly id: string;
  readonly username: string;
  readonly role: Role;
  /** Bytes that it keeps, with what is promised to uploads under way. */
  readonly used?: number;
  /** Bytes that it may keep; null: no limit. */
  readonly limit?: number | null;
  /** What was set for it: bytes, 0 for no limit, null for what the server's configuration says. */
  readonly quota?: number | null;
  /** What was set for it; null: what the server's configuration says. Servers before it could be set do not say. */
  readonly rungs?: Rungs | null;
  /** Bytes of the largest file that is taken. */
  readonly maxUpload?: number;
};

export const visibilities = ['public', 'unlisted', 'private'] as const;
export type Visibility = (typeof visibilities)[number];

export const latencies = ['ultra', 'low', 'standard'] as const;
export type Latency = (typeof latencies)[number];

/** Servers before there was protection say nothing of it. */
export const protections = ['none', 'aes-128', 'cbcs'] as const;
export type Protection = (typeof protections)[number];

/** `mostPictures`: a second; null: as many as come. */
export type Rung = { readonly height: number; readonly bitRate: number; readonly mostPictures: number | null };
/** What may be encoded beside a show. */
export type Ladder = {
  readonly name: string;
  /** The highest first. */
  readonly rungs: readonly Rung[];
  /** That 1080p30 keeps busy; null: nobody has measured it. */
  readonly cores: number | null;
  /** Rungs of it that this machine carries while it does nothing else. */
  readonly carried: number | null;
};
export type EncodedShow = {
  readonly videoId: string;
  readonly title: string | null;
  readonly channel: string | null;
  readonly ladder: string;
  readonly encoding: readonly number[];
  readonly shed: readonly number[];
  readonly leftOut: readonly number[];
  readonly restarts: number;
  readonly lagMs: number;
  /** That its encoder keeps busy, as it was measured; null: not known yet. */
  readonly busyCores: number | null;
};
export type Ladders = {
  readonly items: readonly Ladder[];
  /** `free`: that a show could have now. */
  readonly cores: { readonly total: number; readonly free: number };
  /** From here on only for administrators. */
  readonly budget?: { readonly total: number; readonly free: number; readonly leases: readonly { readonly name: string; readonly rank: 'live' | 'vod'; readonly cores: number }[] };
  readonly shows?: readonly EncodedShow[];
};

/** An ISO date or milliseconds since 1970. */
export type Instant = string | number;

export type LiveNow = { readonly videoId: string; readonly startedAt: Instant; readonly viewers: number; /** Null: there is none (yet). Absent from servers that do not know it. */ readonly picture?: string | null };

export type Channel = {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly page: string;
  readonly visibility: string;
  readonly latency: Latency;
  readonly protection?: Protection;
  /** Only for whoever may publish on it. */
  readonly ladder?: string;
  readonly live: LiveNow | null;
  /** Seconds that viewers can go back; null: the whole show. Servers before it could be set do not say. */
  readonly dvr?: number | null;
  /** Languages of live captions (BCP 47). */
  readonly captions?: readonly string[];
  readonly downloads?: boolean;
  /** Only for whoever may publish on it. */
  readonly ingest?: Ingest;
};

/** Where encoders send to. The SRT address holds the key only where the key itself is shown. */
export type Ingest = {
  readonly rtmp: { readonly server: string };
  /** Absent from servers that do not know it. */
  readonly rtmps?: { readonly server: string } | null;
  readonly srt: { readonly url: string } | null;
};

export type StreamKey = {
  readonly id: string;
  readonly label: string;
  readonly createdAt: Instant;
  /** Where it may be used from; none: anywhere. Absent from servers that do not know it. */
  readonly allowedNetworks?: readonly string[];
};
export type ShownKey = StreamKey & { readonly streamKey: string; readonly ingest: Ingest };

/** Who wanted to stream and was not let in. */
export type Attempt = {
  readonly reason: 'unknown-key' | 'forbidden-network' | 'wrong-passphrase' | 'hook-refused' | 'hook-failed' | 'two-encoders';
  readonly protocol: string;
  readonly address: string;
  readonly software: string | null;
  readonly keyFingerprint: string;
  readonly channel: { readonly name: string } | null;
  readonly detail: string | null;
  readonly count: number;
  readonly lastAt: Instant;
};

export const videoStates = ['scheduled', 'uploading', 'processing', 'live', 'playable', 'ready', 'failed'] as const;
export type VideoState = (typeof videoStates)[number];

export type Video = {
  readonly id: string;
  readonly title: string;
  readonly description?: string;
  readonly state: VideoState;
  readonly visibility: string;
  readonly createdAt: Instant;
  readonly startedAt: Instant | null;
  /** Seconds. */
  readonly duration: number | null;
  readonly channelId: string | null;
  readonly protection?: Protection;
  readonly downloads?: boolean;
  /** What is played of it, in seconds; null: all. */
  readonly trim?: Trim | null;
  /** Servers before there were uploads do not say. */
  readonly source?: 'live' | 'upload' | 'import';
  /** Work that goes on behind it. */
  readonly progress?: Progress | null;
  /** Why it failed. */
  readonly error?: VideoError | null;
  /** Null: none have been made (yet). Servers before there were any do not say. */
  readonly pictures?: Pictures | null;
  readonly chapters?: readonly Chapter[];
  /** From here on only for its owner. */
  readonly ownerId?: string;
  readonly bytes?: number;
  readonly filename?: string | null;
  readonly originalBytes?: number;
  /** Null: no bytes are missing. */
  readonly upload?: UploadView | null;
  /** The smaller pictures that it gets, by name. */
  readonly ladder?: string;
};

/** Addresses. Of a private video they hold a grant of whoever asked. */
export type Pictures = {
  readonly poster: string | null;
  /** What its owner chooses from. */
  readonly posters: readonly string[];
  /** Which of them is the poster; `own`: a picture of the owner's. */
  readonly chosen: number | 'own' | null;
  /** A WebVTT track of small pictures. */
  readonly storyboard: string | null;
  /** Moves. */
  readonly preview: string | null;
};

/** In seconds from where its playback begins. */
export type Chapter = { readonly start: number; readonly end: number; readonly title: string };

export type Progress = {
  readonly step: 'import' | 'inspect' | 'remux' | 'audio' | 'lowest' | 'mezzanine' | 'rungs';
  /** 0 to 1; null: nobody knows. */
  readonly done: number | null;
};
/** Reasons that the pages have words for; the server may come to know more. */
export const failureCodes = [
  'not-a-video',
  'truncated',
  'broken',
  'encrypted',
  'no-media',
  'too-many-tracks',
  'picture-too-large',
  'took-too-long',
  'encode-failed',
  'no-room',
  'too-large',
  'quota-exceeded',
  'import-refused',
  'import-missing',
  'import-forbidden',
  'import-unreachable',
  'import-contradicts',
  'import-page',
  'import-empty',
  'import-too-slow',
  'import-failed',
] as const;
export type VideoError = { readonly code: string; readonly message: string };
export type UploadView = {
  readonly received: number;
  readonly size: number;
  /** Whoever follows a video is not told. */
  readonly expiresAt?: Instant;
  /** What the client that began it said of the file, to know it again. */
  readonly fingerprint?: string | null;
};

/** Where the bytes of an upload go. Whoever holds one of these addresses may write that one file. */
export type UploadAddresses = {
  readonly tus: string;
  readonly parts: {
    /** With `{n}` in the place of the part's number. */
    readonly url: string;
    /** Bytes of a part. */
    readonly size: number;
    readonly status: string;
    readonly finish: string;
    readonly expiresAt: Instant;
  };
};
export type NewVideo = Omit<Video, 'upload'> & { readonly upload: UploadAddresses };

export type Trim = { readonly in: number | null; readonly out: number | null };

export type CaptionTrack = { readonly language: string; readonly name: string };

/** A whole file of one rung. */
export type Download = { readonly url: string; readonly height: number | null };

export type PlaybackAddress = {
  readonly videoId: string;
  readonly live: boolean;
  readonly hls: string;
  /** Empty where downloads are not allowed, absent from servers that have none. */
  readonly downloads?: readonly Download[];
  readonly expiresAt: Instant | null;
};
/** A link that is handed on, to a private video or channel. */
export type HandedLink = { readonly id: string; readonly label: string; readonly expiresAt: Instant; readonly page: string };
/** Somewhere where the account is watching. */
export type StreamView = {
  readonly id: string;
  readonly title: string | null;
  readonly startedAt: Instant;
  readonly address: string;
  readonly userAgent: string;
};
export type Page<T> = { readonly items: readonly T[]; readonly cursor: string | null };
