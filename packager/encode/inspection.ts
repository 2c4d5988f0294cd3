/**
 * What ffprobe says of a file, read strictly: it repeats what a stranger wrote. Whatever is missing, of another type or
 * beyond reason is not known, and what is not known is decided in `plan.ts`.
 */

export type Ratio = { readonly num: number; readonly den: number };

export type PictureStream = {
  /** Among all streams of the file. */
  readonly index: number;
  readonly codec: string;
  readonly profile: string;
  readonly pixelFormat: string;
  /** As coded. 0: not known. */
  readonly width: number;
  readonly height: number;
  readonly pixelAspect: Ratio;
  /** Degrees clockwise that it is turned by when it is shown. */
  readonly rotation: 0 | 90 | 180 | 270;
  readonly interlaced: boolean;
  readonly transfer: string;
  /** Pictures a second; null: not known, or they come as they like. */
  readonly frameRate: Ratio | null;
  readonly timeBase: Ratio | null;
  readonly isDefault: boolean;
};

export type SoundStream = {
  readonly index: number;
  readonly codec: string;
  readonly profile: string;
  readonly sampleRate: number;
  readonly channels: number;
  readonly layout: string;
  /** BCP 47; `und`. */
  readonly language: string;
  readonly name: string | null;
  readonly isDefault: boolean;
};

export type TextStream = {
  readonly index: number;
  readonly codec: string;
  /** BCP 47; `und`. */
  readonly language: string;
  readonly name: string | null;
  readonly isDefault: boolean;
  /** For whoever hears a language that he does not know: the little that is said in others. */
  readonly isForced: boolean;
};

export type Inspection = {
  /** Seconds; null: not known. */
  readonly duration: number | null;
  readonly pictures: readonly PictureStream[];
  readonly sounds: readonly SoundStream[];
  readonly texts: readonly TextStream[];
  /** Of whatever kind. */
  readonly streams: number;
};

export class InspectionError extends Error {
  override readonly name = 'InspectionError';
}

/** What ffprobe is asked, so that nothing else comes. */
export const inspectionEntries = [
  'format=duration,nb_streams',
  'stream=index,codec_type,codec_name,profile,pix_fmt,width,height,sample_aspect_ratio,field_order,color_transfer,avg_frame_rate,time_base,sample_rate,channels,channel_layout',
  'stream_disposition=default,forced,attached_pic,timed_thumbnails,still_image',
  'stream_tags=language,title,rotate',
  'stream_side_data=rotation',
].join(':');

/** A week: nothing that is sent here lasts longer. */
const longestSeconds = 7 * 86_400;
const longestWord = 64;
const longestName = 120;
const mostTicks = 2 ** 31 - 1;

type Fields = { readonly [name: string]: unknown };

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Words of ffprobe's own: letters, digits and few signs. */
const word = (value: unknown): string => (typeof value === 'string' && value.length <= longestWord && /^[\w .:/()+-]*$/.test(value) ? value : '');

/** What a person wrote, for other people: one line of it. */
export const name = (value: unknown, longest = longestName): string | null => {
  if (typeof value !== 'string') return null;
  const line = value.slice(0, 4 * longest).replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line === '' ? null : Array.from(line).slice(0, longest).join('');
};

/** Three letters as a rule; said in the way that pages and players know. */
const language = (value: unknown): string => {
  try {
    return (typeof value === 'string' && value.length <= 35 && Intl.getCanonicalLocales(value)[0]) || 'und';
  } catch {
    return 'und';
  }
};

const whole = (value: unknown, most: number): number => {
  const number = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most ? number : 0;
};

const ratio = (value: unknown): Ratio | null => {
  const [, num, den] = typeof value === 'string' ? (/^(\d{1,10})[:/](\d{1,10})$/.exec(value) ?? []) : [];
  const found = { num: whole(num, mostTicks), den: whole(den, mostTicks) };
  return found.num > 0 && found.den > 0 ? found : null;
};

const seconds = (value: unknown): number | null => {
  const number = typeof value === 'string' && /^\d{1,12}(\.\d{1,12})?$/.test(value) ? Number(value) : NaN;
  return number > 0 && number <= longestSeconds ? number : null;
};

/** ffprobe counts against the clock, and older files say it in a tag, with the clock. */
const rotationOf = (stream: Fields): PictureStream['rotation'] => {
  const told = list(stream['side_data_list']).map((one) => fields(one)['rotation']).find((one) => typeof one === 'number');
  const degrees = typeof told === 'number' ? -told : Number(word(fields(stream['tags'])['rotate']) || 0);
  const turned = (((Math.round(degrees) % 360) + 360) % 360) as number;
  return turned === 90 || turned === 180 || turned === 270 ? turned : 0;
};

const isShown = (disposition: Fields): boolean => !['attached_pic', 'timed_thumbnails', 'still_image'].some((flag) => disposition[flag] === 1);

const pictureOf = (index: number, stream: Fields, disposition: Fields): PictureStream => ({
  index,
  codec: word(stream['codec_name']),
  profile: word(stream['profile']),
  pixelFormat: word(stream['pix_fmt']),
  width: whole(stream['width'], 65_535),
  height: whole(stream['height'], 65_535),
  pixelAspect: ratio(stream['sample_aspect_ratio']) ?? { num: 1, den: 1 },
  rotation: rotationOf(stream),
  interlaced: /^(tt|bb|tb|bt)$/.test(word(stream['field_order'])),
  transfer: word(stream['color_transfer']),
  frameRate: ratio(stream['avg_frame_rate']),
  timeBase: ratio(stream['time_base']),
  isDefault: disposition['default'] === 1,
});

const soundOf = (index: number, stream: Fields, disposition: Fields): SoundStream => {
  const tags = fields(stream['tags']);
  return {
    index,
    codec: word(stream['codec_name']),
    profile: word(stream['profile']),
    sampleRate: whole(stream['sample_rate'], 768_000),
    channels: whole(stream['channels'], 65_535),
    layout: word(stream['channel_layout']),
    language: language(tags['language']),
    name: name(tags['title']),
    isDefault: disposition['default'] === 1,
  };
};

const textOf = (index: number, stream: Fields, disposition: Fields): TextStream => {
  const tags = fields(stream['tags']);
  return {
    index,
    codec: word(stream['codec_name']),
    language: language(tags['language']),
    name: name(tags['title']),
    isDefault: disposition['default'] === 1,
    isForced: disposition['forced'] === 1,
  };
};

/** Throws InspectionError when it is not what ffprobe writes. */
export const readInspection = (json: string): Inspection => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw new InspectionError('what ffprobe says is no JSON', { cause: error });
  }
  const { streams, format } = fields(parsed);
  if (!Array.isArray(streams)) throw new InspectionError('ffprobe tells of no streams');
  const pictures: PictureStream[] = [];
  const sounds: SoundStream[] = [];
  const texts: TextStream[] = [];
  for (const one of streams) {
    const stream = fields(one);
    const disposition = fields(stream['disposition']);
    const index = whole(stream['index'], 65_535);
    if (stream['codec_type'] === 'video' && isShown(disposition)) pictures.push(pictureOf(index, stream, disposition));
    if (stream['codec_type'] === 'audio') sounds.push(soundOf(index, stream, disposition));
    if (stream['codec_type'] === 'subtitle') texts.push(textOf(index, stream, disposition));
  }
  return { duration: seconds(fields(format)['duration']), pictures, sounds, texts, streams: streams.length };
};
