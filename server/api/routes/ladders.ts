/** Ladders that a channel may name, with what they take; and for admins what is encoded now, and who holds the cores. */
import { Type } from 'typebox';
import { hundredths } from '../../ladders/offer.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import type { Ground } from './ground.ts';
import { closed } from './shapes.ts';

const count = Type.Integer({ minimum: 0 });
const cores = Type.Number({ minimum: 0 });
const heights = Type.Array(count);
const nullable = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Union([schema, Type.Null()]);

const rung = Type.Object(
  {
    height: Type.Integer({ minimum: 1, description: 'Of the shorter side.' }),
    bitRate: Type.Integer({ minimum: 1, description: 'Bits a second, on average.' }),
    mostPictures: nullable(Type.Integer({ minimum: 1, description: 'A second; null: as many as come.' })),
    preset: Type.String(),
  },
  closed,
);
const offered = Type.Object(
  {
    name: Type.String(),
    rungs: Type.Array(rung, { description: 'The highest first. Of `auto`: what 1080p30 would get here.' }),
    cores: nullable(Type.Number({ minimum: 0, description: 'That 1080p30 would keep busy, as this machine was measured; null: it has not been.' })),
    carried: nullable(Type.Integer({ minimum: 0, description: 'Rungs that the machine carries of it while it does nothing else; null: it has not been measured.' })),
  },
  closed,
);
const coresShape = Type.Object({ total: cores, free: cores }, { ...closed, description: 'For encoding, and those of them that a show could have now.' });
const budgetShape = Type.Object(
  {
    total: cores,
    free: cores,
    leases: Type.Array(Type.Object({ name: Type.String({ description: 'Of live: the id of the video.' }), rank: Type.Enum(['live', 'vod']), cores }, closed)),
  },
  closed,
);
const showShape = Type.Object(
  {
    videoId: Type.String(),
    title: nullable(Type.String()),
    channel: nullable(Type.String({ description: 'Its name.' })),
    ladder: Type.String(),
    encoding: heights,
    shed: Type.Array(count, { description: 'Not made now: holes.' }),
    leftOut: Type.Array(count, { description: 'There was no room for them when the show began.' }),
    restarts: count,
    lagMs: Type.Integer({ minimum: 0, description: 'How far its encoder is behind, ms.' }),
    busyCores: nullable(Type.Number({ minimum: 0, description: 'That its encoder keeps busy, measured since somebody last asked; null: not known.' })),
  },
  closed,
);

export const ladderRoutes = ({ catalog, hooks }: Ground): readonly Route[] => [
  route({
    name: 'listLadders',
    summary: 'The ladders that channels may have, and what they take; for admins also what is encoded now.',
    method: 'GET',
    path: '/ladders',
    auth: 'creator',
    answers: {
      200: Type.Object({ items: Type.Array(offered), cores: coresShape, budget: Type.Optional(budgetShape), shows: Type.Optional(Type.Array(showShape)) }, { ...closed, description: '`budget` and `shows`: for admins.' }),
    },
    handler: async ({ who }) => {
      const { offered: items, budget, shows, cores: some } = hooks.ladders;
      const told = { items, cores: { total: hundredths(some.total), free: hundredths(some.free) } };
      if (who.role !== 'admin') return { status: 200, body: told };
      const { total, free, leases } = budget;
      const held = leases.map(({ ask: { name, rank }, cores: taken }) => ({ name, rank, cores: hundredths(taken) }));
      const encoded = shows.map(async ({ videoId, ladder, encoding, shed, leftOut, restarts, lagMs, busyCores }) => ({
        ...{ videoId, ...(await namesOf(catalog, videoId)) },
        ...{ ladder, encoding, shed, leftOut, restarts, lagMs, busyCores: busyCores === null ? null : hundredths(busyCores) },
      }));
      return { status: 200, body: { ...told, budget: { total: hundredths(total), free: hundredths(free), leases: held }, shows: await Promise.all(encoded) } };
    },
  }),
];

const namesOf = async (catalog: Ground['catalog'], videoId: string): Promise<{ title: string | null; channel: string | null }> => {
  const video = await catalog.videos.get(videoId);
  const channel = video?.channelId ? await catalog.channels.get(video.channelId) : null;
  return { title: video?.title ?? null, channel: channel?.name ?? null };
};
