/** Channels. */
import { Type } from 'typebox';
import type { Who } from '../../auth/auth.ts';
import type { ChannelRow } from '../../catalog/channels.ts';
import { isTaken } from '../../catalog/errors.ts';
import { pageAnswer, pageQuery, pageRequest } from '../kit/cursor.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { notFound, Problem } from '../kit/problem.ts';
import { mustBeAble } from './abilities.ts';
import { ownChannel, owns, seenBy } from './access.ts';
import { channelByGrant, grantProblems } from './by-grant.ts';
import { channelShape, channelView, newChannelShape, ownerChannelView } from './channel-view.ts';
import type { Ground } from './ground.ts';
import { captions, channelParams, closed, description, downloads, dvr, ladder, latency, protection, title, visibility } from './shapes.ts';

/** Names that a visitor would take for a part of the server, or for its owner. */
const reserved = new Set(
  'admin administrator api assets docs embed healthz help live login logout me metrics millrace moderator null official play readyz root search security settings setup staff static status studio support system undefined upload watch www'.split(' '),
);

const name = Type.String({ pattern: '^[a-z0-9_-]{1,40}$', wants: '1 to 40 of the characters a-z, 0-9, - and _' });
const srtPassphrase = Type.Union([Type.String({ minLength: 10, maxLength: 79, pattern: '^[\\x20-\\x7e]*$' }), Type.Null()], {
  // draft-sharabayko-srt, 3.2.1.1: a passphrase has 10 to 79 characters.
  wants: '10 to 79 printable ASCII characters, or null for none',
});
const settings = {
  description: Type.Optional(description),
  visibility: Type.Optional(visibility),
  latency: Type.Optional(latency),
  ladder: Type.Optional(ladder),
  protection: Type.Optional(protection),
  srtPassphrase: Type.Optional(srtPassphrase),
  dvr: Type.Optional(dvr),
  captions: Type.Optional(captions),
  downloads: Type.Optional(downloads),
};

/** As they are written everywhere (`en-gb` is `en-GB`), each once. */
const languages = (tags: readonly string[]): readonly string[] => {
  const wrong = (detail: string): Problem => new Problem('validation', `\`captions\` ${detail}`, { errors: [{ field: 'captions', detail: `\`captions\` ${detail}` }] });
  const canonical = tags.map((tag) => {
    try {
      return Intl.getCanonicalLocales(tag)[0] ?? tag;
    } catch {
      throw wrong(`has "${tag}", which is no language tag.`);
    }
  });
  const twice = canonical.find((tag, at) => canonical.indexOf(tag) !== at);
  if (twice !== undefined) throw wrong(`has "${twice}" twice.`);
  return canonical;
};

