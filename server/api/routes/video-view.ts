/** A video as viewers and owners see it. */
import { Type } from 'typebox';
import type { Who } from '../../auth/auth.ts';
import type { VideoRow } from '../../catalog/videos.ts';
import { forStrangers } from '../../uploads/import-error.ts';
import type { ApiHooks, Received, UploadAddress, UploadHooks } from '../hooks.ts';
import { owns } from './access.ts';
import { closed, downloads, iso, isoOrNull, latency, protection, time, videoState, visibility } from './shapes.ts';
import { chaptersShape, chaptersView, picturesShape, picturesView } from './pictures-view.ts';
import { shownMs } from './span.ts';

const timeOrNull = Type.Union([time, Type.Null()]);

const receivedParts = {
  received: Type.Integer({ description: 'Bytes that have come.' }),
  size: Type.Integer({ description: 'Bytes in all; 0: nobody knows yet.' }),
  expiresAt: Type.String({ format: 'date-time', description: 'When it is given up, unless more comes.' }),
  fingerprint: Type.Union([Type.String(), Type.Null()], { description: 'What whoever promised the file said to know it by.' }),
};
const address = (description: string) => Type.String({ description });
export const uploadShape = Type.Object(
  {
    ...receivedParts,
    tus: address('A tus 1.0 upload that has been made already: HEAD and PATCH it.'),
    parts: Type.Object(
      {
        url: address('PUT a part here; `{n}` is its number, from 0.'),
        size: Type.Integer({ description: 'Bytes of a part, but for the last one.' }),
        status: address('GET says what has come.'),
        finish: address('POST when all of it has.'),
        expiresAt: Type.String({ format: 'date-time', description: 'When these addresses stop working; POST /videos/:video/upload makes new ones.' }),
      },
      closed,
    ),
  },
  closed,
);

const videoParts = {
    id: Type.String(),
    title: Type.String(),
    description: Type.String(),
    page: Type.String({ description: 'The page that plays it.' }),
    channelId: Type.Union([Type.String(), Type.Null()]),
    state: videoState,
    visibility,
    latency,
    protection,
    downloads,
    source: Type.Enum(['live', 'upload', 'import'], { description: 'Where it comes from.' }),
    progress: Type.Union(
      [
        Type.Object(
          {
            step: Type.Enum(['import', 'inspect', 'remux', 'audio', 'lowest', 'mezzanine', 'rungs']),
            done: Type.Union([Type.Number(), Type.Null()], { description: '0 to 1; null: nobody knows.' }),
          },
          closed,
        ),
        Type.Null(),
      ],
      { description: 'What is being done for it right now.' },
    ),
    startedAt: timeOrNull,
    endedAt: timeOrNull,
    duration: Type.Union([Type.Number(), Type.Null()], { description: 'Seconds; null while it is not known. Of a trimmed recording what is left of it; to its owner all that was recorded.' }),
    createdAt: time,
    pictures: picturesShape,
    chapters: chaptersShape,
    error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }, closed), Type.Null()]),
    ownerId: Type.Optional(Type.String({ description: 'For its owner.' })),
    bytes: Type.Optional(Type.Integer({ description: 'For its owner.' })),
    expiresAt: Type.Optional(timeOrNull),
    filename: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'For its owner: what the file was called where it came from.' })),
    originalBytes: Type.Optional(Type.Integer({ description: 'For its owner: bytes of the file that was uploaded or imported, from the moment that they are promised.' })),
    upload: Type.Optional(
      Type.Union([Type.Object(receivedParts, closed), Type.Null()], { description: 'For its owner, while bytes of the file are missing.' }),
    ),
    trim: Type.Optional(
      Type.Union([Type.Object({ in: Type.Union([Type.Number(), Type.Null()]), out: Type.Union([Type.Number(), Type.Null()]) }, closed), Type.Null()], {
        description: 'For its owner: what is shown, seconds from the beginning of the recording; null: all of it.',
      }),
    ),
  };

export const videoShape = Type.Object(videoParts, closed);

/** As it is answered to whoever made it: with where to send its bytes. */
export const uploadingShape = Type.Object({ ...videoParts, upload: uploadShape }, closed);

const secondsOrNull = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

const trimView = ({ cutInMs, cutOutMs }: VideoRow): object | null =>
  cutInMs === null && cutOutMs === null ? null : { in: secondsOrNull(cutInMs), out: secondsOrNull(cutOutMs) };

const uploadedView = ({ id, filename, originalBytes }: VideoRow, uploads: Pick<UploadHooks, 'received'>): object => {
  const received = uploads.received(id);
  return { filename, originalBytes, upload: received && receivedView(received) };
};

const receivedView = ({ received, size, expiresAt, fingerprint }: Received): object => ({ received, size, expiresAt: iso(expiresAt), fingerprint });

export const uploadView = ({ token, partSize, ...received }: UploadAddress, base: string): object => {
  const at = `${base}/upload/${token}`;
  const parts = { url: `${at}/parts/{n}`, size: partSize, status: `${at}/status`, finish: `${at}/finish`, expiresAt: iso(received.expiresAt) };
  return { ...receivedView(received), tus: at, parts };
};

/** Why nothing, or not more, became of it. */
export const errorView = ({ errorCode: code, errorMessage }: Pick<VideoRow, 'errorCode' | 'errorMessage'>, own: boolean): { readonly code: string; readonly message: string } | null => {
  if (code === null) return null;
  const failure = { code, message: errorMessage ?? '' };
  return own ? failure : forStrangers(failure);
};

export type VideoFacts = {
  readonly who: Who | null;
  readonly base: string;
  readonly hooks: { readonly uploads: Pick<UploadHooks, 'received' | 'progress'>; readonly grants: Pick<ApiHooks['grants'], 'read' | 'mintForPictures'> };
  /** By which he sees it. */
  readonly grant?: string | undefined;
};

export const videoView = (video: VideoRow, facts: VideoFacts): object => {
  const { who, hooks: { uploads }, base } = facts;
  const { id, title, description, channelId, state, visibility, latency, protection, downloads } = video;
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
    protection,
    downloads,
    source: video.source,
    progress: uploads.progress(id),
    startedAt: isoOrNull(video.startedAt),
    endedAt: isoOrNull(video.endedAt),
    duration: secondsOrNull(own ? video.durationMs : shownMs(video)),
    createdAt: iso(video.createdAt),
    pictures: picturesView(video, facts),
    chapters: chaptersView(video),
    error: errorView(video, own),
    ...(own ? { ...uploadedView(video, uploads), ownerId: video.ownerId, bytes: video.bytes, expiresAt: isoOrNull(video.expiresAt), trim: trimView(video) } : {}),
  };
};
