/** Where a player is to go. */
import { Type } from 'typebox';
import type { Who } from '../../auth/auth.ts';
import type { VideoRow } from '../../catalog/videos.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { Problem } from '../kit/problem.ts';
import { seenChannel, seenVideo } from './access.ts';
import type { Ground } from './ground.ts';
import { channelParams, closed, idText, isoOrNull, time } from './shapes.ts';

const nullable = Type.Union([Type.String(), Type.Null()]);
const playbackShape = Type.Object(
  {
    videoId: Type.String(),
    live: Type.Boolean(),
    hls: Type.String(),
    dash: nullable,
    expiresAt: Type.Union([time, Type.Null()], { description: 'When the addresses stop opening; null: they do not.' }),
  },
  closed,
);
const ask = Type.Object({ device: Type.Optional(Type.String({ maxLength: 100, description: 'What the player runs on.' })) }, closed);

type Grant = { readonly grant: string; readonly expiresAt: number | null };

export const playbackRoutes = (ground: Ground): readonly Route[] => {
  const { hooks } = ground;
  const grantFor = async (video: VideoRow, who: Who | null): Promise<Grant> => {
    if (video.visibility === 'public' || video.visibility === 'unlisted') return { grant: '-', expiresAt: null };
    const minted = who && hooks.mintGrant ? await hooks.mintGrant(video, who) : null;
    if (minted) return minted;
    throw new Problem('private-playback-unavailable', 'This server cannot play private videos yet. Make the video unlisted: then it plays for whoever has the address.');
  };
  const playback = async (video: VideoRow, who: Who | null, base: string): Promise<object> => {
    const { grant, expiresAt } = await grantFor(video, who);
    return {
      videoId: video.id,
      live: video.state === 'live',
      hls: `${base}/play/${grant}/${video.id}/master.m3u8`,
      dash: null,
      expiresAt: isoOrNull(expiresAt),
    };
  };
  return [
    route({
      name: 'playChannel',
      summary: 'Where a player finds what is live on the channel now; 404 while nothing is.',
      method: 'POST',
      path: '/channels/:channel/playback',
      auth: 'none',
      params: channelParams,
      body: ask,
      answers: { 200: playbackShape },
      problems: ['private-playback-unavailable'],
      handler: async ({ who, params, base }) => {
        const channel = await seenChannel(ground, params.channel, who);
        const live = hooks.liveOf(channel.id);
        if (!live) throw new Problem('not-found', 'Nothing is live on this channel.');
        const video = await seenVideo(ground, live.videoId, who);
        return { status: 200, body: await playback(video, who, base) };
      },
    }),
    route({
      name: 'playVideo',
      summary: 'Where a player finds the video.',
      method: 'POST',
      path: '/videos/:video/playback',
      auth: 'none',
      params: Type.Object({ video: idText }),
      body: ask,
      answers: { 200: playbackShape },
      problems: ['not-playable', 'private-playback-unavailable'],
      handler: async ({ who, params, base }) => {
        const video = await seenVideo(ground, params.video, who);
        if (video.state !== 'live' && video.state !== 'playable' && video.state !== 'ready') {
          throw new Problem('not-playable', video.errorMessage ?? `There is nothing to play yet: the video is ${video.state}.`);
        }
        return { status: 200, body: await playback(video, who, base) };
      },
    }),
  ];
};
