/**
 * Files as people have them: made by ffmpeg out of one stamped clip, each awkward in one way. What becomes of each is
 * part of it: `original` is cut out of the file as it lies, `remux` copied into track logs, `encode` made anew.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { clip } from './clips.ts';
import { encoded } from './encoded.ts';

export type Awkward = {
  readonly name: string;
  readonly file: string;
  readonly way: 'original' | 'remux' | 'encode';
  readonly pictures: boolean;
  readonly sounds: number;
};

type Recipe = Omit<Awkward, 'file'> & { readonly ending: string; readonly args: (source: string) => readonly string[] | Promise<readonly string[]> };

const x264 = (parameters: string): string[] => ['-c:v', 'libx264', '-preset', 'veryfast', '-x264-params', `scenecut=0:${parameters}`];
const usual = { way: 'original', pictures: true, sounds: 1, ending: 'mp4' } as const;
const made = { ...usual, way: 'encode' } as const;
const copy = ['-c', 'copy'];
const sound = ['-c:a', 'copy'];
const closed = 'keyint=60:min-keyint=60:open-gop=0';

const recipes: readonly Recipe[] = [
  { ...usual, name: 'sound that begins 0.7 s late, by an empty edit', args: (s) => ['-i', s, '-itsoffset', '0.7', '-i', s, '-map', '0:v', '-map', '1:a', ...copy] },
  { ...made, name: 'an edit list that begins inside a GOP', args: (s) => ['-ss', '1.3', '-i', s, ...copy] },
  { ...made, name: 'open GOPs', args: (s) => ['-i', s, ...x264('keyint=30:min-keyint=30:open-gop=1:bframes=3:b-adapt=0'), ...sound] },
  { ...usual, name: 'a pyramid of B pictures', args: (s) => ['-i', s, ...x264(`${closed}:bframes=4:b-adapt=0:b-pyramid=normal`), ...sound] },
  { ...usual, name: 'pictures at a rate that varies', args: (s) => ['-i', s, '-vf', "select='mod(n\\,5)*lt(mod(n\\,31)\\,27)'", '-fps_mode', 'vfr', ...x264(`${closed}:bframes=2`), ...sound] },
  { ...usual, name: '29.97 pictures a second', args: (s) => ['-i', s, '-vf', 'setpts=N*1001/30000/TB', '-r', '30000/1001', '-video_track_timescale', '30000', ...x264(`${closed}:bframes=2`), ...sound] },
  { ...usual, name: 'negative composition offsets', args: (s) => ['-i', s, ...x264(`${closed}:bframes=2`), ...sound, '-movflags', 'negative_cts_offsets'] },
  { ...usual, name: 'sound with priming', args: (s) => ['-i', s, ...x264(closed), '-c:a', 'aac', '-b:a', '96k'] },
  { ...usual, name: 'a phone held upright', ending: 'mov', args: (s) => ['-i', s, ...copy, '-metadata:s:v:0', 'rotate=90'] },
  {
    ...usual,
    name: 'sound in three languages',
    sounds: 3,
    args: (s) => ['-i', s, '-map', '0:v', '-map', '0:a', '-map', '0:a', '-map', '0:a', ...copy, ...['kor', 'eng', 'fra'].flatMap((language, at) => [`-metadata:s:a:${at}`, `language=${language}`])],
  },
  { ...usual, name: 'Matroska with subtitles', way: 'remux', ending: 'mkv', args: async (s) => ['-i', s, '-i', await subtitles(), ...copy, '-c:s', 'srt', '-metadata:s:s:0', 'language=kor'] },
  { ...made, name: 'HEVC', args: (s) => ['-i', s, '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=60:min-keyint=60:open-gop=0:scenecut=0', '-tag:v', 'hvc1', ...sound] },
  { ...made, name: 'VP9 and Opus', ending: 'webm', args: (s) => ['-i', s, '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '400k', '-c:a', 'libopus'] },
  { ...made, name: 'AV1', args: (s) => ['-i', s, '-c:v', 'libsvtav1', '-preset', '12', '-b:v', '400k', ...sound] },
  { ...made, name: 'ten bits, 4:2:2', args: (s) => ['-i', s, '-pix_fmt', 'yuv422p10le', ...x264(closed), ...sound] },
  { ...usual, name: 'six channels', args: (s) => ['-i', s, '-c:v', 'copy', '-af', 'pan=5.1|FL=c0|FR=c1|FC=c0|LFE=c1|BL=c0|BR=c1', '-c:a', 'aac', '-b:a', '256k'] },
  { ...usual, name: 'sound alone', pictures: false, ending: 'm4a', args: (s) => ['-i', s, '-vn', ...sound] },
  { ...usual, name: 'pictures alone', sounds: 0, args: (s) => ['-i', s, '-an', '-c:v', 'copy'] },
  { ...made, name: 'odd in size', ending: 'webm', args: (s) => ['-i', s, '-vf', 'scale=427:241', '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '400k', '-c:a', 'libopus'] },
  { ...usual, name: 'GOPs of 8 s', args: (s) => ['-stream_loop', '1', '-i', s, ...x264('keyint=240:min-keyint=240:open-gop=0:bframes=2'), ...sound] },
  { ...usual, name: 'fragments', args: (s) => ['-i', s, ...copy, '-movflags', 'frag_keyframe+empty_moov+default_base_moof'] },
  { ...usual, name: 'MPEG-TS', way: 'remux', ending: 'ts', args: (s) => ['-i', s, ...copy] },
  { ...usual, name: 'FLV', way: 'remux', ending: 'flv', args: (s) => ['-i', s, ...copy] },
  { ...made, name: 'a standard picture beside AC-3', args: (s) => ['-i', s, '-c:v', 'copy', '-c:a', 'ac3'] },
];

const subtitles = async (): Promise<string> => {
  const file = path.resolve(import.meta.dirname, '../../.cache/clips/awkward.srt');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, '1\n00:00:01,000 --> 00:00:03,000\nHello\n\n2\n00:00:04,000 --> 00:00:06,000\n<b>there</b>\n');
  return file;
};

/** The names, for tests that pick some. */
export const awkwardNames: readonly string[] = recipes.map(({ name }) => name);

/** Those of these names, made where they are missing, one after the other. */
export const awkward = async (names: readonly string[] = awkwardNames): Promise<Awkward[]> => {
  const source = await clip({ width: 426, height: 240, gop: 60, bframes: 2, kbps: 400 });
  const files: Awkward[] = [];
  for (const { ending, args, ...recipe } of recipes) {
    if (!names.includes(recipe.name)) continue;
    files.push({ ...recipe, file: await encoded(ending, ['-y', ...(await args(source.file))]) });
  }
  return files;
};
