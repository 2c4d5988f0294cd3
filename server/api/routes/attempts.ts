/** Who wanted to stream and was not let in. */
import { Type } from 'typebox';
import { attemptReasons, type Attempt } from '../../live/attempts.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { ownChannel } from './access.ts';
import type { Ground } from './ground.ts';
import { channelParams, closed, iso, time } from './shapes.ts';

const mostListed = 200;

const attemptShape = Type.Object(
  {
    reason: Type.Union(attemptReasons.map((reason) => Type.Literal(reason))),
    protocol: Type.String(),
    address: Type.String(),
    software: Type.Union([Type.String(), Type.Null()], { description: 'What the encoder calls itself.' }),
    keyFingerprint: Type.String({ description: 'Tells keys apart and says nothing of them; another one after each start of the server.' }),
    channel: Type.Union([Type.Object({ id: Type.String(), name: Type.String() }, closed), Type.Null()], { description: 'Null: the key belongs to none.' }),
    detail: Type.Union([Type.String(), Type.Null()], { description: 'What the publish hook said.' }),
    count: Type.Integer({ description: 'The same attempt again counts up.' }),
    firstAt: time,
    lastAt: time,
  },
  closed,
);
const answers = { 200: Type.Object({ items: Type.Array(attemptShape) }, closed) };

const view = (attempt: Attempt, names: ReadonlyMap<string, string>): object => {
  const { reason, protocol, address, software, keyFingerprint, channelId, detail, count, firstAt, lastAt } = attempt;
  const name = channelId === null ? undefined : names.get(channelId);
  const channel = channelId === null || name === undefined ? null : { id: channelId, name };
  return { reason, protocol, address, software, keyFingerprint, channel, detail, count, firstAt: iso(firstAt), lastAt: iso(lastAt) };
};

export const attemptRoutes = (ground: Ground): readonly Route[] => {
  const { catalog, hooks } = ground;
  return [
    route({
      name: 'listAttempts',
      summary: 'Who wanted to stream since the start of the server and was not let in, the newest first.',
      method: 'GET',
      path: '/attempts',
      auth: 'admin',
      answers,
      handler: async () => {
        const listed = hooks.attempts.all().slice(0, mostListed);
        const ids = [...new Set(listed.flatMap(({ channelId }) => channelId ?? []))];
        const channels = await Promise.all(ids.map((id) => catalog.channels.get(id)));
        const names = new Map(channels.flatMap((channel) => (channel ? [[channel.id, channel.name] as const] : [])));
        return { status: 200, body: { items: listed.map((attempt) => view(attempt, names)) } };
      },
    }),
    route({
      name: 'listChannelAttempts',
      summary: 'Who wanted to stream here with one of the channel’s keys and was not let in, the newest first.',
      method: 'GET',
      path: '/channels/:channel/attempts',
      auth: 'creator',
      params: channelParams,
      answers,
      problems: ['not-yours'],
      handler: async ({ who, params }) => {
        const { id, name } = await ownChannel(ground, params.channel, who);
        return { status: 200, body: { items: hooks.attempts.ofChannel(id).map((attempt) => view(attempt, new Map([[id, name]]))) } };
      },
    }),
  ];
};
