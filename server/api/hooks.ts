/** What the API needs of the live part of the server, declared here by its consumer. */
import type { WebVtt } from '../../packager/text/webvtt.ts';
import type { Who } from '../auth/auth.ts';
import type { VideoRow } from '../catalog/videos.ts';

export type LiveNow = { readonly videoId: string; /** ms since 1970. */ readonly startedAt: number; readonly viewers: number };

/** Makes a grant for what is not open to everybody; null: this account gets none. */
export type MintGrant = (video: VideoRow, who: Who) => Promise<{ readonly grant: string; /** ms since 1970. */ readonly expiresAt: number } | null>;

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

export type ApiHooks = {
  readonly captions: CaptionHooks;
  liveOf(channelId: string): LiveNow | null;
  /** Ends the show as if the streamer had; false: nothing was on. */
  endShow(channelId: string): Promise<boolean>;
  readonly mintGrant: MintGrant;
  /** Of a video that has ended; the best first. */
  downloads(videoId: string): Promise<readonly Download[]>;
};

/** What this build can do of what the API knows: anything else is refused, instead of accepted and ignored. */
export type Abilities = {
  readonly visibilities: readonly string[];
  readonly protections: readonly string[];
  readonly ladders: readonly string[];
};

export type ApiConfig = {
  readonly publicUrl: string | null;
  /** Addresses or networks whose X-Forwarded-… headers count. */
  readonly trustedProxies: readonly string[];
  readonly rtmpPort: number;
  /** Null: no SRT. */
  readonly srtPort: number | null;
  /** How far back viewers of a new channel can go; null: to the beginning of the show. */
  readonly dvrSeconds: number | null;
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
  srtPort: null,
  dvrSeconds: null,
  bodyLimit: 65_536,
  requests: { burst: 600, perSecond: 20 },
  abilities: { visibilities: ['public', 'unlisted', 'private'], protections: ['none'], ladders: ['source'] },
  version: '0.1.0',
};
