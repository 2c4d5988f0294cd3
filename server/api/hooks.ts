/** What the API needs of the live part of the server, declared here by its consumer. */
import type { WebVtt } from '../../packager/text/webvtt.ts';
import type { ForeignTokens } from '../auth/foreign-tokens.ts';
import type { GrantKeys } from '../auth/grant-keys.ts';
import type { Grants } from '../auth/grants.ts';
import type { Viewings } from '../auth/viewings.ts';
import type { UploadCreation } from '../catalog/uploads.ts';
import type { NewUpload } from '../catalog/videos.ts';
import type { HealthView } from '../health/channel-health.ts';
import type { IngestReport } from '../health/report.ts';
import type { Progress } from '../intake/types.ts';
import type { Job } from '../jobs/queue.ts';
import type { LadderWorks } from '../ladders/works.ts';
import type { Attempts } from '../live/attempts.ts';

export type LiveNow = { readonly videoId: string; /** ms since 1970. */ readonly startedAt: number; readonly viewers: number };

/** A file of a video that can be taken home: its address below the video's own, and how high its picture is (null: sound alone). */
export type Download = { readonly path: string; readonly height: number | null };

export type CaptionPut = 'put' | 'no-video' | 'no-room' | 'too-many' | 'too-large';
export type CaptionSaid = { readonly kind: 'said' | 'not-live' | 'no-language' } | { readonly kind: 'slow-down'; readonly waitMs: number };

/** Captions of recordings and of shows that are on. Languages are canonical tags. */
export type CaptionHooks = {
  list(videoId: string): Promise<readonly { readonly language: string; readonly name: string }[]>;
  put(videoId: string, language: string, name: string | null, vtt: WebVtt): Promise<CaptionPut>;
  /** False: there were none. */
  remove(videoId: string, language: string): Promise<boolean>;
  say(channelId: string, language: string, text: string, durationMicros: number): CaptionSaid;
};

export type UploadOutcome =
  | UploadCreation
  /** The disk has no room for it, or not with all else that was promised. */
  | { readonly kind: 'disk-full' }
  /** Nothing is fetched from there; why, as a sentence. */
  | { readonly kind: 'forbidden'; readonly why: string };
/** How much of an original has come. */
export type Received = {
  readonly received: number;
  /** 0: nobody knows. */
  readonly size: number;
  /** ms since 1970. */
  readonly expiresAt: number;
  readonly fingerprint: string | null;
};
/** Whoever holds the token may write this one file, until then. */
export type UploadAddress = Received & { readonly token: string; readonly partSize: number };

/** Files that come in. */
export type UploadHooks = {
  create(upload: NewUpload): Promise<UploadOutcome>;
  /** Fetches it from there; resolves when that is remembered. */
  import(upload: NewUpload, url: URL): Promise<UploadOutcome>;
  /** Where its missing bytes are to be sent; null: none are missing, or nobody sends them. */
  address(videoId: string): Promise<UploadAddress | null>;
  /** While bytes are missing. */
  received(videoId: string): Received | null;
  progress(videoId: string): Progress | null;
};

/** How live media comes in. */
export type IngestHooks = {
  /** Null: nothing is known. */
  now(channelId: string): HealthView | null;
  of(videoId: string): Promise<IngestReport | null>;
};

/** Grants for who watches himself, and those that are handed on. */
export type GrantHooks = Pick<Grants, 'mint' | 'mintForPictures' | 'ofChannel' | 'vouch' | 'ownId' | 'mayBegin' | 'verdict' | 'issue' | 'taken' | 'read'>;
/** Tokens of the issuer whom this server trusts. */
export type ForeignHooks = Pick<ForeignTokens, 'read'> & { readonly issuer: string };
/** Who watches just now. */
export type StreamHooks = Pick<Viewings, 'ofAccount' | 'stop'>;
export type GrantKeyHooks = Pick<GrantKeys, 'list' | 'rotate' | 'remove'>;
/** What may be encoded beside shows, what is, and the cores for it. */
type LadderHooks = Pick<LadderWorks, 'offered' | 'cores' | 'budget' | 'shows'>;

