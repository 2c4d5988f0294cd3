/** Every request that the web app makes, by name. */
import { ask } from './client.ts';
import type { Account, Channel, Latency, Page, PlaybackAddress, Role, StreamKey, Video } from './types.ts';

const part = encodeURIComponent;
const channelPath = (id: string): string => `/channels/${id.startsWith('@') ? `@${part(id.slice(1))}` : part(id)}`;
const keyPath = (channel: string, key: string): string => `${channelPath(channel)}/stream-keys/${part(key)}`;

export type Credentials = { username: string; password: string };
export type NewChannel = { name: string; title: string; visibility: string; latency: Latency };
export type ChannelChange = Partial<Pick<NewChannel, 'title' | 'visibility' | 'latency'>>;

export const api = {
  setup: () => ask<{ needed: boolean }>('GET', '/setup'),
  finishSetup: (body: Credentials & { token: string }) => ask<unknown>('POST', '/setup', body),
  me: () => ask<Account>('GET', '/me'),
  signIn: (body: Credentials) => ask<{ account: Account }>('POST', '/sessions', body),
  signOut: () => ask<void>('DELETE', '/sessions/current'),

  liveChannels: () => ask<Page<Channel>>('GET', '/channels?live=true'),
  myChannels: () => ask<Page<Channel>>('GET', '/channels?mine=true'),
  channel: (id: string) => ask<Channel>('GET', channelPath(id)),
  createChannel: (body: NewChannel) => ask<Channel>('POST', '/channels', body),
  changeChannel: (id: string, body: ChannelChange) => ask<Channel>('PATCH', channelPath(id), body),
  deleteChannel: (id: string) => ask<void>('DELETE', channelPath(id)),
  endBroadcast: (id: string) => ask<void>('POST', `${channelPath(id)}/end`),
  playChannel: (id: string) => ask<PlaybackAddress>('POST', `${channelPath(id)}/playback`, {}),

  streamKeys: (channel: string) => ask<Page<StreamKey>>('GET', `${channelPath(channel)}/stream-keys`),
  createKey: (channel: string) => ask<{ id: string; key: string }>('POST', `${channelPath(channel)}/stream-keys`, {}),
  revealKey: (channel: string, key: string) => ask<{ key: string }>('POST', `${keyPath(channel, key)}/reveal`),
  deleteKey: (channel: string, key: string) => ask<void>('DELETE', keyPath(channel, key)),

  videos: () => ask<Page<Video>>('GET', '/videos?limit=24'),
  channelVideos: (channel: string) => ask<Page<Video>>('GET', `/videos?channel=${part(channel)}&limit=24`),
  video: (id: string) => ask<Video>('GET', `/videos/${part(id)}`),
  playVideo: (id: string) => ask<PlaybackAddress>('POST', `/videos/${part(id)}/playback`, {}),

  accounts: () => ask<Page<Account>>('GET', '/accounts'),
  createAccount: (body: Credentials & { role: Role }) => ask<Account>('POST', '/accounts', body),
};
