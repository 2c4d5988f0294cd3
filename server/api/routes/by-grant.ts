/** A video or a channel for whoever brings a grant of it: a link that was handed on. */
import { Type } from 'typebox';
import type { Who } from '../../auth/auth.ts';
import { foreignRefusals, type ForeignRefusal } from '../../auth/foreign-refusals.ts';
import { isRefusal, refusals, type RefusalCode } from '../../auth/grant-refusals.ts';
import type { SessionOrigin } from '../../catalog/sessions.ts';
import type { ChannelRow } from '../../catalog/channels.ts';
import type { VideoRow } from '../../catalog/videos.ts';
import type { Asker } from '../../delivery/presentation.ts';
import { notFound, Problem } from '../kit/problem.ts';
import { findChannel, maySee, seenVideo } from './access.ts';
import type { Ground } from './ground.ts';

export const grantText = Type.Optional(Type.String({ maxLength: 1024, description: 'A grant that was handed on: what it opens is there, whoever asks.' }));
export const grantProblems = Object.keys(refusals) as readonly RefusalCode[];

const longestAgent = 400;
/** As it is told apart below /play/. */
export const askerOf = ({ address, userAgent }: SessionOrigin): Asker => ({ address, agent: userAgent.slice(0, longestAgent) });

/** Whether there are places left is asked elsewhere: who may not watch just now may know of it all the same. */
const seatless: ReadonlySet<string> = new Set<RefusalCode>(['too-many-streams', 'stream-stopped']);

export const tokenText = Type.Optional(Type.String({ maxLength: 8192, description: 'A token (JWT) of the issuer whom this server trusts: it is exchanged for a grant.' }));
export const tokenProblems = [...(Object.keys(foreignRefusals) as readonly ForeignRefusal[]), 'not-available', 'jwt-keys-unavailable'] as const;

/** The text of a grant for what the token says. */
export const grantByToken = async ({ hooks, catalog }: Ground, id: string, token: string): Promise<string> => {
  if (!hooks.foreign) throw new Problem('not-available', 'This server trusts no issuer of tokens.');
  const read = await hooks.foreign.read(token, id);
  if (read.kind === 'no-keys') throw new Problem('jwt-keys-unavailable', 'The keys of the issuer of this token cannot be had just now.');
  if (read.kind === 'refused') throw new Problem(read.code, foreignRefusals[read.code]);
  const video = await catalog.videos.get(id);
  if (!video) throw notFound('video');
  const made = hooks.grants.vouch(video, hooks.foreign.issuer, read.by);
  if (!made) throw new Problem('jwt-claims', foreignRefusals['jwt-claims']);
  return made.text;
};

export const seenByGrant = async (ground: Ground, id: string, who: Who | null, grant: string | undefined, origin: SessionOrigin): Promise<VideoRow> => {
  if (grant === undefined) return seenVideo(ground, id, who);
  const verdict = await ground.hooks.grants.verdict(grant, id, 'media', askerOf(origin));
  // Before it is looked whether there is such a video: who brings no grant of it does not learn that.
  if (!verdict.ok && isRefusal(verdict.code) && !seatless.has(verdict.code)) throw new Problem(verdict.code, refusals[verdict.code]);
  const row = await ground.catalog.videos.get(id);
  if (!row || (!verdict.ok && verdict.status === 404)) throw notFound('video');
  return row;
};

/** Whoever may see it anyhow needs none. */
export const channelByGrant = async (ground: Ground, ref: string, who: Who | null, grant: string | undefined, origin: SessionOrigin): Promise<ChannelRow> => {
  const channel = await findChannel(ground, ref);
  if (channel && maySee(who, channel)) return channel;
  if (grant === undefined) throw notFound('channel');
  const verdict = await ground.hooks.grants.ofChannel(grant, channel, askerOf(origin));
  if (typeof verdict === 'string') throw new Problem(verdict, refusals[verdict]);
  if (!channel) throw notFound('channel');
  return channel;
};
