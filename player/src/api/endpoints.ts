/** Every request that the web app makes, by name. */
import { ask } from './client.ts';
import type { AskOptions } from './client.ts';
import type { Health, HealthReport } from './health.ts';
import type {
  Account,
  Attempt,
  CaptionTrack,
  Channel,
  Chapter,
  HandedLink,
  Ladders,
  Latency,
  NewVideo,
  Page,
  PlaybackAddress,
  Protection,
  Role,
  Rungs,
  ShownKey,
  StreamKey,
  StreamView,
  Trim,
  UploadAddresses,
  UploadView,
  Video,
} from './types.ts';
import type { Job, JobState, Tasks, Worker } from './work.ts';

const part = encodeURIComponent;
const channelPath = (id: string): string => `/channels/${id.startsWith('@') ? `@${part(id.slice(1))}` : part(id)}`;
const videoPath = (id: string): string => `/videos/${part(id)}`;
/** What a link opens: a video, or what is live on a channel. */
export type LinkTarget = { readonly kind: 'video' | 'channel'; readonly id: string };
const pathTo = ({ kind, id }: LinkTarget): string => (kind === 'video' ? videoPath(id) : channelPath(id));
const keyPath = (channel: string, key: string): string => `${channelPath(channel)}/stream-keys/${part(key)}`;

/**
 * The address names the server as the world sees it. This page may have come by another name (a home network, a
 * tunnel), and its policy lets it talk only to where it came from, which has the same media.
 */
export const onThisHost = (url: string): string => {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
};

const fromHere = (address: PlaybackAddress): PlaybackAddress => {
  const downloads = (address.downloads ?? []).map((download) => ({ ...download, url: onThisHost(download.url) }));
  return { ...address, hls: onThisHost(address.hls), downloads };
};

export type Credentials = { username: string; password: string };
export type NewChannel = { name: string; title: string; visibility: string; latency: Latency; ladder?: string; protection?: Protection };
export type ChannelChange = Partial<Pick<NewChannel, 'title' | 'visibility' | 'latency' | 'ladder' | 'protection'>> &
  Partial<{ dvr: number | null; captions: readonly string[]; downloads: boolean }>;
export type KeySettings = { allowedNetworks?: readonly string[] };
export type UploadMetadata = Partial<{ title: string; description: string; visibility: string; downloads: boolean; protection: Protection; ladder: string }>;
export type NewUpload = UploadMetadata & { filename: string; size: number; fingerprint?: string };
export type VideoChange = Omit<UploadMetadata, 'ladder'> & Partial<{ trim: Trim | null; poster: number; chapters: readonly Chapter[] }>;
/** A piece of a video, in seconds; `grant`: a link that was handed on. */
export type Piece = { in?: number; out?: number; grant?: string; restart?: boolean };

