/** Parts that several schemas share. */
import { Type } from 'typebox';

export const closed = { additionalProperties: false } as const;

export const idText = Type.String({ pattern: '^[a-z0-9]{8,32}$', wants: 'an id' });
export const time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' });

/** A name for people: one line. */
export const title = Type.String({ minLength: 1, maxLength: 200, pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f]+$', wants: 'one line of 1 to 200 characters' });
export const description = Type.String({ maxLength: 5000, pattern: '^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]*$', wants: 'text of at most 5000 characters, without control characters' });

export const visibility = Type.Enum(['public', 'unlisted', 'private', 'members', 'list', 'password'], {
  description: '`public`: listed, for everybody. `unlisted`: for whoever has the address. `private`: for its owner.',
});
export const latency = Type.Enum(['ultra', 'low', 'standard'], { description: 'Parts of 0.2 s, parts of 1/3 s, or whole segments.' });
export const protection = Type.Enum(['none', 'aes-128', 'cbcs'], {
  description: '`aes-128`: HLS, of any codec; `cbcs`: HLS and DASH, of H.264 and AAC. What is protected cannot be downloaded. A show keeps what it began with; a recording or an upload may be changed at any time.',
});
export const ladder = Type.String({ pattern: '^[a-z0-9_-]{1,40}$', wants: '`source`, `auto`, or the name of a ladder', description: '`source` encodes nothing.' });
/** How far back: no more than one playlist lists. */
export const dvr = Type.Union([Type.Integer({ minimum: 0, maximum: 43_200 }), Type.Null()], {
  wants: 'a whole number of seconds from 0 to 43200, or null for the whole show',
  description: 'How far back whoever watches live can go, seconds; 0: not at all; null: to the beginning of the show, of which at most 12 hours are listed.',
});
/** A language tag (RFC 5646) of the usual shape; whether it means something is for `languages` to say. */
const language = Type.String({ maxLength: 35, pattern: '^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$' });
export const captions = Type.Array(language, {
  maxItems: 4,
  wants: 'a list of at most 4 different language tags, such as ["ko", "en-GB"]',
  description: 'Languages of the live captions that a show announces when it begins.',
});
export const downloads = Type.Boolean({ description: 'Whether whoever may watch the recording may download it as a file.' });

export const videoState = Type.Enum(['scheduled', 'uploading', 'processing', 'live', 'playable', 'ready', 'failed']);
export const role = Type.Enum(['admin', 'creator', 'viewer']);
export const rungPolicy = Type.Enum(['eager', 'on-demand']);
export const password = Type.String({ minLength: 8, maxLength: 256, wants: 'a password of 8 to 256 characters' });
export const username = Type.String({ minLength: 1, maxLength: 40, pattern: '^[\\p{L}\\p{N}._-]+$', wants: '1 to 40 letters, digits, dots, dashes or underscores' });

export const channelParams = Type.Object({ channel: Type.String({ pattern: '^(?:[a-z0-9]{8,32}|@[a-z0-9_-]{1,40})$', description: 'The id, or `@name`.' }) });

export const iso = (ms: number): string => new Date(ms).toISOString();
export const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));
