/** How an upload begins, or goes on: by what this browser remembers, by what the server knows, or anew. */
import type { UploadMetadata } from '../api/endpoints.ts';
import { ApiProblem } from '../api/problem.ts';
import type { Page, UploadAddresses, UploadView, Video } from '../api/types.ts';
import { failureOf, UploadFailure } from './failure.ts';
import { insist } from './ground.ts';
import type { Ground } from './ground.ts';

export type Begun = {
  readonly video: string;
  /** As the server knows it. */
  readonly metadata: UploadMetadata;
  /** Null: it has all bytes already. */
  readonly addresses: UploadAddresses | null;
  /** Some of it may be there. */
  readonly resumed: boolean;
};

export type Beginning = {
  readonly filename: string;
  readonly size: number;
  readonly fingerprint: string;
  /** Asked once, when a new video is made of it. */
  metadata(): UploadMetadata;
};

/** It can be watched before its last byte has come, so both states have some. */
const unfinishedStates = ['uploading', 'playable'] as const;
const mostPages = 10;

export const isUnfinished = (video: Video): video is Video & { readonly upload: UploadView } =>
  video.upload != null && video.source !== 'import';

/** What of this account's waits for bytes, the newest first. */
export const unfinishedVideos = async (
  ground: Ground,
  signal: AbortSignal,
): Promise<readonly (Video & { readonly upload: UploadView })[]> => {
  const found: (Video & { readonly upload: UploadView })[] = [];
  for (const state of unfinishedStates) {
    let cursor: string | null = null;
    for (let page = 0; page < mostPages; page++) {
      const from: string | null = cursor;
      const ask = (signal: AbortSignal): Promise<Page<Video>> => ground.api.myVideos(state, from, { signal });
      const answer: Page<Video> = await insist(ground, signal, ask);
      found.push(...answer.items.filter(isUnfinished));
      cursor = answer.cursor;
      if (cursor === null) break;
    }
  }
  return found;
};

export const metadataOf = ({ title, description = '', visibility, downloads = true, protection }: Video): UploadMetadata => ({
  title,
  description,
  visibility,
  downloads,
  ...(protection && { protection }),
});

/** Null: the server knows of no such upload, or not of this file. */
const goOn = async (
  ground: Ground,
  signal: AbortSignal,
  id: string,
  { fingerprint, size }: Beginning,
): Promise<Begun | null> => {
  const { api } = ground;
  try {
    const { upload } = await insist(ground, signal, (signal) => api.signUpload(id, { signal }));
    if (upload.fingerprint !== fingerprint) return null;
    const video = await insist(ground, signal, () => api.video(id));
    return { video: id, metadata: metadataOf(video), addresses: upload, resumed: true };
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    if (error.status === 401) throw failureOf(error);
    if (error.code !== 'upload-over') return null;
    // It was whole, and nobody here heard of it. Whoever sends what has failed, wants it to be looked at again.
    const video = await insist(ground, signal, () => api.video(id));
    if (video.state === 'failed' || video.originalBytes !== size) return null;
    return { video: id, metadata: metadataOf(video), addresses: null, resumed: true };
  }
};

/** Throws UploadFailure, Stopped. */
export const begin = async (ground: Ground, signal: AbortSignal, file: Beginning): Promise<Begun> => {
  const { api, memory } = ground;
  const { filename, size, fingerprint } = file;
  try {
    const known = memory.find(fingerprint);
    const remembered = known === null ? null : await goOn(ground, signal, known, file);
    if (remembered) return remembered;
    memory.forget(fingerprint);

    const same = (await unfinishedVideos(ground, signal)).find(({ upload }) => upload.fingerprint === fingerprint);
    const elsewhere = same ? await goOn(ground, signal, same.id, file) : null;
    if (elsewhere) {
      memory.keep(fingerprint, elsewhere.video);
      return elsewhere;
    }

    const body = { filename, size, fingerprint, ...file.metadata() };
    const idempotencyKey = ground.newKey();
    // The server may have made the video by the time that this is called off, and whoever cancels has to know which.
    const create = (signal: AbortSignal) => api.createUpload(body, { idempotencyKey, signal });
    const video = await insist(ground, signal, create, { unbroken: true });
    memory.keep(fingerprint, video.id);
    const { upload, ...plain } = video;
    return { video: video.id, metadata: metadataOf(plain), addresses: upload, resumed: false };
  } catch (error) {
    throw error instanceof ApiProblem ? failureOf(error) : error;
  }
};

/** New addresses; null: no bytes are wanted any more, and all is well. Throws UploadFailure, Stopped. */
export const signAnew = async (ground: Ground, signal: AbortSignal, id: string): Promise<UploadAddresses | null> => {
  try {
    return (await insist(ground, signal, (signal) => ground.api.signUpload(id, { signal }))).upload;
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    if (error.code !== 'upload-over') throw failureOf(error);
    const video = await insist(ground, signal, () => ground.api.video(id));
    if (video.state !== 'failed') return null;
    throw new UploadFailure('not-usable', video.error?.message ?? '');
  }
};
