/** Captions: files for recordings, and what is said now for shows that are on. */
import { Type } from 'typebox';
import { largestWebVtt, parseWebVtt, WebVttError, type WebVtt } from '../../../packager/text/webvtt.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { notFound, Problem } from '../kit/problem.ts';
import { ownChannel, ownVideo, seenVideo } from './access.ts';
import type { Ground } from './ground.ts';
import { channelParams, closed, idText } from './shapes.ts';

const language = Type.String({ maxLength: 35, pattern: '^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$', wants: 'a language tag such as ko or en-GB' });
const name = Type.String({ minLength: 1, maxLength: 100, pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f"]+$', wants: 'one line of 1 to 100 characters' });
const params = Type.Object({ video: idText });
const one = Type.Object({ video: idText, language });
const complaint = Type.Object({ line: Type.Integer(), detail: Type.String() }, closed);
const track = Type.Object({ language: Type.String(), name: Type.String() }, closed);

/** JSON may double the bytes of a file. */
const bodyLimit = 2 * largestWebVtt + 4096;

/** As they are written everywhere: `en-gb` is `en-GB`. */
const canonical = (tag: string): string => {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? tag;
  } catch {
    throw new Problem('validation', `"${tag}" is no language tag.`, { errors: [{ field: 'language', detail: 'is no language tag' }] });
  }
};

const read = (vtt: string): WebVtt => {
  const wrong = (line: number, detail: string): Problem =>
    new Problem('validation', `Line ${line} of the captions: ${detail}`, { errors: [{ field: 'vtt', detail: `line ${line}: ${detail}` }] });
  try {
    const parsed = parseWebVtt(vtt);
    const [first] = parsed.complaints;
    if (parsed.cues.length > 0) return parsed;
    throw wrong(first?.line ?? 1, first?.detail ?? 'There is no cue in the file.');
  } catch (error) {
    if (error instanceof WebVttError) throw wrong(error.line, error.message);
    throw error;
  }
};

export const captionRoutes = (ground: Ground): readonly Route[] => {
  const { captions } = ground.hooks;
  return [
    route({
      name: 'listCaptions',
      summary: 'The captions of a video.',
      method: 'GET',
      path: '/videos/:video/captions',
      auth: 'none',
      params,
      answers: { 200: Type.Object({ items: Type.Array(track) }, closed) },
      handler: async ({ who, params: { video } }) => {
        const { id } = await seenVideo(ground, video, who);
        return { status: 200, body: { items: await captions.list(id) } };
      },
    }),
    route({
      name: 'putCaptions',
      summary: 'Gives a recording captions in a language, in place of those that it has. What of the WebVTT file cannot be read is passed over and told.',
      method: 'PUT',
      path: '/videos/:video/captions/:language',
      auth: 'viewer',
      params: one,
      body: Type.Object({ name: Type.Optional(name), vtt: Type.String({ maxLength: largestWebVtt, wants: 'a WebVTT file of at most 2 MB' }) }, closed),
      bodyLimit,
      answers: { 200: Type.Object({ language: Type.String(), name: Type.String(), cues: Type.Integer(), passedOver: Type.Array(complaint) }, closed) },
      problems: ['not-yours', 'video-is-live', 'not-playable', 'no-room', 'too-large'],
      handler: async ({ who, params: { video, language: tag }, body }) => {
        const { id, state } = await ownVideo(ground, video, who);
        if (state === 'live') throw new Problem('video-is-live', 'The video is live. Its captions are those that its channel announces; a file can be given when the show is over.');
        const wanted = canonical(tag);
        const vtt = read(body.vtt);
        switch (await captions.put(id, wanted, body.name ?? null, vtt)) {
          case 'no-video':
            throw new Problem('not-playable', 'There is nothing to caption: the video has no media that can be played.');
          case 'no-room':
            throw new Problem('no-room', 'The disk is nearly full.');
          case 'too-many':
            throw new Problem('validation', 'The video has captions in too many languages already.');
          case 'too-large':
            throw new Problem('too-large', 'The captions are too large: long texts that stand for hours are stored with every segment.');
          case 'put': {
            const now = (await captions.list(id)).find((item) => item.language === wanted);
            return { status: 200, body: { language: wanted, name: now?.name ?? wanted, cues: vtt.cues.length, passedOver: vtt.complaints } };
          }
        }
      },
    }),
    route({
      name: 'deleteCaptions',
      summary: 'Removes the captions of a recording in a language.',
      method: 'DELETE',
      path: '/videos/:video/captions/:language',
      auth: 'viewer',
      params: one,
      answers: { 204: null },
      problems: ['not-yours', 'video-is-live'],
      handler: async ({ who, params: { video, language: tag } }) => {
        const { id, state } = await ownVideo(ground, video, who);
        if (state === 'live') throw new Problem('video-is-live', 'The video is live. Its captions can be removed when the show is over.');
        if (!(await captions.remove(id, canonical(tag)))) throw notFound('track of captions');
        return { status: 204 };
      },
    }),
    route({
      name: 'sayCaption',
      summary: 'Shows a caption in the show that is on, from now on. The language must be one that the channel announced when the show began.',
      method: 'POST',
      path: '/channels/:channel/captions',
      auth: 'creator',
      params: channelParams,
      body: Type.Object(
        {
          language,
          text: Type.String({ minLength: 1, maxLength: 500, pattern: '\\S', wants: 'text of 1 to 500 characters' }),
          duration: Type.Optional(Type.Number({ minimum: 0.2, maximum: 30, description: 'Seconds; 4 if it is not said.' })),
        },
        closed,
      ),
      answers: { 202: null },
      problems: ['not-yours', 'not-live', 'validation', 'slow-down'],
      handler: async ({ who, params: { channel: ref }, body }) => {
        const channel = await ownChannel(ground, ref, who);
        const said = captions.say(channel.id, canonical(body.language), body.text, Math.round((body.duration ?? 4) * 1e6));
        switch (said.kind) {
          case 'said':
            return { status: 202 };
          case 'not-live':
            throw new Problem('not-live', 'Nothing is live on this channel.');
          case 'no-language':
            throw new Problem('validation', 'The show has no captions in this language: a channel announces its languages when a show begins.', { errors: [{ field: 'language', detail: 'was not announced' }] });
          case 'slow-down':
            throw new Problem('slow-down', 'Too many captions at once.', { retryAfterMs: said.waitMs });
        }
      },
    }),
  ];
};
