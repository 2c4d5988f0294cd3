/** Grants to hand on: a link that others play a video by, or what is live on a channel, until it expires or is taken back. */
import { Type } from 'typebox';
import { deviceMark } from '../../auth/grant-use.ts';
import { allAudiences, type Grant } from '../../auth/grant-token.ts';
import { mostOfOne, type GrantTarget, type KeptGrant } from '../../catalog/grants.ts';
import type { GrantWish } from '../../auth/grants.ts';
import type { Who } from '../../auth/auth.ts';
import { notFound, Problem } from '../kit/problem.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import type { Shape } from '../kit/shape.ts';
import { ownChannel, ownVideo } from './access.ts';
import type { Ground } from './ground.ts';
import { networksOf } from './networks.ts';
import { channelParams, closed, idText, iso, isoOrNull, time } from './shapes.ts';

const networks = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 8, wants: 'at most 8 addresses or networks' });
const rules = Type.Array(Type.Object({ action: Type.Enum(['allow', 'block']), networks }, closed), {
  maxItems: 5,
  wants: 'at most 5 rules',
  description: 'The first rule whose networks hold the viewer’s address decides (a rule without networks fits everybody); where none fits, the grant opens.',
});
const audience = Type.Enum([...allAudiences]);
const streams = Type.Union([Type.Integer({ minimum: 1, maximum: 255 }), Type.Null()], { description: 'How many may play by it at once; null: any number.' });
const label = Type.String({ maxLength: 60, pattern: '^[^\\u0000-\\u001f\\u007f]*$', wants: 'one line of at most 60 characters' });
const maxHeight = Type.Union([Type.Integer({ minimum: 1, maximum: 65_535 }), Type.Null()], { description: 'Higher pictures are neither listed nor served; null: any.' });

const wished = Type.Object(
  {
    label: Type.Optional(label),
    expiresAt: Type.Optional(Type.String({ format: 'date-time', description: 'At most 366 days from now; a week, unless it is said otherwise. Whoever has begun to watch by then may go on.' })),
    notBefore: Type.Optional(Type.Union([time, Type.Null()])),
    audiences: Type.Optional(Type.Array(audience, { minItems: 1, maxItems: 4, wants: 'a list of what it is for', description: '`media`, `pictures` and `keys`, unless it is said otherwise.' })),
    networks: Type.Optional(networks),
    rules: Type.Optional(rules),
    device: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 400 }), Type.Null()], { description: 'The User-Agent of the only player that it opens to.' })),
    maxHeight: Type.Optional(maxHeight),
    downloads: Type.Optional(Type.Boolean({ description: 'Whether the recording may be downloaded with it, where the video allows that at all; not, unless it is said.' })),
    streams: Type.Optional(streams),
  },
  closed,
);
const grantShape = Type.Object(
  {
    id: Type.String(),
    label: Type.String(),
    createdAt: time,
    notBefore: Type.Union([time, Type.Null()]),
    expiresAt: time,
    audiences: Type.Array(audience),
    networks: Type.Array(Type.String()),
    rules: Type.Array(Type.Object({ action: Type.Enum(['allow', 'block']), networks: Type.Array(Type.String()) }, closed)),
    bound: Type.Boolean({ description: 'To one player.' }),
    maxHeight,
    downloads: Type.Boolean(),
    streams,
    page: Type.String({ description: 'The page that plays it, for whoever is given this address.' }),
    hls: Type.String(),
    dash: Type.String(),
  },
  closed,
);
const invalid = (field: string, detail: string): Problem => new Problem('validation', detail, { errors: [{ field, detail }] });

const wishOf = (asked: Shape<typeof wished>): GrantWish => ({
  label: asked.label ?? '',
  expiresAt: asked.expiresAt === undefined ? null : Date.parse(asked.expiresAt),
  notBefore: asked.notBefore == null ? null : Date.parse(asked.notBefore),
  audiences: asked.audiences ?? ['media', 'pictures', 'keys'],
  networks: networksOf(asked.networks ?? [], 'networks'),
  rules: (asked.rules ?? []).map(({ action, networks }) => ({ action, networks: networksOf(networks, 'rules') })),
  device: asked.device == null ? null : deviceMark(asked.device),
  maxHeight: asked.maxHeight ?? null,
  mayDownload: asked.downloads ?? false,
  streams: asked.streams ?? null,
  viewer: null,
});

/** Its address for people, and the step that players have for it. */
type Place = { readonly opens: GrantTarget; readonly page: string; readonly step: string };

