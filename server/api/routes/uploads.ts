/** Videos made of files: promised first, then sent to an address of their own, or fetched from one. */
import { Type } from 'typebox';
import type { NewUpload, VideoRow } from '../../catalog/videos.ts';
import type { UploadOutcome } from '../hooks.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { notFound, Problem } from '../kit/problem.ts';
import { mustBeAble } from './abilities.ts';
import { ownVideo } from './access.ts';
import type { Ground } from './ground.ts';
import { closed, description, downloads, idText, ladder, protection, title, visibility } from './shapes.ts';
import { uploadingShape, uploadShape, uploadView, videoShape, videoView } from './video-view.ts';

const filename = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f]+$',
  wants: 'a name of 1 to 500 characters, without control characters',
  description: 'What the file is called where it comes from; kept to be shown.',
});
const facts = { title: Type.Optional(title), description: Type.Optional(description), visibility: Type.Optional(visibility), downloads: Type.Optional(downloads), ladder: Type.Optional(ladder), protection: Type.Optional(protection) };

const mostTitle = 200;

/** The name without its ending, as one line. Systems that take names apart into letters and marks do so for no reader. */
const titleOf = (name: string): string => {
  const plain = name.normalize('NFC').trim();
  return [...plain.replace(/(?<=.)\.[^.\s]{1,10}$/u, '')].slice(0, mostTitle).join('').trim() || plain.slice(0, mostTitle);
};

/** What the last step of an address calls the file; the host where it calls it nothing. */
const nameIn = (url: URL): string => {
  const last = url.pathname.split('/').findLast((step) => step !== '') ?? '';
  return decoded(last).replace(/\p{Cc}+/gu, ' ').trim().slice(0, 500) || url.hostname;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not UTF-8: shown as it stands.
  }
};

const sourceAddress = (text: string): URL => {
  const refuse = (detail: string): never => {
    throw new Problem('validation', detail, { errors: [{ field: 'url', detail }] });
  };
  const url = URL.canParse(text) ? new URL(text) : refuse('`url` must be an address such as https://files.example.org/film.mp4.');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') refuse('`url` must begin with http:// or https://.');
  if (url.username !== '' || url.password !== '') refuse('`url` must not hold a name or a password.');
  url.hash = '';
  return url;
};

/** For people: 4.1 GB, 700 bytes. */
const inWords = (bytes: number): string => {
  const [unit = 1, name = 'bytes'] = ([[1e9, 'GB'], [1e6, 'MB'], [1e3, 'KB']] as const).find(([least]) => bytes >= least) ?? [];
  return `${Math.round((bytes / unit) * 100) / 100} ${name}`;
};

const made = (outcome: UploadOutcome): VideoRow => {
  switch (outcome.kind) {
    case 'made':
      return outcome.video;
    case 'over-quota':
      throw new Problem('quota-exceeded', `Your account may keep ${inWords(outcome.quota ?? 0)}, of which ${inWords(outcome.used)} are taken: this file does not fit. Remove videos, or ask whoever runs the server for more.`);
    case 'too-many':
      throw new Problem('too-many-uploads', 'Too many uploads of this account wait for their bytes. Finish some of them, or remove their videos.');
    case 'disk-full':
      throw new Problem('disk-full', 'The server has no room for a file of this size, with all that is on its way already. Try again later, or tell whoever runs it.');
    case 'forbidden':
      throw new Problem('address-not-allowed', outcome.why);
  }
};

export const uploadRoutes = (ground: Ground): readonly Route[] => {
  const { config, hooks } = ground;
  const { uploads } = hooks;
  const usual: Pick<NewUpload, 'description' | 'visibility' | 'downloads' | 'ladder'> = { description: '', visibility: 'private', downloads: true, ladder: config.abilities.ladders.files.includes('standard') ? 'standard' : 'source' };
  return [
    route({
      name: 'createVideo',
      summary: 'Promises a file: makes its video, and the addresses to send it to. Nothing that is known of it has to wait for its bytes.',
      method: 'POST',
      path: '/videos',
      auth: 'creator',
      body: Type.Object(
        {
          filename,
          size: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, wants: 'the bytes of the file: a whole number from 1', description: 'Bytes.' }),
          fingerprint: Type.Optional(
            Type.String({
              pattern: '^[\\x21-\\x7e]{1,64}$',
              wants: '1 to 64 visible ASCII characters',
              description: 'Whatever tells this file from others of its name and size. Kept until it is whole and shown to its owner, so that another machine goes on with no other file.',
            }),
          ),
          ...facts,
        },
        closed,
      ),
      answers: { 201: uploadingShape },
      problems: ['too-large', 'quota-exceeded', 'disk-full', 'not-available', 'too-many-uploads'],
      idempotent: true,
      handler: async ({ who, body, base }) => {
        mustBeAble(config.abilities, 'files', body);
        if (body.size > config.uploads.maxSize) throw new Problem('too-large', `The file is larger than ${inWords(config.uploads.maxSize)}, which is the most that this server takes.`);
        const video = made(await uploads.create({ ...usual, title: titleOf(body.filename), ...body, ownerId: who.accountId, source: 'upload' }));
        const address = await uploads.address(video.id);
        if (!address) throw notFound('video');
        return { status: 201, body: { ...videoView(video, { who, base, hooks: ground.hooks }), upload: uploadView(address, base) } };
      },
    }),
    route({
      name: 'createUploadAddress',
      summary: 'New addresses to go on sending a file, from wherever: the same video, and what has come of it.',
      method: 'POST',
      path: '/videos/:video/upload',
      auth: 'viewer',
      params: Type.Object({ video: idText }),
      answers: { 200: Type.Object({ upload: uploadShape }, closed) },
      problems: ['not-yours', 'upload-over'],
      handler: async ({ who, params: { video }, base }) => {
        const { id } = await ownVideo(ground, video, who);
        const address = await uploads.address(id);
        if (!address) throw new Problem('upload-over', 'Nobody has to send anything for this video any more.');
        return { status: 200, body: { upload: uploadView(address, base) } };
      },
    }),
    route({
      name: 'importVideo',
      summary: 'Fetches a file from an address and makes a video of it.',
      method: 'POST',
      path: '/videos/import',
      auth: 'creator',
      body: Type.Object({ url: Type.String({ minLength: 1, maxLength: 2000, wants: 'an address of at most 2000 characters', description: 'http or https; public, unless the configuration allows more.' }), ...facts }, closed),
      answers: { 201: videoShape },
      problems: ['quota-exceeded', 'disk-full', 'not-available', 'too-many-uploads', 'address-not-allowed'],
      idempotent: true,
      handler: async ({ who, body: { url: text, ...body }, base }) => {
        mustBeAble(config.abilities, 'files', body);
        const url = sourceAddress(text);
        const name = nameIn(url);
        const video = made(await uploads.import({ ...usual, title: name === url.hostname ? name : titleOf(name), ...body, filename: name, size: 0, ownerId: who.accountId, source: 'import' }, url));
        return { status: 201, body: videoView(video, { who, base, hooks: ground.hooks }) };
      },
    }),
  ];
};
