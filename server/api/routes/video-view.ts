/** A video as viewers and owners see it. */
import { Type } from 'typebox';
import type { Who } from '../../auth/auth.ts';
import type { VideoRow } from '../../catalog/videos.ts';
import { owns } from './access.ts';
import { closed, iso, isoOrNull, latency, time, videoState, visibility } from './shapes.ts';

const timeOrNull = Type.Union([time, Type.Null()]);

export const videoShape = Type.Object(
  {
    id: Type.String(),
    title: Type.String(),
    description: Type.String(),
    page: Type.String({ description: 'The page that plays it.' }),
    channelId: Type.Union([Type.String(), Type.Null()]),
    state: videoState,
    visibility,
    latency,
    startedAt: timeOrNull,
    endedAt: timeOrNull,
    duration: Type.Union([Type.Number(), Type.Null()], { description: 'Seconds; null while it is not known.' }),
    createdAt: time,
    error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }, closed), Type.Null()]),
    ownerId: Type.Optional(Type.String({ description: 'For its owner.' })),
    bytes: Type.Optional(Type.Integer({ description: 'For its owner.' })),
    expiresAt: Type.Optional(timeOrNull),
  },
  closed,
);

export const videoView = (video: VideoRow, who: Who | null, base: string): object => {
  const { id, title, description, channelId, state, visibility, latency, errorCode, errorMessage } = video;
  return {
    id,
    title,
    description,
    page: `${base}/watch/${id}`,
    channelId,
    state,
    visibility,
    latency,
    startedAt: isoOrNull(video.startedAt),
    endedAt: isoOrNull(video.endedAt),
    duration: video.durationMs === null ? null : video.durationMs / 1000,
    createdAt: iso(video.createdAt),
    error: errorCode === null ? null : { code: errorCode, message: errorMessage ?? '' },
    ...(owns(who, video) ? { ownerId: video.ownerId, bytes: video.bytes, expiresAt: isoOrNull(video.expiresAt) } : {}),
  };
};
