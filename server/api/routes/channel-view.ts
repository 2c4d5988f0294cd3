/** A channel as viewers see it, and as its owner does. */
import { Type } from 'typebox';
import { livePictureName } from '../../../packager/names.ts';
import type { Who } from '../../auth/auth.ts';
import type { ChannelRow } from '../../catalog/channels.ts';
import type { ApiConfig, ApiHooks } from '../hooks.ts';
import { captions, closed, downloads, dvr, iso, ladder, latency, protection, time, visibility } from './shapes.ts';

const nullable = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Union([schema, Type.Null()]);

const liveShape = nullable(
  Type.Object(
    {
      videoId: Type.String(),
      startedAt: time,
      viewers: Type.Integer(),
      picture: nullable(
        Type.String({
          description:
            'A small JPEG of what is live, its longer side 640 pixels at the most. The picture is another one about every five seconds, and so is the address then; null: there is none (yet). Where the channel is not for everybody the address opens for whoever asked for it, for an hour at least.',
        }),
      ),
    },
    closed,
  ),
);

const rtmpShape = Type.Object({ server: Type.String(), key: Type.Optional(Type.String()) }, closed);

export const ingestShape = Type.Object(
  {
    rtmp: rtmpShape,
    rtmps: nullable(rtmpShape),
    srt: nullable(Type.Object({ url: Type.String() }, closed)),
  },
  { ...closed, description: 'Where encoders send to. The key is there only right after it was made, and when it is revealed.' },
);

const channelFacts = {
  id: Type.String(),
  name: Type.String(),
  title: Type.String(),
  description: Type.String(),
  page: Type.String({ description: 'The channel’s page.' }),
  visibility,
  latency,
  protection,
  dvr,
  captions,
  downloads,
  createdAt: time,
  live: liveShape,
};
const ownerFacts = {
  ownerId: Type.String(),
  ladder,
  hasSrtPassphrase: Type.Boolean(),
  ingest: ingestShape,
};

export const channelShape = Type.Object({ ...channelFacts, ...Type.Partial(Type.Object(ownerFacts)).properties }, closed);
export const newChannelShape = Type.Object({ ...channelFacts, ...ownerFacts, streamKey: Type.String({ description: 'Keep it secret: whoever has it can stream here.' }) }, closed);

/** `rtmp://host:1935/live`: the host that the API was reached by, since an encoder reaches it the same way. */
export const ingestView = (base: string, config: Pick<ApiConfig, 'rtmpPort' | 'rtmpsPort' | 'srtPort'>, secret?: { key: string; srtPassphrase: string | null }): object => {
  const { hostname } = new URL(base);
  const srt = secret ? [`streamid=${secret.key}`, ...(secret.srtPassphrase === null ? [] : [`passphrase=${inQuery(secret.srtPassphrase)}`])] : [];
  const query = srt.length > 0 ? `?${srt.join('&')}` : '';
  const key = secret ? { key: secret.key } : {};
  return {
    rtmp: { server: `rtmp://${hostname}:${config.rtmpPort}/live`, ...key },
    rtmps: config.rtmpsPort === null ? null : { server: `rtmps://${hostname}:${config.rtmpsPort}/live`, ...key },
    srt: config.srtPort === null ? null : { url: `srt://${hostname}:${config.srtPort}${query}` },
  };
};

/** ffmpeg and OBS take a passphrase out of the address as it stands, but for `+`, which is a space: only what would end it is escaped. */
const inQuery = (passphrase: string): string => passphrase.replace(/[%&+#]/g, encodeURIComponent).replaceAll(' ', '+');

export type ChannelFacts = {
  readonly hooks: Pick<ApiHooks, 'liveOf' | 'pictures' | 'grants'>;
  readonly base: string;
  readonly who: Who | null;
  /** By which he sees it. */
  readonly grant?: string | undefined;
};

/** Under the same rules as the media that it is of. */
const pictureOf = ({ visibility, ownerId }: ChannelRow, videoId: string, { hooks: { pictures, grants }, base, who, grant }: ChannelFacts): string | null => {
  const picture = pictures.of(videoId);
  if (!picture) return null;
  const handed = grant !== undefined && grants.read(grant)?.audiences.includes('pictures') === true ? grant : null;
  const isOpen = visibility === 'public' || visibility === 'unlisted';
  const opens = isOpen ? '-' : ((who && grants.mintForPictures({ id: videoId, ownerId }, who)) ?? handed);
  return opens && `${base}/play/${opens}/${videoId}/${livePictureName}?v=${picture.version}`;
};

export const channelView = (channel: ChannelRow, facts: ChannelFacts): Record<string, unknown> => {
  const { hooks, base } = facts;
  const live = hooks.liveOf(channel.id);
  const { id, name, title, description, visibility, latency, protection, dvrSeconds, captions, downloads, createdAt } = channel;
  return {
    id,
    name,
    title,
    description,
    page: `${base}/@${name}`,
    visibility,
    latency,
    protection,
    dvr: dvrSeconds,
    captions,
    downloads,
    createdAt: iso(createdAt),
    live: live && { videoId: live.videoId, startedAt: iso(live.startedAt), viewers: live.viewers, picture: pictureOf(channel, live.videoId, facts) },
  };
};

export const ownerChannelView = (channel: ChannelRow, facts: ChannelFacts & { config: ApiConfig }, key?: string): Record<string, unknown> => ({
  ...channelView(channel, facts),
  ownerId: channel.ownerId,
  ladder: channel.ladder,
  hasSrtPassphrase: channel.srtPassphrase !== null,
  ingest: ingestView(facts.base, facts.config, key === undefined ? undefined : { key, srtPassphrase: channel.srtPassphrase }),
});
