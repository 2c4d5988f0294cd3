/** A video as viewers and owners see it. */
import { Type } from 'typebox';
import type { Who } from '../../auth/auth.ts';
import type { VideoRow } from '../../catalog/videos.ts';
import { owns } from './access.ts';
import { closed, downloads, iso, isoOrNull, latency, time, videoState, visibility } from './shapes.ts';
import { shownMs } from './span.ts';

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
    downloads,
    startedAt: timeOrNull,
    endedAt: timeOrNull,
    duration: Type.Union([Type.Number(), Type.Null()], { description: 'Seconds; null while it is not known. Of a trimmed recording what is left of it; to its owner all that was recorded.' }),
    createdAt: time,
    error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }, closed), Type.Null()]),
    ownerId: Type.Optional(Type.String({ description: 'For its owner.' })),
    bytes: Type.Optional(Type.Integer({ description: 'For its owner.' })),
    expiresAt: Type.Optional(timeOrNull),
    trim: Type.Optional(
      Type.Union([Type.Object({ in: Type.Union([Type.Number(), Type.Null()]), out: Type.Union([Type.Number(), Type.Null()]) }, closed), Type.Null()], {
        description: 'For its owner: what is shown, seconds from the beginning of the recording; null: all of it.',
      }),
    ),
  },
  closed,
);

const secondsOrNull = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

const trimView = ({ cutInMs, cutOutMs }: VideoRow): object | null =>
  cutInMs === null && cutOutMs === null ? null : { in: secondsOrNull(cutInMs), out: secondsOrNull(cutOutMs) };

export const videoView = (video: VideoRow, who: Who | null, base: string): object => {
  const { id, title, description, channelId, state, visibility, latency, downloads, errorCode, errorMessage } = video;
  const own = owns(who, video);
  return {
    id,
    title,
    description,
    page: `${base}/watch/${id}`,
    channelId,
    state,
    visibility,
    latency,
    downloads,
    startedAt: isoOrNull(video.startedAt),
    endedAt: isoOrNull(video.endedAt),
    duration: secondsOrNull(own ? video.durationMs : shownMs(video)),
    createdAt: iso(video.createdAt),
    error: errorCode === null ? null : { code: errorCode, message: errorMessage ?? '' },
    ...(own ? { ownerId: video.ownerId, bytes: video.bytes, expiresAt: isoOrNull(video.expiresAt), trim: trimView(video) } : {}),
  };
};
