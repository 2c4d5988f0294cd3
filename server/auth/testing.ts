/** Grants over a catalog of their own, for tests. */
import { channelOf, liveOn, quiet, someAccount, testCatalog } from '../catalog/testing.ts';
import type { Role, Visibility } from '../catalog/schema.ts';
import type { GrantTarget } from '../catalog/grants.ts';
import { newSessionRow } from '../catalog/sessions.ts';
import type { VideoRow } from '../catalog/videos.ts';
import { EventDispatcher } from '../events/dispatcher.ts';
import { GrantKeys } from './grant-keys.ts';
import { Viewings, type StreamLimits } from './viewings.ts';
import { Grants, type GrantWish } from './grants.ts';

type Test = Parameters<typeof testCatalog>[0] & { readonly fail: () => unknown };

export const from = { address: '192.0.2.9', agent: 'a player' };
const open: GrantWish = { label: '', expiresAt: null, notBefore: null, audiences: ['media'], networks: [], rules: [], device: null, maxHeight: null, mayDownload: true, streams: null, viewer: null };

/** Everybody is logged in with these two. */
export const sessions = { ofAccount: async (accountId: string) => ['one', 'two'].map((id) => ({ ...newSessionRow(accountId, { userAgent: '', address: '' }, 0), id })) };

export const setUp = async (t: Test, limits: StreamLimits = { perAccount: 0, whenFull: 'refuse-new' }) => {
  const { catalog, clock } = await testCatalog(t);
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log: quiet });
  t.teardown(() => events.stop());
  const keys = await GrantKeys.open({ store: catalog.grantKeys, clock, signsForMs: 30 * 86_400_000, failed: t.fail });
  t.teardown(() => keys.stop());
  const viewings = new Viewings(clock, limits);
  const grants = new Grants({ ...catalog, sessions, keys, viewings, events, clock });
  events.start();
  const owner = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(owner));
  const show = (on = channel.id, visibility: Visibility = 'private') => catalog.videos.createLive(liveOn(on, owner, { visibility, startedAt: clock.wall() }));
  const recording = async (visibility: Visibility = 'private') => {
    const video = await show(channel.id, visibility);
    await catalog.videos.endLive(video.id, { endedAt: 2, durationMs: 1, bytes: 1, state: 'ready' });
    return video;
  };
  const grantOf = (video: VideoRow, accountId: string, role: Role = 'creator'): string => grants.mint(video, { accountId, role, sessionId: 'one' })?.text ?? 'none was made';
  const issueFor = async (opens: GrantTarget, change: Partial<GrantWish> = {}) => {
    const made = await grants.issue(opens, owner, { ...open, ...change });
    return made.kind === 'made' ? { text: made.text, id: made.grant.id } : { text: made.kind, id: '' };
  };
  const issue = ({ id }: VideoRow, change: Partial<GrantWish> = {}) => issueFor({ kind: 'video', id }, change);
  return { catalog, clock, events, keys, viewings, grants, owner, channel, show, recording, grantOf, issue, issueFor };
};

export const no = (code: string) => ({ ok: false, status: 403, code });
export const expired = no('grant-expired');
