/** A poster that its owner gives to a video, in place of those that were made of it. */
import { Type } from 'typebox';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { notFound, Problem } from '../kit/problem.ts';
import { ownVideo } from './access.ts';
import type { Ground } from './ground.ts';
import { idText } from './shapes.ts';
import { videoShape, videoView } from './video-view.ts';

const params = Type.Object({ video: idText });
export const posterTypes = ['image/jpeg', 'image/png', 'image/webp'] as const;
const mostBytes = 10_000_000;

export const posterRoutes = (ground: Ground): readonly Route[] => {
  const { hooks, catalog } = ground;
  const shown = async (id: string, facts: Omit<Parameters<typeof videoView>[1], 'hooks'>): Promise<object> => {
    const row = await catalog.videos.get(id);
    if (!row) throw notFound('video');
    return videoView(row, { ...facts, hooks });
  };
  return [
    route({
      name: 'putPoster',
      summary: 'Gives a video a poster of its own: a JPEG, PNG or WebP of at most 10 MB, which is made no larger than 1280 pixels.',
      method: 'PUT',
      path: '/videos/:video/poster',
      auth: 'viewer',
      params,
      bytes: posterTypes,
      bodyLimit: mostBytes,
      answers: { 200: videoShape },
      problems: ['not-yours', 'not-playable', 'not-a-picture', 'picture-too-large', 'not-available'],
      mayEnter: async ({ who, params: { video } }) => ownVideo(ground, video, who),
      handler: async ({ who, params: { video }, bytes, base }) => {
        const { id, state } = await ownVideo(ground, video, who);
        if (state === 'uploading' || state === 'scheduled') throw new Problem('not-playable', 'There is nothing of this video yet: give it a poster when it has come.');
        switch (await hooks.posters.put(id, bytes)) {
          case 'put':
            return { status: 200, body: await shown(id, { who, base }) };
          case 'not-a-picture':
            throw new Problem('not-a-picture', 'This is no JPEG, PNG or WebP that can be read. A WebP that moves is none either.');
          case 'too-many-pixels':
            throw new Problem('picture-too-large', 'The picture has more pixels than this server takes: 8192 by 8192.');
          case 'not-available':
            throw new Problem('not-available', 'This server has no ffmpeg to read pictures with.');
          case 'no-room':
            throw new Problem('no-room', 'The disk is nearly full.');
          case 'busy':
            throw new Problem('busy', 'The server has too many pictures to look at right now. Try again in a moment.', { retryAfterMs: 2_000 });
          case 'no-video':
            throw notFound('video');
        }
      },
    }),
    route({
      name: 'deletePoster',
      summary: 'Takes the poster of its own from a video: one of those that were made is shown again.',
      method: 'DELETE',
      path: '/videos/:video/poster',
      auth: 'viewer',
      params,
      answers: { 200: videoShape },
      problems: ['not-yours'],
      handler: async ({ who, params: { video }, base }) => {
        const { id } = await ownVideo(ground, video, who);
        await hooks.posters.remove(id);
        return { status: 200, body: await shown(id, { who, base }) };
      },
    }),
  ];
};
