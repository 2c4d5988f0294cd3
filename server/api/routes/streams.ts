/** Where an account is watching just now what is not for everybody, and "stop that one". */
import { Type } from 'typebox';
import { notFound } from '../kit/problem.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import type { Ground } from './ground.ts';
import { closed, idText, iso, time } from './shapes.ts';

const streamShape = Type.Object(
  {
    id: Type.String(),
    videoId: Type.String(),
    title: Type.Union([Type.String(), Type.Null()]),
    startedAt: time,
    seenAt: time,
    address: Type.String(),
    userAgent: Type.String(),
    current: Type.Boolean({ description: 'By the session that asks.' }),
  },
  closed,
);

export const streamRoutes = ({ catalog, hooks }: Ground): readonly Route[] => [
  route({
    name: 'listStreams',
    summary: 'Where one is watching just now what is not for everybody.',
    method: 'GET',
    path: '/streams',
    auth: 'viewer',
    answers: { 200: Type.Object({ items: Type.Array(streamShape) }, closed) },
    handler: async ({ who }) => {
      const own = hooks.grants.ownId(who.sessionId);
      const items = hooks.streams.ofAccount(who.accountId).map(async ({ id, videoId, startedAt, seenAt, address, agent, grant }) => ({
        ...{ id, videoId, title: (await catalog.videos.get(videoId))?.title ?? null, startedAt: iso(startedAt), seenAt: iso(seenAt) },
        ...{ address, userAgent: agent, current: grant === own },
      }));
      return { status: 200, body: { items: await Promise.all(items) } };
    },
  }),
  route({
    name: 'deleteStream',
    summary: 'Stops one of them at once; it is refused until somebody begins it there again.',
    method: 'DELETE',
    path: '/streams/:stream',
    auth: 'viewer',
    params: Type.Object({ stream: idText }),
    answers: { 204: null },
    handler: async ({ who, params: { stream } }) => {
      if (!hooks.streams.stop(who.accountId, stream)) throw notFound('stream');
      return { status: 204 };
    },
  }),
];