export type PosterPut = 'put' | 'not-a-picture' | 'too-many-pixels' | 'not-available' | 'no-room' | 'busy' | 'no-video';
/** Posters that owners give. */
export type OwnPosterHooks = {
  put(videoId: string, bytes: Buffer): Promise<PosterPut>;
  /** False: it had none. */
  remove(videoId: string): Promise<boolean>;
};

/** What is live, as a small picture: which one; null: there is none (yet). */
export type LivePictureHooks = { of(videoId: string): { readonly version: string } | null };

/** Somebody who does jobs. */
export type WorkerHere = {
  readonly id: string;
  readonly name: string;
  /** The server itself. */
  readonly here: boolean;
  readonly pid: number;
  readonly classes: readonly string[];
  readonly slots: number;
  /** ms since 1970. */
  readonly since: number;
  readonly running: readonly Job[];
};

/** Those who do jobs, wherever. */
export type WorkHooks = {
  workers(): readonly WorkerHere[];
  /** These were cancelled, of this video (null: of none): whoever works on them stops now, and not at his next heartbeat. */
  cancelled(which: (job: Job) => boolean, videoId: string | null): void;
  /** Jobs of this video were put back; null: of none. */
  retried(videoId: string | null): void;
  /** Nothing was ever made behind this video: what belongs there is planned. Takes no time. */
  wanted(videoId: string): void;
};

export type ApiHooks = {
  readonly work: WorkHooks;
  readonly ingest: IngestHooks;
  readonly attempts: Pick<Attempts, 'all' | 'ofChannel'>;
  readonly uploads: UploadHooks;
  readonly captions: CaptionHooks;
  readonly ladders: LadderHooks;
  readonly pictures: LivePictureHooks;
  readonly posters: OwnPosterHooks;
  liveOf(channelId: string): LiveNow | null;
  /** Ends the show as if the streamer had; false: nothing was on. */
  endShow(channelId: string): Promise<boolean>;
  readonly grants: GrantHooks;
  readonly grantKeys: GrantKeyHooks;
  /** Null: none is trusted. */
  readonly foreign: ForeignHooks | null;
  readonly streams: StreamHooks;
  /** The video is shown otherwise from now on. Resolves when nothing of it comes as it was before. */
  shownAnew(videoId: string): Promise<void>;
  /** Of a video that has ended; the best first. */
  downloads(videoId: string): Promise<readonly Download[]>;
  /** Somebody is about to play it. Takes no time. */
  asked(videoId: string): void;
  /** Whether MPEG-TS carries it. */
  inTransport(videoId: string): Promise<boolean>;
};

/** What this build can do of what the API knows: anything else is refused, instead of accepted and ignored. */
export type Abilities = {
  readonly visibilities: readonly string[];
  readonly protections: readonly string[];
  readonly ladders: { readonly live: readonly string[]; readonly files: readonly string[] };
};

export type ApiConfig = {
  readonly publicUrl: string | null;
  /** Addresses or networks whose X-Forwarded-… headers count. */
  readonly trustedProxies: readonly string[];
  readonly rtmpPort: number;
  /** Null: no RTMPS. */
  readonly rtmpsPort: number | null;
  /** Null: no SRT. */
  readonly srtPort: number | null;
  /** How far back viewers of a new channel can go; null: to the beginning of the show. */
  readonly dvrSeconds: number | null;
  readonly uploads: {
    /** Bytes of the largest file. */
    readonly maxSize: number;
    /** Bytes that an account may keep where nothing else was said of it; 0: as many as it likes. */
    readonly quota: number;
  };
  readonly bodyLimit: number;
  readonly requests: { readonly burst: number; readonly perSecond: number };
  readonly abilities: Abilities;
  readonly version: string;
  /** For tests: answers must be as documented. */
  readonly checkAnswers?: boolean;
};

export const defaultApiConfig: ApiConfig = {
  publicUrl: null,
  trustedProxies: ['127.0.0.0/8', '::1/128'],
  rtmpPort: 1935,
  rtmpsPort: null,
  srtPort: null,
  dvrSeconds: null,
  uploads: { maxSize: 20e9, quota: 0 },
  bodyLimit: 65_536,
  requests: { burst: 600, perSecond: 20 },
  abilities: { visibilities: ['public', 'unlisted', 'private'], protections: ['none', 'aes-128', 'cbcs'], ladders: { live: ['source'], files: ['source'] } },
  version: '0.1.0',
};