const view = ({ label, createdAt, text }: Pick<KeptGrant, 'label' | 'createdAt' | 'text'>, grant: Grant, { page, step }: Place, base: string): object => ({
  ...{ id: grant.id, label, createdAt: iso(createdAt) },
  notBefore: isoOrNull(grant.notBefore),
  expiresAt: iso(grant.expiresAt),
  ...{ audiences: grant.audiences, networks: grant.networks, rules: grant.rules, bound: grant.device !== null },
  ...{ maxHeight: grant.maxHeight, downloads: grant.mayDownload, streams: grant.streams },
  // No browser sends what stands after the #: it is in the log of no proxy.
  page: `${base}${page}#grant=${text}`,
  hls: `${base}/play/${text}/${step}/master.m3u8`,
  dash: `${base}/play/${text}/${step}/manifest.mpd`,
});

const refusal = (kind: 'too-many' | 'wrong-times' | 'says-too-much'): Problem => {
  switch (kind) {
    case 'too-many':
      return new Problem('too-many-grants', `There are at most ${mostOfOne} links to one video or channel at once. Take one back first.`);
    case 'wrong-times':
      return invalid('expiresAt', '`expiresAt` must be a moment to come within 366 days, and `notBefore` must come before it.');
    case 'says-too-much':
      return invalid('networks', 'All of this does not fit into an address: name fewer networks.');
  }
};

type Kind = {
  readonly where: string;
  readonly params: typeof videoParams | typeof channelParams;
  readonly names: readonly [make: string, list: string, end: string];
  readonly summaries: readonly [make: string, list: string];
  /** Of whoever asks, or he is refused. */
  readonly own: (ground: Ground, ref: string, who: Who) => Promise<Place>;
};

const videoParams = Type.Object({ video: idText });
const kinds: readonly Kind[] = [
  {
    where: '/videos/:video/grants',
    params: videoParams,
    names: ['postGrant', 'listGrants', 'deleteGrant'],
    summaries: ['Makes a link by which others can watch the video until it expires or is taken back.', 'The links of the video that are neither over nor taken back, the newest first.'],
    own: async (ground, ref, who) => {
      const { id } = await ownVideo(ground, ref, who);
      return { opens: { kind: 'video', id }, page: `/watch/${id}`, step: id };
    },
  },
  {
    where: '/channels/:channel/grants',
    params: channelParams,
    names: ['postChannelGrant', 'listChannelGrants', 'deleteChannelGrant'],
    summaries: ['Makes a link by which others can watch what is live on the channel, now and later, until it expires or is taken back.', 'The links of the channel that are neither over nor taken back, the newest first.'],
    own: async (ground, ref, who) => {
      const { id, name } = await ownChannel(ground, ref, who);
      return { opens: { kind: 'channel', id }, page: `/@${name}`, step: `@${name}` };
    },
  },
];

const routesOf = (ground: Ground, { where, params, names, summaries, own }: Kind): readonly Route[] => {
  const { catalog, hooks } = ground;
  const refOf = (given: { readonly video?: string; readonly channel?: string }): string => given.video ?? given.channel ?? '';
  return [
    route({
      name: names[0],
      summary: summaries[0],
      method: 'POST',
      path: where,
      auth: 'viewer',
      params,
      body: wished,
      answers: { 201: grantShape },
      problems: ['not-yours', 'too-many-grants'],
      idempotent: true,
      handler: async ({ who, params: given, body, base }) => {
        const place = await own(ground, refOf(given), who);
        const wish = wishOf(body);
        const made = await hooks.grants.issue(place.opens, who.accountId, wish);
        if (made.kind !== 'made') throw refusal(made.kind);
        return { status: 201, body: view({ label: wish.label, createdAt: made.createdAt, text: made.text }, made.grant, place, base) };
      },
    }),
    route({
      name: names[1],
      summary: summaries[1],
      method: 'GET',
      path: where,
      auth: 'viewer',
      params,
      answers: { 200: Type.Object({ items: Type.Array(grantShape) }, closed) },
      problems: ['not-yours'],
      handler: async ({ who, params: given, base }) => {
        const place = await own(ground, refOf(given), who);
        const shown = (kept: KeptGrant): object[] => {
          // Of a key that is not good any more: it opens nothing.
          const grant = hooks.grants.read(kept.text);
          return grant ? [view(kept, grant, place, base)] : [];
        };
        return { status: 200, body: { items: (await catalog.grants.of(place.opens)).flatMap(shown) } };
      },
    }),
    route({
      name: names[2],
      summary: 'Takes a link back: whoever watches by it is stopped.',
      method: 'DELETE',
      path: `${where}/:grant`,
      auth: 'viewer',
      params: Type.Object({ ...params.properties, grant: idText }),
      answers: { 204: null },
      problems: ['not-yours'],
      handler: async ({ who, params: { grant, ...given } }) => {
        const { opens } = await own(ground, refOf(given), who);
        if (!(await catalog.grants.revoke(opens, grant))) throw notFound('link');
        // Events are handed out one after the other, and one that is slow must not let him watch on.
        hooks.grants.taken(grant);
        return { status: 204 };
      },
    }),
  ];
};

export const grantRoutes = (ground: Ground): readonly Route[] => kinds.flatMap((kind) => routesOf(ground, kind));
