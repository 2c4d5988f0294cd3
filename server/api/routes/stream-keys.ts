/** Stream keys: shown once when made, and again when their owner asks. */
import { Type } from 'typebox';
import { mostKeys, type StreamKeyRow } from '../../catalog/stream-keys.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { notFound, Problem } from '../kit/problem.ts';
import { ownChannel } from './access.ts';
import { ingestShape, ingestView } from './channel-view.ts';
import type { Ground } from './ground.ts';
import { networksOf } from './networks.ts';
import { channelParams, closed, idText, iso, time } from './shapes.ts';

const mostNetworks = 32;
const label = Type.String({ maxLength: 60, pattern: '^[^\\u0000-\\u001f\\u007f]*$', wants: 'one line of at most 60 characters' });
const allowedNetworks = Type.Array(Type.String({ maxLength: 64 }), {
  maxItems: mostNetworks,
  wants: `at most ${mostNetworks} addresses or networks`,
  description: 'Addresses and networks (CIDR, IPv4 and IPv6) that the key may be used from; none: from anywhere. Judged when somebody begins to send.',
});
const facts = { id: Type.String(), label: Type.String(), allowedNetworks: Type.Array(Type.String()), createdAt: time };
const keyShape = Type.Object(facts, closed);
const shownShape = Type.Object({ ...facts, streamKey: Type.String(), ingest: ingestShape }, closed);
const keyParams = Type.Object({ ...channelParams.properties, key: idText });

const view = ({ id, label, allowedNetworks, createdAt }: StreamKeyRow): object => ({ id, label, allowedNetworks, createdAt: iso(createdAt) });

export const streamKeyRoutes = (ground: Ground): readonly Route[] => {
  const { catalog, config } = ground;
  return [
    route({
      name: 'postStreamKey',
      summary: 'Makes another stream key for the channel.',
      method: 'POST',
      path: '/channels/:channel/stream-keys',
      auth: 'creator',
      params: channelParams,
      body: Type.Object({ label: Type.Optional(label), allowedNetworks: Type.Optional(allowedNetworks) }, closed),
      answers: { 201: shownShape },
      problems: ['not-yours', 'too-many-keys'],
      idempotent: true,
      handler: async ({ who, params, body, base }) => {
        const { id, srtPassphrase } = await ownChannel(ground, params.channel, who);
        const made = await catalog.streamKeys.create(id, { label: body.label ?? '', allowedNetworks: networksOf(body.allowedNetworks ?? [], 'allowedNetworks') });
        if (!made) throw new Problem('too-many-keys', `A channel has at most ${mostKeys} stream keys. Revoke one first.`);
        const { streamKey, key } = made;
        return { status: 201, body: { ...view(streamKey), streamKey: key, ingest: ingestView(base, config, { key, srtPassphrase }) } };
      },
    }),
    route({
      name: 'listStreamKeys',
      summary: 'The channel’s stream keys, without the keys themselves.',
      method: 'GET',
      path: '/channels/:channel/stream-keys',
      auth: 'creator',
      params: channelParams,
      answers: { 200: Type.Object({ items: Type.Array(keyShape) }, closed) },
      problems: ['not-yours'],
      handler: async ({ who, params }) => {
        const { id } = await ownChannel(ground, params.channel, who);
        return { status: 200, body: { items: (await catalog.streamKeys.ofChannel(id)).map(view) } };
      },
    }),
    route({
      name: 'revealStreamKey',
      summary: 'Shows a stream key again.',
      // Not a GET: it must not end up in a history, a cache, or a page that is loaded ahead.
      method: 'POST',
      path: '/channels/:channel/stream-keys/:key/reveal',
      auth: 'creator',
      params: keyParams,
      answers: { 200: shownShape },
      problems: ['not-yours'],
      handler: async ({ who, params, base }) => {
        const { id, srtPassphrase } = await ownChannel(ground, params.channel, who);
        const row = (await catalog.streamKeys.ofChannel(id)).find((other) => other.id === params.key);
        const key = row ? await catalog.streamKeys.reveal(id, row.id) : null;
        if (!row || key === null) throw notFound('stream key');
        return { status: 200, body: { ...view(row), streamKey: key, ingest: ingestView(base, config, { key, srtPassphrase }) } };
      },
    }),
    route({
      name: 'patchStreamKey',
      summary: 'Changes what a stream key is called, and where it may be used from.',
      method: 'PATCH',
      path: '/channels/:channel/stream-keys/:key',
      auth: 'creator',
      params: keyParams,
      body: Type.Object({ label: Type.Optional(label), allowedNetworks: Type.Optional(allowedNetworks) }, closed),
      answers: { 200: keyShape },
      problems: ['not-yours'],
      handler: async ({ who, params, body }) => {
        const { id } = await ownChannel(ground, params.channel, who);
        const changed = await catalog.streamKeys.change(id, params.key, {
          ...(body.label !== undefined && { label: body.label }),
          ...(body.allowedNetworks !== undefined && { allowedNetworks: networksOf(body.allowedNetworks, 'allowedNetworks') }),
        });
        if (!changed) throw notFound('stream key');
        return { status: 200, body: view(changed) };
      },
    }),
    route({
      name: 'deleteStreamKey',
      summary: 'Revokes a stream key; whoever streams with it is sent away.',
      method: 'DELETE',
      path: '/channels/:channel/stream-keys/:key',
      auth: 'creator',
      params: keyParams,
      answers: { 204: null },
      problems: ['not-yours'],
      handler: async ({ who, params }) => {
        const { id } = await ownChannel(ground, params.channel, who);
        if (!(await catalog.streamKeys.revoke(id, params.key))) throw notFound('stream key');
        return { status: 204 };
      },
    }),
  ];
};