export const channelRoutes = (ground: Ground): readonly Route[] => {
  const { catalog, hooks, config } = ground;
  const viewFor = (who: Who | null, base: string, grant?: string) => (channel: ChannelRow) =>
    owns(who, channel) ? ownerChannelView(channel, { hooks, base, config, who }) : channelView(channel, { hooks, base, who, grant });
  return [
    route({
      name: 'postChannel',
      summary: 'Makes a channel, with its first stream key.',
      method: 'POST',
      path: '/channels',
      auth: 'creator',
      body: Type.Object({ name, title, ...settings }, closed),
      answers: { 201: newChannelShape },
      problems: ['name-taken', 'name-reserved', 'not-available'],
      idempotent: true,
      handler: async ({ who, body, base }) => {
        mustBeAble(config.abilities, 'live', body);
        if (reserved.has(body.name)) throw new Problem('name-reserved', `The name "${body.name}" is reserved. Take another one.`);
        const wanted = {
          name: body.name,
          title: body.title,
          ownerId: who.accountId,
          description: body.description ?? '',
          visibility: body.visibility ?? 'public',
          latency: body.latency ?? 'low',
          ladder: body.ladder ?? 'source',
          protection: body.protection ?? 'none',
          srtPassphrase: body.srtPassphrase ?? null,
          dvrSeconds: body.dvr === undefined ? config.dvrSeconds : body.dvr,
          captions: languages(body.captions ?? []),
          downloads: body.downloads ?? true,
        } as const;
        try {
          const { channel, key } = await catalog.channels.create(wanted);
          return {
            status: 201,
            body: { ...ownerChannelView(channel, { hooks, base, config, who }, key), streamKey: key },
            headers: { location: `/api/v1/channels/${channel.id}` },
          };
        } catch (error) {
          if (isTaken(error, 'channels.name')) throw new Problem('name-taken', `There is a channel named "${body.name}". Take another name.`);
          throw error;
        }
      },
    }),
    route({
      name: 'listChannels',
      summary: 'Public channels and one’s own (an admin: all), the newest first.',
      method: 'GET',
      path: '/channels',
      auth: 'none',
      query: Type.Object({ mine: Type.Optional(Type.Boolean({ wants: 'true or false', description: 'Only one’s own.' })), ...pageQuery }, closed),
      answers: { 200: Type.Object({ items: Type.Array(channelShape), cursor: Type.Union([Type.String(), Type.Null()]) }, closed) },
      handler: async ({ who, query, base }) => {
        if (query.mine && !who) throw new Problem('not-logged-in', 'Log in to see your own channels.');
        const mine = query.mine && who ? { ownerId: who.accountId } : {};
        const page = await catalog.channels.list({ ...pageRequest(query), seenBy: seenBy(who), ...mine });
        return { status: 200, body: pageAnswer(page, viewFor(who, base)) };
      },
    }),
    route({
      name: 'getChannel',
      summary: 'A channel, and what is live on it.',
      method: 'GET',
      path: '/channels/:channel',
      auth: 'none',
      params: channelParams,
      answers: { 200: channelShape },
      problems: [...grantProblems],
      byGrant: true,
      handler: async ({ who, params, grant, base, origin }) => ({ status: 200, body: viewFor(who, base, grant)(await channelByGrant(ground, params.channel, who, grant, origin)) }),
    }),
    route({
      name: 'patchChannel',
      summary: 'Changes a channel. What is live follows its title, its visibility and its downloads at once, everything else from the next show on.',
      method: 'PATCH',
      path: '/channels/:channel',
      auth: 'creator',
      params: channelParams,
      body: Type.Object({ title: Type.Optional(title), ...settings }, { ...closed, minProperties: 1 }),
      answers: { 200: channelShape },
      problems: ['not-yours', 'not-available'],
      handler: async ({ who, params, body, base }) => {
        const channel = await ownChannel(ground, params.channel, who);
        mustBeAble(config.abilities, 'live', body);
        const { dvr: dvrSeconds, captions: tags, ...plain } = body;
        const change = { ...plain, ...(dvrSeconds !== undefined && { dvrSeconds }), ...(tags !== undefined && { captions: languages(tags) }) };
        const changed = await catalog.channels.update(channel.id, change);
        if (!changed) throw notFound('channel');
        return { status: 200, body: viewFor(who, base)(changed) };
      },
    }),
    route({
      name: 'deleteChannel',
      summary: 'Removes a channel and its stream keys; a show that is on ends. Recordings stay with their owner.',
      method: 'DELETE',
      path: '/channels/:channel',
      auth: 'creator',
      params: channelParams,
      answers: { 204: null },
      problems: ['not-yours'],
      handler: async ({ who, params }) => {
        const channel = await ownChannel(ground, params.channel, who);
        if (!(await catalog.channels.remove(channel.id))) throw notFound('channel');
        return { status: 204 };
      },
    }),
    route({
      name: 'endShow',
      summary: 'Ends the show that is on, as if the streamer had.',
      method: 'POST',
      path: '/channels/:channel/end',
      auth: 'creator',
      params: channelParams,
      answers: { 204: null },
      problems: ['not-yours', 'not-live'],
      handler: async ({ who, params }) => {
        const channel = await ownChannel(ground, params.channel, who);
        if (!(await hooks.endShow(channel.id))) throw new Problem('not-live', 'Nothing is live on this channel.');
        return { status: 204 };
      },
    }),
  ];
};
