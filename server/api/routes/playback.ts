/** Where a player is to go. */
import { Type } from 'typebox';
import type { Who } from '../../auth/auth.ts';
import type { VideoRow } from '../../catalog/videos.ts';
import { refusals } from '../../auth/grant-refusals.ts';
import type { Asker } from '../../delivery/presentation.ts';
import type { LiveNow } from '../hooks.ts';
import type { CallFacts, Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { notFound, Problem } from '../kit/problem.ts';
import type { Shape } from '../kit/shape.ts';
import { findChannel, maySee, owns } from './access.ts';
import { askerOf, channelByGrant, grantByToken, grantProblems, grantText, seenByGrant, tokenProblems, tokenText } from './by-grant.ts';
import type { Ground } from './ground.ts';
import { channelParams, closed, idText, isoOrNull, time } from './shapes.ts';
import { moment, spanOf } from './span.ts';
import { errorView } from './video-view.ts';

const address = (description: string) => Type.String({ description });
const playbackShape = Type.Object(
  {
    videoId: Type.String(),
    live: Type.Boolean(),
    hls: address('HLS in fragmented MP4, low-latency while live: what to take first.'),
    dash: Type.Union([address('DASH, of the same segments.'), Type.Null()], { description: 'Null: the video is protected by AES-128, which is for HLS.' }),
    ts: Type.Union([address('HLS in MPEG-TS, for players that know nothing else.'), Type.Null()], { description: 'Null: MPEG-TS carries H.264 and AAC, and this is something else, or it is protected by cbcs.' }),
    downloads: Type.Array(
      Type.Object({ url: Type.String(), height: Type.Union([Type.Integer(), Type.Null()], { description: 'Of the picture; null: sound alone.' }) }, closed),
      { description: 'The recording as MP4 files, the best first; empty while live, and where downloads are not allowed or the video is protected.' },
    ),
    expiresAt: Type.Union([time, Type.Null()], { description: 'When the addresses stop opening; null: they do not.' }),
  },
  closed,
);

const ask = Type.Object(
  {
    device: Type.Optional(Type.String({ maxLength: 100, description: 'What the player runs on.' })),
    start: Type.Optional(
      Type.Number({
        // A week: what the address takes.
        minimum: -604_800,
        maximum: 604_800,
        wants: 'seconds: from the beginning, or below 0 from the end',
        description: 'Where HLS players begin by themselves: seconds from the beginning of what is shown, or below 0 from its end.',
      }),
    ),
    grant: grantText,
    token: tokenText,
    restart: Type.Optional(Type.Boolean({ description: 'Goes on here although it was stopped from another device.' })),
    in: Type.Optional(moment),
    out: Type.Optional(moment),
  },
  { ...closed, description: '`in` and `out`: only this span of it, seconds from its beginning. Segments are listed whole; while live, an `out` that is still to come is waited for.' },
);

type Ask = Shape<typeof ask>;
type Given = { readonly text: string; readonly expiresAt: number | null; readonly mayDownload: boolean };

/** One more step of the path after the video; empty for all of it. */
const cutStep = (video: VideoRow, asked: Ask): string => {
  const { inMs, outMs } = spanOf(asked, video, '');
  return inMs === null && outMs === null ? '' : `cut-${inMs ?? 0}-${outMs ?? 'end'}/`;
};

const startQuery = ({ start }: Ask): string => (start === undefined ? '' : `?start=${Math.round(start * 1000) / 1000}`);

/** What the file is to be called where it is kept. */
const asFile = ({ title }: VideoRow): string => `?name=${encodeURIComponent(title.toWellFormed())}`;

export const playbackRoutes = (ground: Ground): readonly Route[] => {
  const { hooks } = ground;
  const grantFor = (video: VideoRow, asked: Ask, who: Who | null, from: Asker): Given => {
    const handed = asked.grant === undefined ? null : hooks.grants.read(asked.grant);
    if (handed === null && (video.visibility === 'public' || video.visibility === 'unlisted')) return { text: '-', expiresAt: null, mayDownload: true };
    const minted = handed === null && who ? hooks.grants.mint(video, who) : null;
    const grant = handed ?? minted?.grant;
    if (!grant) throw notFound('video');
    const turned = hooks.grants.mayBegin(grant, from, asked.restart ?? false);
    if (turned) throw new Problem(turned, refusals[turned]);
    return { text: minted?.text ?? asked.grant ?? '-', expiresAt: grant.expiresAt, mayDownload: grant.mayDownload };
  };
  const playback = async (video: VideoRow, asked: Ask, who: Who | null, { base, origin }: CallFacts): Promise<object> => {
    const shown = cutStep(video, asked);
    const start = startQuery(asked);
    const { text, expiresAt, mayDownload } = grantFor(video, asked, who, askerOf(origin));
    const live = video.state === 'live';
    if (!live) hooks.asked(video.id);
    const below = `${base}/play/${text}/${video.id}/`;
    const files = live || !video.downloads || !mayDownload || video.protection !== 'none' ? [] : await hooks.downloads(video.id);
    return {
      videoId: video.id,
      live,
      hls: `${below}${shown}master.m3u8${start}`,
      dash: video.protection === 'aes-128' ? null : `${below}${shown}manifest.mpd`,
      ts: video.protection !== 'cbcs' && (await hooks.inTransport(video.id)) ? `${below}${shown}ts/master.m3u8${start}` : null,
      downloads: files.map(({ path, height }) => ({ url: below + path + asFile(video), height })),
      expiresAt: isoOrNull(expiresAt),
    };
  };
  /** Who brings a token of somebody whom we trust is given a grant for it. */
  const withGrant = async (video: string, asked: Ask): Promise<Ask> => (asked.token === undefined ? asked : { ...asked, grant: await grantByToken(ground, video, asked.token) });
  /** What is live there, and by which grant. */
  const liveOn = async (ref: string, asked: Ask, who: Who | null, { origin }: CallFacts): Promise<{ readonly videoId: string; readonly asked: Ask }> => {
    if (asked.token !== undefined && asked.grant === undefined) {
      const channel = await findChannel(ground, ref);
      if (!channel || !maySee(who, channel)) return byTokenAlone(channel && hooks.liveOf(channel.id), asked);
    }
    const live = hooks.liveOf((await channelByGrant(ground, ref, who, asked.grant, origin)).id);
    if (!live) throw new Problem('not-found', 'Nothing is live on this channel.');
    return { videoId: live.videoId, asked: await withGrant(live.videoId, asked) };
  };
  /** On a channel that he may not see: tokens are for videos, so that one which is not for what is live there must not tell that there is such a channel. */
  const byTokenAlone = async (live: LiveNow | null, asked: Ask): Promise<{ readonly videoId: string; readonly asked: Ask }> => {
    if (!live) throw notFound('channel');
    try {
      return { videoId: live.videoId, asked: await withGrant(live.videoId, asked) };
    } catch (error) {
      throw error instanceof Problem ? notFound('channel') : error;
    }
  };
  return [
    route({
      name: 'playChannel',
      summary: 'Where a player finds what is live on the channel now; 404 while nothing is.',
      method: 'POST',
      path: '/channels/:channel/playback',
      auth: 'none',
      params: channelParams,
      body: ask,
      answers: { 200: playbackShape },
      problems: [...grantProblems, ...tokenProblems],
      handler: async ({ who, params, body, ...facts }) => {
        const { videoId, asked } = await liveOn(params.channel, body, who, facts);
        const video = await seenByGrant(ground, videoId, who, asked.grant, facts.origin);
        return { status: 200, body: await playback(video, asked, who, facts) };
      },
    }),
    route({
      name: 'playVideo',
      summary: 'Where a player finds the video.',
      method: 'POST',
      path: '/videos/:video/playback',
      auth: 'none',
      params: Type.Object({ video: idText }),
      body: ask,
      answers: { 200: playbackShape },
      problems: ['not-playable', ...grantProblems, ...tokenProblems],
      handler: async ({ who, params, body, ...facts }) => {
        const asked = await withGrant(params.video, body);
        const video = await seenByGrant(ground, params.video, who, asked.grant, facts.origin);
        if (video.state !== 'live' && video.state !== 'playable' && video.state !== 'ready') {
          throw new Problem('not-playable', errorView(video, owns(who, video))?.message ?? `There is nothing to play yet: the video is ${video.state}.`);
        }
        return { status: 200, body: await playback(video, asked, who, facts) };
      },
    }),
  ];
};
