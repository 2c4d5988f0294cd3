/**
 * Who may see and who may change a thing. What one may not see is not there: 404, the same as for what does not
 * exist. What one sees and does not own is a 403.
 */
import type { Who } from '../../auth/auth.ts';
import type { ChannelRow } from '../../catalog/channels.ts';
import type { Visibility } from '../../catalog/schema.ts';
import type { VideoRow } from '../../catalog/videos.ts';
import { notFound, Problem } from '../kit/problem.ts';
import type { Ground } from './ground.ts';

type Owned = { readonly ownerId: string; readonly visibility: Visibility };

export const owns = (who: Who | null, { ownerId }: Pick<Owned, 'ownerId'>): boolean =>
  who !== null && (who.role === 'admin' || who.accountId === ownerId);

export const maySee = (who: Who | null, thing: Owned): boolean =>
  thing.visibility === 'public' || thing.visibility === 'unlisted' || owns(who, thing);

/** Rows that lists show: null is everything, for an admin. */
export const seenBy = (who: Who | null): { accountId: string | null } | null => (who?.role === 'admin' ? null : { accountId: who?.accountId ?? null });

const mustOwn = (who: Who | null, thing: Owned, what: string): void => {
  if (!owns(who, thing)) throw new Problem('not-yours', `Only the owner of this ${what}, or an admin, may do that.`);
};

/** By id, or by `@name`. */
export const findChannel = ({ catalog }: { readonly catalog: Pick<Ground['catalog'], 'channels'> }, ref: string): Promise<ChannelRow | null> =>
  ref.startsWith('@') ? catalog.channels.byName(ref.slice(1)) : catalog.channels.get(ref);

export const seenChannel = async (ground: Pick<Ground, 'catalog'>, ref: string, who: Who | null): Promise<ChannelRow> => {
  const channel = await findChannel(ground, ref);
  if (!channel || !maySee(who, channel)) throw notFound('channel');
  return channel;
};

export const ownChannel = async (ground: Pick<Ground, 'catalog'>, ref: string, who: Who): Promise<ChannelRow> => {
  const channel = await seenChannel(ground, ref, who);
  mustOwn(who, channel, 'channel');
  return channel;
};

export const seenVideo = async ({ catalog }: Pick<Ground, 'catalog'>, id: string, who: Who | null): Promise<VideoRow> => {
  const video = await catalog.videos.get(id);
  if (!video || !maySee(who, video)) throw notFound('video');
  return video;
};

export const ownVideo = async (ground: Pick<Ground, 'catalog'>, id: string, who: Who): Promise<VideoRow> => {
  const video = await seenVideo(ground, id, who);
  mustOwn(who, video, 'video');
  return video;
};
