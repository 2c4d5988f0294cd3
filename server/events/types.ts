/** Everything that one part of the server tells the others, written in the same transaction as the change it speaks of. */
import type { GrantTarget } from '../catalog/grants.ts';
import type { Role, Visibility } from '../catalog/schema.ts';

export type ServerEvent =
  | { readonly type: 'account.created'; readonly accountId: string; readonly role: Role }
  | { readonly type: 'account.updated'; readonly accountId: string; readonly role: Role }
  /** Sessions that no longer hold; null: all of the account's. */
  | { readonly type: 'account.sessions-ended'; readonly accountId: string; readonly sessionId: string | null }
  | { readonly type: 'channel.created'; readonly channelId: string; readonly name: string; readonly ownerId: string }
  | { readonly type: 'channel.updated'; readonly channelId: string; readonly name: string; readonly changed: readonly string[] }
  | { readonly type: 'channel.deleted'; readonly channelId: string; readonly name: string; readonly ownerId: string }
  | { readonly type: 'stream-key.created'; readonly channelId: string; readonly streamKeyId: string }
  | { readonly type: 'stream-key.revoked'; readonly channelId: string; readonly streamKeyId: string }
  | { readonly type: 'video.live'; readonly videoId: string; readonly channelId: string; readonly ownerId: string }
  /** An upload or an import: nothing of it can be seen yet. */
  | { readonly type: 'video.created'; readonly videoId: string; readonly ownerId: string }
  | {
      readonly type: 'video.ended';
      readonly videoId: string;
      readonly channelId: string | null;
      readonly state: 'ready' | 'failed';
    }
  /** All that belongs to it is there. */
  | { readonly type: 'video.ready'; readonly videoId: string; readonly channelId: string | null; readonly ownerId: string }
  | {
      readonly type: 'video.updated';
      readonly videoId: string;
      readonly channelId: string | null;
      readonly visibility: Visibility;
      readonly changed: readonly string[];
    }
  /** It opens nothing any more. */
  | { readonly type: 'grant.revoked'; readonly grantId: string; readonly opens: GrantTarget }
  | { readonly type: 'video.deleted'; readonly videoId: string; readonly channelId: string | null };

export type EventType = ServerEvent['type'];
export type EventOf<T extends EventType> = Extract<ServerEvent, { type: T }>;
