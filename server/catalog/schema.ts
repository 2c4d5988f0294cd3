/**
 * The tables, as kysely sees them. Times are ms since 1970; what is JSON inside is text here and parsed by the
 * store that owns it. Only types that SQLite and PostgreSQL share.
 */
import type { Generated } from 'kysely';
import type { Codec, TrackKind } from '../../packager/media/unit.ts';

export type Role = 'admin' | 'creator' | 'viewer';
export type Visibility = 'public' | 'unlisted' | 'private' | 'members' | 'list' | 'password';
export type Latency = 'ultra' | 'low' | 'standard';
export type Protection = 'none' | 'aes-128' | 'cbcs';
/** Rungs above the lowest: made at once, or when somebody asks for the video. */
export type RungPolicy = 'eager' | 'on-demand';
export type VideoState = 'scheduled' | 'uploading' | 'processing' | 'live' | 'playable' | 'ready' | 'failed';
export type VideoSource = 'live' | 'upload' | 'import';
export type JobState = 'queued' | 'leased' | 'done' | 'dead' | 'cancelled';

export type Schema = {
  migrations: { id: number; name: string; appliedAt: number };
  meta: { name: string; value: string };
  accounts: {
    id: string;
    username: string;
    /** The username as it is compared: NFKC, lower case. */
    usernameKey: string;
    role: Role;
    passwordHash: string;
    /** Bytes that the account may keep; 0: as many as it likes; null: what the configuration says. */
    quotaBytes: number | null;
    /** Null: what the configuration says. */
    rungs: RungPolicy | null;
    createdAt: number;
    updatedAt: number;
  };
  sessions: {
    id: string;
    tokenHash: string;
    accountId: string;
    createdAt: number;
    lastUsedAt: number;
    expiresAt: number;
    userAgent: string;
    address: string;
  };
  links: {
    tokenHash: string;
    kind: 'setup' | 'reset';
    createdAt: number;
    expiresAt: number;
    usedAt: number | null;
  };
  channels: {
    id: string;
    name: string;
    ownerId: string;
    title: string;
    description: string;
    visibility: Visibility;
    latency: Latency;
    ladder: string;
    protection: Protection;
    srtPassphraseSealed: string | null;
    /** How far back whoever watches live can go; null: to the beginning of the show. */
    dvrSeconds: number | null;
    /** JSON: languages of the live captions. */
    captions: string;
    /** 0 or 1: no type for truth is the same in SQLite and PostgreSQL. */
    downloads: number;
    createdAt: number;
    updatedAt: number;
  };
  streamKeys: {
    id: string;
    channelId: string;
    label: string;
    lookup: string;
    sealed: string;
    /** JSON: addresses and networks that it may be used from; none: all. */
    allowedNetworks: string;
    createdAt: number;
    revokedAt: number | null;
  };
  videos: {
    id: string;
    channelId: string | null;
    ownerId: string;
    title: string;
    description: string;
    state: VideoState;
    visibility: Visibility;
    latency: Latency;
    source: VideoSource;
    ladder: string;
    protection: Protection;
    /** What the original was called where it came from. */
    filename: string | null;
    /** Bytes of the original, from the moment that they are promised. */
    originalBytes: number;
    run: string | null;
    /** Another with each change of protection; null: files are named by their run. */
    names: string | null;
    policy: string | null;
    startedAt: number | null;
    endedAt: number | null;
    expiresAt: number | null;
    durationMs: number | null;
    bytes: number;
    errorCode: string | null;
    errorMessage: string | null;
    /** A cut is a view: media before and after is neither listed nor served. Null: not cut there. */
    cutInMs: number | null;
    cutOutMs: number | null;
    downloads: number;
    /** JSON; null: none. */
    pictures: string | null;
    /** JSON; null: none. */
    chapters: string | null;
    /** When somebody last wanted to play it, to an hour; null: nobody has since its rungs were dropped. */
    askedAt: number | null;
    /** How often rungs of it were dropped. */
    rungsTurn: number;
    createdAt: number;
    updatedAt: number;
  };
  tracks: {
    videoId: string;
    id: string;
    position: number;
    kind: TrackKind;
    codec: Codec;
    timescale: number;
    bandwidth: number;
    averageBandwidth: number;
    partTarget: number | null;
    group: string;
    language: string | null;
    name: string | null;
    /** track_ID in the original that it is cut out of; null: it has a log of its own. */
    original: number | null;
  };
  uploads: {
    videoId: string;
    partSize: number;
    /** By which whoever sends it knows the file again. */
    fingerprint: string | null;
    /** Sealed. */
    url: string | null;
    createdAt: number;
    expiresAt: number;
    wholeAt: number | null;
    takenAt: number | null;
  };
  jobs: {
    id: string;
    uniqueKey: string;
    class: string;
    kind: string;
    payload: string;
    priority: number;
    state: JobState;
    attempts: number;
    maxAttempts: number;
    runAt: number;
    fence: number;
    worker: string | null;
    leaseUntil: number | null;
    reason: string | null;
    result: string | null;
    /** Of those that belong to no video: null. */
    videoId: string | null;
    task: string | null;
    /** How much of the whole it is: seconds of media. */
    weight: number;
    /** Among those that were queued in one go. */
    position: number;
    /** Needs that are not done yet. */
    waits: number;
    /** Thousandths. */
    done: number;
    /** 1: cancelled since what it needs will not be done, and not by anybody. */
    fallen: number;
    /** For so many jobs that were done, all but this one forgotten. */
    stands: number;
    createdAt: number;
    updatedAt: number;
  };
  /** The one can begin when the other is done. */
  jobNeeds: { job: string; needs: string };
  /** Rungs that can be made again. */
  spareRungs: { videoId: string; trackId: string; bytes: number };
  /** What belongs behind them is to be planned; `turn`: said so often. */
  plannings: { videoId: string; turn: number };
  ingestReports: { videoId: string; /** JSON. */ report: string; updatedAt: number };
  /** Sealed: what the keys of a protected video follow from. */
  mediaSecrets: { videoId: string; sealed: string; segmentsPerKey: number; createdAt: number };
  /** What the publish hook is owed; `dueAt` null: the publisher is still on. */
  publishNotices: { id: string; body: string; dueAt: number | null; tries: number; createdAt: number };
  /** `sealed`: the key; `retiredAt` null: it signs. */
  grantKeys: { id: number; sealed: string; createdAt: number; retiredAt: number | null; goodUntil: number | null };
  /** Made to be handed on, for a video or for the shows of a channel. `sealed`: the grant itself. */
  grants: { id: string; videoId: string | null; channelId: string | null; accountId: string; label: string; sealed: string; createdAt: number; expiresAt: number; revokedAt: number | null };
  outbox: { seq: Generated<number>; type: string; data: string; createdAt: number };
  answers: { scope: string; bodyHash: string; status: number | null; sealed: string | null; expiresAt: number };
};
