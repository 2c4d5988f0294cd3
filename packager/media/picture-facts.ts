/** What players and people are told of pictures, out of their decoder configuration, whatever the codec. */
import { av1CodecString, parseAv1Config } from './av1-config.ts';
import { CodecError } from './codec-error.ts';
import { avcCodecString, parseAvcConfig, parseSps } from './h264.ts';
import type { Colour, Ratio } from './h264-vui.ts';
import { hevcCodecString, parseHevcConfig } from './hevc-config.ts';
import { parseHevcSps } from './hevc-sps.ts';
import type { PictureSize, VideoConfig } from './unit.ts';
import { parseVp9Config, vp9CodecString } from './vp9-config.ts';

export type PictureFacts = {
  /** RFC 6381. */
  readonly codecString: string;
  /** Of the picture after cropping, as it was coded; null: only a key picture tells. */
  readonly size: PictureSize | null;
  readonly frameRate: number | null;
  readonly sar: Ratio | null;
  readonly colour: Colour | null;
};

const readers: Readonly<Record<VideoConfig['codec'], (config: Buffer) => PictureFacts>> = {
  h264: (config) => {
    const avc = parseAvcConfig(config);
    const [set] = avc.sps;
    if (!set) throw new CodecError('invalid', 'the decoder configuration holds no sequence parameter set');
    const { width, height, frameRate, sar, colour } = parseSps(set);
    return { codecString: avcCodecString(avc), size: { width, height }, frameRate, sar, colour };
  },
  hevc: (config) => {
    const hevc = parseHevcConfig(config);
    const [set] = hevc.sps;
    const first = set && parseHevcSps(set);
    const { sar = null, colour = null } = first ?? {};
    const size = first ? { width: first.width, height: first.height } : null;
    return { codecString: hevcCodecString(hevc), size, frameRate: null, sar, colour };
  },
  av1: (config) => {
    const { sequence } = parseAv1Config(config);
    if (!sequence) return { codecString: 'av01', size: null, frameRate: null, sar: null, colour: null };
    const { width, height, frameRate, colour } = sequence;
    return { codecString: av1CodecString(sequence), size: { width, height }, frameRate, sar: null, colour };
  },
  vp9: (config) => {
    const vp9 = parseVp9Config(config);
    const { primaries, transfer, matrix, fullRange } = vp9;
    return { codecString: vp9CodecString(vp9), size: null, frameRate: null, sar: null, colour: { primaries, transfer, matrix, fullRange } };
  },
};

/** Throws CodecError for what cannot be read. */
export const pictureFacts = ({ codec, config, size }: VideoConfig): PictureFacts => {
  const facts = readers[codec](config);
  return { ...facts, size: facts.size ?? size ?? null };
};

/** Pictures that are turned by so many degrees clockwise when they are shown. */
export type Turned = PictureSize & { readonly rotation: 0 | 90 | 180 | 270 };

/** What was coded as its width is its height. */
export const isAcross = ({ rotation }: Pick<Turned, 'rotation'>): boolean => rotation === 90 || rotation === 270;

/** Pixels that are said to be longer than that are no pixels. */
const longestPixel = 4;

/** In square pixels: it is taken to be as high as it is. */
export const shownSize = ({ width, height }: PictureSize, sar: Ratio | null): PictureSize => {
  const stretch = sar ? sar.width / sar.height : 1;
  return { width: stretch > longestPixel || stretch < 1 / longestPixel ? width : Math.max(1, Math.round(width * stretch)), height };
};

/** The same of what may be turned: as it stands in front of people. */
export const uprightSize = (picture: Turned, sar: Ratio | null): PictureSize => {
  const { width, height } = shownSize(picture, sar);
  return isAcross(picture) ? { width: height, height: width } : { width, height };
};
