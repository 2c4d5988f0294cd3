/** Pictures of a clip as the packager has them behind the timeline: samples of an MP4 track, with times in 90 kHz. */
import { readFile } from 'node:fs/promises';
import { parseMovie } from '../../packager/mp4/parse.ts';
import { pictureReader } from '../../packager/media/picture.ts';
import type { VideoCodec } from '../../packager/media/unit.ts';
import { fileSource } from './byte-sources.ts';

export type SourcePicture = { readonly dts: number; readonly pts: number; readonly key: boolean; readonly data: Buffer };
export type SourceClip = {
  readonly codec: VideoCodec;
  readonly config: Buffer;
  readonly width: number;
  readonly height: number;
  /** Pictures that a decoder holds back. */
  readonly reorder: number;
  /** In the order in which they are decoded. */
  readonly pictures: readonly SourcePicture[];
};

const codecs: Readonly<Record<string, VideoCodec>> = { avc1: 'h264', hvc1: 'hevc', hev1: 'hevc', av01: 'av1', vp09: 'vp9' };

/** The first picture shown is at `from`. */
export const sourceClip = async (path: string, from = 900_000): Promise<SourceClip> => {
  const source = await fileSource(path);
  try {
    const movie = await parseMovie(source);
    const track = movie.tracks.find(({ kind }) => kind === 'video');
    const codec = track && codecs[track.fourcc];
    if (track?.kind !== 'video' || !codec) throw new Error(`no pictures in ${path}`);
    const rows = track.samples.rows(0, track.samples.count);
    const ticks = (value: number): number => Math.round((value * 90_000) / track.timescale);
    const shown = Array.from({ length: rows.count }, (_, at) => ticks((rows.dts[at] ?? 0) + (rows.cts[at] ?? 0)));
    const move = from - Math.min(...shown);
    const pictures: SourcePicture[] = [];
    const config = await configOf(path, codec, track.config);
    const read = pictureReader(codec, { kind: 'video', codec, config });
    for (const [at, pts] of shown.entries()) {
      const data = await source.read(rows.offset[at] ?? 0, rows.size[at] ?? 0);
      pictures.push({ dts: ticks(rows.dts[at] ?? 0) + move, pts: pts + move, key: read(data).key, data });
    }
    return { codec, config, width: track.width, height: track.height, reorder: reorderOf(pictures), pictures };
  } finally {
    await source.close();
  }
};

/** The most that are decoded ahead of one that is shown earlier. */
const reorderOf = (pictures: readonly SourcePicture[]): number =>
  Math.max(...pictures.map(({ pts }, at) => pictures.slice(Math.max(0, at - 16), at).filter((before) => before.pts > pts).length));

/** Bodies of boxes that the parser of uploads does not look into. */
const configOf = async (path: string, codec: VideoCodec, config: Buffer): Promise<Buffer> => {
  if (codec === 'h264' || codec === 'hevc') return config;
  const file = await readFile(path);
  const at = file.indexOf(codec === 'av1' ? 'av1C' : 'vpcC');
  return file.subarray(at + (codec === 'av1' ? 4 : 8), at - 4 + file.readUInt32BE(at - 4));
};
