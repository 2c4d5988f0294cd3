/** Videos: found, described, hidden, removed. */
import { Type } from 'typebox';
import type { VideoChange, VideoRow } from '../../catalog/videos.ts';
import { pageAnswer, pageQuery, pageRequest } from '../kit/cursor.ts';
import { chaptersOf } from '../../pictures/chapters.ts';
import { shownPictures, withChosen, type Chapter } from '../../pictures/kept.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { notFound, Problem } from '../kit/problem.ts';
import type { Shape } from '../kit/shape.ts';
import { mustBeAble } from './abilities.ts';
import { ownVideo, seenBy, seenChannel } from './access.ts';
import { grantProblems, grantText, seenByGrant } from './by-grant.ts';
import type { Ground } from './ground.ts';
import { liveKeepsProtection, newProtection } from './protect.ts';
import { channelParams, closed, description, downloads, idText, protection, title, videoState, visibility } from './shapes.ts';
import { spanOf, trimShape } from './span.ts';
import { newChapters } from './pictures-view.ts';
import { videoShape, videoView } from './video-view.ts';

const params = Type.Object({ video: idText });

const trimmed = (video: VideoRow, trim: Shape<typeof trimShape>, incomplete: boolean): VideoChange => {
  if (trim === null) return video.cutInMs === null && video.cutOutMs === null ? {} : { cutInMs: null, cutOutMs: null };
  if (video.state === 'live') throw new Problem('video-is-live', 'The video is live. Only a recording can be trimmed: do it when the show has ended.');
  // How long it is stands when all of it is there.
  if (video.state !== 'ready' && (video.state !== 'playable' || incomplete)) throw new Problem('not-playable', 'Only what is there whole can be trimmed: try again when it is.');
  const { inMs, outMs } = spanOf(trim, { durationMs: video.durationMs }, 'trim.');
  return { cutInMs: inMs, cutOutMs: outMs };
};

/** Before anything is changed. */
const mustHavePoster = (row: VideoRow, poster: number | undefined): void => {
  if (poster === undefined) return;
  const there = shownPictures(row.pictures, row).posters?.count ?? 0;
  if (poster < there) return;
  const detail = there === 0 ? 'There are no posters of this video to choose from.' : `There are ${there} posters to choose from, counted from 0.`;
  throw new Problem('validation', detail, { errors: [{ field: 'poster', detail }] });
};

/** One that was made, from now on: its own goes. Whoever chooses what is shown already changes nothing. */
const choosePoster = async ({ catalog, hooks }: Ground, row: VideoRow, poster: number): Promise<VideoRow | null> => {
  const hadOwn = row.pictures?.own ?? null;
  if (hadOwn || shownPictures(row.pictures, row).posters?.chosen !== poster) await catalog.videos.changePictures(row.id, (kept) => withChosen(kept, row, poster));
  if (hadOwn) await hooks.posters.remove(row.id);
  return catalog.videos.get(row.id);
};

const placed = (chapters: Shape<typeof newChapters>, row: VideoRow): readonly Chapter[] => {
  const ms = (seconds: number): number => Math.round(seconds * 1000);
  const made = chaptersOf(chapters.map(({ start, end, title: name }) => ({ startMs: ms(start), endMs: end === undefined ? null : ms(end), title: name })), row);
  if (!('detail' in made)) return made;
  const field = `chapters.${made.index}`;
  const detail = `\`${field}\` ${made.detail}`;
  throw new Problem('validation', detail, { errors: [{ field, detail }] });
};