export const api = {
  setup: () => ask<{ needed: boolean }>('GET', '/setup'),
  /** Without a name where the link is for an administrator that there is already. */
  finishSetup: (body: { token: string; username?: string; password: string }) =>
    ask<{ account: Account }>('POST', '/setup', body),
  me: () => ask<Account>('GET', '/me'),
  signIn: (body: Credentials) => ask<{ account: Account }>('POST', '/sessions', body),
  signOut: () => ask<void>('DELETE', '/sessions/current'),

  channels: () => ask<Page<Channel>>('GET', '/channels?limit=200'),
  myChannels: () => ask<Page<Channel>>('GET', '/channels?mine=true&limit=200'),
  channel: (id: string, grant?: string) => ask<Channel>('GET', channelPath(id), undefined, { grant }),
  createChannel: (body: NewChannel) => ask<Channel>('POST', '/channels', body),
  changeChannel: (id: string, body: ChannelChange) => ask<Channel>('PATCH', channelPath(id), body),
  channelIngest: (id: string) => ask<Health>('GET', `${channelPath(id)}/ingest`),
  endBroadcast: (id: string) => ask<void>('POST', `${channelPath(id)}/end`),

  ladders: () => ask<Ladders>('GET', '/ladders'),

  streamKeys: (channel: string) => ask<{ items: readonly StreamKey[] }>('GET', `${channelPath(channel)}/stream-keys`),
  createKey: (channel: string, body: KeySettings) => ask<ShownKey>('POST', `${channelPath(channel)}/stream-keys`, body),
  changeKey: (channel: string, key: string, body: KeySettings) => ask<StreamKey>('PATCH', keyPath(channel, key), body),
  revealKey: (channel: string, key: string) => ask<ShownKey>('POST', `${keyPath(channel, key)}/reveal`),
  deleteKey: (channel: string, key: string) => ask<void>('DELETE', keyPath(channel, key)),

  attempts: () => ask<{ items: readonly Attempt[] }>('GET', '/attempts'),
  channelAttempts: (channel: string) => ask<{ items: readonly Attempt[] }>('GET', `${channelPath(channel)}/attempts`),

  videos: () => ask<Page<Video>>('GET', '/videos?limit=24'),
  channelVideos: (channel: string) => ask<Page<Video>>('GET', `/videos?channel=${part(channel)}&limit=24`),
  video: (id: string, grant?: string) => ask<Video>('GET', videoPath(id), undefined, { grant }),
  playVideo: async (id: string, piece: Piece = {}) =>
    fromHere(await ask<PlaybackAddress>('POST', `${videoPath(id)}/playback`, piece)),
  changeVideo: (id: string, body: VideoChange) => ask<Video>('PATCH', videoPath(id), body),
  putPoster: (id: string, picture: Blob) => ask<Video>('PUT', `${videoPath(id)}/poster`, picture),
  deletePoster: (id: string) => ask<Video>('DELETE', `${videoPath(id)}/poster`),
  videoTasks: (id: string) => ask<Tasks>('GET', `${videoPath(id)}/tasks`),
  cancelTasks: (id: string) => ask<Tasks>('POST', `${videoPath(id)}/tasks/cancel`),
  retryTasks: (id: string) => ask<Tasks>('POST', `${videoPath(id)}/tasks/retry`),
  videoIngest: (id: string) => ask<{ ingest: HealthReport | null }>('GET', `${videoPath(id)}/ingest`),
  deleteVideo: (id: string) => ask<void>('DELETE', videoPath(id)),
  /** One's own in one of these states, the newest first. */
  myVideos: (state: Video['state'], cursor: string | null = null, options: AskOptions = {}) =>
    ask<Page<Video>>(
      'GET',
      `/videos?mine=true&state=${state}&limit=200${cursor === null ? '' : `&cursor=${part(cursor)}`}`,
      undefined,
      options,
    ),
  /** One's own, the newest first, by words of the title and by state. */
  listMine: ({ text, state, cursor }: { text: string; state: Video['state'] | null; cursor: string | null }) => {
    const query = new URLSearchParams({ mine: 'true', limit: '24' });
    if (text !== '') query.set('query', text);
    if (state !== null) query.set('state', state);
    if (cursor !== null) query.set('cursor', cursor);
    return ask<Page<Video>>('GET', `/videos?${query}`);
  },
  importVideo: (url: string, ladder: string | null) => ask<Video>('POST', '/videos/import', { url, ...(ladder === null ? {} : { ladder }) }),
  createUpload: (body: NewUpload, options: AskOptions) => ask<NewVideo>('POST', '/videos', body, options),
  /** Addresses that were signed anew; another machine goes on with them. */
  signUpload: (id: string, options: AskOptions = {}) =>
    ask<{ upload: UploadAddresses & UploadView }>('POST', `${videoPath(id)}/upload`, undefined, options),
  links: (to: LinkTarget) => ask<{ items: readonly HandedLink[] }>('GET', `${pathTo(to)}/grants`),
  createLink: (to: LinkTarget, body: { label: string; expiresAt: string }) => ask<HandedLink>('POST', `${pathTo(to)}/grants`, body),
  deleteLink: (to: LinkTarget, id: string) => ask<void>('DELETE', `${pathTo(to)}/grants/${part(id)}`),
  streams: () => ask<{ items: readonly StreamView[] }>('GET', '/streams'),
  stopStream: (id: string) => ask<void>('DELETE', `/streams/${part(id)}`),
  captions: (video: string) => ask<{ items: readonly CaptionTrack[] }>('GET', `${videoPath(video)}/captions`),
  putCaptions: (video: string, language: string, body: { name?: string; vtt: string }) =>
    ask<{ passedOver: readonly unknown[] }>('PUT', `${videoPath(video)}/captions/${part(language)}`, body),
  deleteCaptions: (video: string, language: string) =>
    ask<void>('DELETE', `${videoPath(video)}/captions/${part(language)}`),

  accounts: () => ask<Page<Account>>('GET', '/accounts?limit=200'),
  changeAccount: (id: string, body: { quota?: number | null; rungs?: Rungs | null }) => ask<Account>('PATCH', `/accounts/${part(id)}`, body),
  /** Of all videos, as far as they are kept, the newest first. */
  jobs: ({ state, cursor }: { state?: JobState | null; cursor?: string | null }) => {
    const query = new URLSearchParams({ limit: '50' });
    if (state) query.set('state', state);
    if (cursor) query.set('cursor', cursor);
    return ask<Page<Job>>('GET', `/jobs?${query}`);
  },
  cancelJob: (id: string) => ask<Job>('POST', `/jobs/${part(id)}/cancel`),
  retryJob: (id: string) => ask<Job>('POST', `/jobs/${part(id)}/retry`),
  prioritiseJob: (id: string, priority: number) => ask<Job>('PATCH', `/jobs/${part(id)}`, { priority }),
  workers: () => ask<{ items: readonly Worker[] }>('GET', '/workers'),
  createAccount: (body: Credentials & { role: Role }) => ask<Account>('POST', '/accounts', body),
};
