/** The pictures and the chapters of a video as viewers and pages see them. */
import { Type } from 'typebox';
import { ownPosterName, posterName, previewName, storyboardName } from '../../../packager/pictures/names.ts';
import type { Who } from '../../auth/auth.ts';
import type { VideoRow } from '../../catalog/videos.ts';
import { longestChapterTitle, mostChapters, shownChapters } from '../../pictures/chapters.ts';
import { posterOf, shownPictures } from '../../pictures/kept.ts';
import type { ApiHooks } from '../hooks.ts';
import { closed } from './shapes.ts';

const addressOrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

export const picturesShape = Type.Union(
  [
    Type.Object(
      {
        poster: addressOrNull('The poster, a JPEG of at most 1280 pixels: its own, or the one that is chosen.'),
        posters: Type.Array(Type.String(), { description: 'Those that can be chosen from.' }),
        chosen: Type.Union([Type.Integer({ minimum: 0 }), Type.Literal('own'), Type.Null()], { description: 'Which of them is the poster; `own`: one that its owner gave.' }),
        storyboard: addressOrNull('WebVTT that names a small picture of every few seconds (`#xywh=` in a larger one), for whoever looks for a place.'),
        preview: addressOrNull('A WebP of three seconds that moves.'),
      },
      closed,
    ),
    Type.Null(),
  ],
  {
    description:
      'Pictures of the video; null: there are none (yet). Their addresses change with what they show. Where the video is not for everybody they open for whoever asked for them, for an hour at least.',
  },
);

const seconds = Type.Number({ minimum: 0, maximum: 604_800 });
const chapterTitle = Type.String({ minLength: 1, maxLength: longestChapterTitle, pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f]+$', wants: `one line of 1 to ${longestChapterTitle} characters` });
const chapter = Type.Object({ start: seconds, end: seconds, title: Type.String() }, closed);
export const chaptersShape = Type.Array(chapter, { description: 'Seconds from where playback begins, in order; none: an empty list.' });

export const newChapters = Type.Array(Type.Object({ start: seconds, end: Type.Optional(seconds), title: chapterTitle }, closed), {
  maxItems: mostChapters,
  description: 'In place of those that are shown: what lies in what is cut away (`trim`) stays. Without an `end` a chapter ends where the next one begins, the last one with the video.',
});

export type PictureFacts = { readonly base: string; readonly who: Who | null; readonly hooks: { readonly grants: Pick<ApiHooks['grants'], 'read' | 'mintForPictures'> }; readonly grant?: string | undefined };

/** Under the same rules as the media that they are of. */
const openerOf = ({ id, ownerId, visibility }: VideoRow, { hooks: { grants }, who, grant }: PictureFacts): string | null => {
  if (visibility === 'public' || visibility === 'unlisted') return '-';
  const handed = grant !== undefined && grants.read(grant)?.audiences.includes('pictures') === true ? grant : null;
  return (who && grants.mintForPictures({ id, ownerId }, who)) ?? handed;
};

export const picturesView = (video: VideoRow, facts: PictureFacts): object | null => {
  const shown = shownPictures(video.pictures, video);
  const { own, posters, storyboard, preview } = shown;
  if (!own && !posters && !storyboard && !preview) return null;
  const opens = openerOf(video, facts);
  if (opens === null) return null;
  const at = (name: string, version: string): string => `${facts.base}/play/${opens}/${video.id}/${name}?v=${version}`;
  const poster = posterOf(shown);
  return {
    poster: poster && at(ownPosterName, poster.version),
    posters: Array.from({ length: posters?.count ?? 0 }, (_, index) => at(posterName(index), posters?.version ?? '')),
    chosen: poster && poster.of,
    storyboard: storyboard && at(storyboardName, storyboard.version),
    preview: preview && at(previewName, preview.version),
  };
};

export const chaptersView = (video: VideoRow): object[] => shownChapters(video).map(({ startMs, endMs, title }) => ({ start: startMs / 1000, end: endMs / 1000, title }));