export const videoRoutes = (ground: Ground): readonly Route[] => {
  const { catalog, config, hooks } = ground;
  const { uploads } = hooks;
  return [
    route({
      name: 'listVideos',
      summary: 'Public videos that can be played and one’s own, whatever their state (an admin: all), the newest first.',
      method: 'GET',
      path: '/videos',
      auth: 'none',
      query: Type.Object(
        {
          query: Type.Optional(Type.String({ maxLength: 200, description: 'Words of the title.' })),
          channel: Type.Optional(channelParams.properties.channel),
          state: Type.Optional(videoState),
          mine: Type.Optional(Type.Boolean({ wants: 'true or false', description: 'Only one’s own.' })),
          ...pageQuery,
        },
        closed,
      ),
      answers: { 200: Type.Object({ items: Type.Array(videoShape), cursor: Type.Union([Type.String(), Type.Null()]) }, closed) },
      handler: async ({ who, query, base }) => {
        if (query.mine && !who) throw new Problem('not-logged-in', 'Log in to see your own videos.');
        const channel = query.channel === undefined ? null : await seenChannel(ground, query.channel, who);
        const page = await catalog.videos.list({
          ...pageRequest(query),
          seenBy: seenBy(who),
          ...(query.query === undefined ? {} : { query: query.query }),
          ...(channel ? { channelId: channel.id } : {}),
          ...(query.state === undefined ? {} : { state: query.state }),
          ...(query.mine && who ? { ownerId: who.accountId } : {}),
        });
        return { status: 200, body: pageAnswer(page, (video) => videoView(video, { who, base, hooks })) };
      },
    }),
    route({
      name: 'getVideo',
      summary: 'A video.',
      method: 'GET',
      path: '/videos/:video',
      auth: 'none',
      params,
      query: Type.Object({ grant: grantText }, closed),
      answers: { 200: videoShape },
      problems: [...grantProblems],
      byGrant: true,
      handler: async ({ who, params: { video }, query, grant, base, origin }) => {
        const row = await seenByGrant(ground, video, who, grant ?? query.grant, origin);
        return { status: 200, body: videoView(row, { who, base, hooks, grant: grant ?? query.grant }) };
      },
    }),
    route({
      name: 'patchVideo',
      summary: 'Changes what a video is called, who may see it, whether it may be downloaded, how it is protected, and what of it is shown.',
      method: 'PATCH',
      path: '/videos/:video',
      auth: 'viewer',
      params,
      body: Type.Object(
        {
          title: Type.Optional(title),
          description: Type.Optional(description),
          visibility: Type.Optional(visibility),
          downloads: Type.Optional(downloads),
          protection: Type.Optional(protection),
          trim: Type.Optional(trimShape),
          poster: Type.Optional(Type.Integer({ minimum: 0, maximum: 5, wants: 'the number of one of the posters that there are', description: 'Which of the `posters` is the poster, in place of one of its own.' })),
          chapters: Type.Optional(newChapters),
        },
        { ...closed, minProperties: 1 },
      ),
      // A thousand chapters, each of 200 letters.
      bodyLimit: 2 ** 20,
      answers: { 200: videoShape },
      problems: ['not-yours', 'not-available', 'video-is-live', 'not-playable', 'cbcs-not-carried'],
      handler: async ({ who, params: { video }, body, base }) => {
        const row = await ownVideo(ground, video, who);
        mustBeAble(config.abilities, 'files', body);
        const { trim, protection: wanted, poster, chapters, ...plain } = body;
        const protection = wanted && (await newProtection(ground, row, wanted));
        const cut = trim === undefined ? {} : trimmed(row, trim, uploads.received(row.id) !== null);
        mustHavePoster({ ...row, ...cut }, poster);
        const change = { ...plain, ...(protection && { protection }), ...cut, ...(chapters && { chapters: placed(chapters, { ...row, ...cut }) }) };
        const updated = Object.keys(change).length > 0 ? await catalog.videos.update(row.id, change) : row;
        const changed = updated && poster !== undefined ? await choosePoster(ground, updated, poster) : updated;
        if (!changed && protection && (await catalog.videos.get(row.id))) throw liveKeepsProtection();
        if (!changed) throw notFound('video');
        // Whoever reads the answer may count on it.
        if (protection) await hooks.shownAnew(row.id);
        return { status: 200, body: videoView(changed, { who, base, hooks }) };
      },
    }),
    route({
      name: 'deleteVideo',
      summary: 'Removes a video and its media, for good; what is still being uploaded or fetched is cancelled.',
      method: 'DELETE',
      path: '/videos/:video',
      auth: 'viewer',
      params,
      answers: { 204: null },
      problems: ['not-yours', 'video-is-live'],
      handler: async ({ who, params: { video } }) => {
        const { id } = await ownVideo(ground, video, who);
        if (await catalog.videos.remove(id)) return { status: 204 };
        if ((await catalog.videos.get(id))?.state === 'live') throw new Problem('video-is-live', 'The video is live. End the show first, then remove it.');
        throw notFound('video');
      },
    }),
  ];
};
