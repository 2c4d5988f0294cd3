/** A picture as its sender wraps it, turned into what a track of its codec may hold, and what it says of itself. */
import { encodeAv1Config, parseAv1Config } from './av1-config.ts';
import { normaliseAv1 } from './av1-picture.ts';
import { normaliseAvc, parseAvcConfig } from './h264.ts';
import { nalType, typeOf, unitsOf } from './h264-nal.ts';
import { encodeHevcConfig } from './hevc-encode.ts';
import { completeHevcConfig, parseHevcConfig } from './hevc-config.ts';
import { hevcNal, hevcTypeOf } from './hevc-nal.ts';
import { normaliseHevc } from './hevc-picture.ts';
import { inBandConfig, inBandHevcSets } from './parameter-sets.ts';
import type { VideoCodec, VideoConfig } from './unit.ts';
import { parseVp9Config, vp9ConfigFor } from './vp9-config.ts';
import { readVp9KeyFrame } from './vp9-frame.ts';

export type Picture = {
  readonly data: Buffer;
  /** Decoding can start here. */
  readonly key: boolean;
  /** Nothing of a picture is left: there is no sample to write. */
  readonly empty: boolean;
  /** The configuration that this picture and those behind it need, where it is not the one that they had. */
  readonly config: VideoConfig | null;
};

/** Reads the pictures of one configuration. Throws CodecError. */
export type PictureReader = (data: Buffer) => Picture;

const avcReader: ReaderOf = (config) => {
  const avc = config && parseAvcConfig(config.config);
  return (data) => {
    const picture = normaliseAvc(data, 4);
    const changed = inBandConfig(avc, picture);
    return { data: picture.data, key: picture.idr, empty: picture.empty, config: changed && { kind: 'video', codec: 'h264', config: changed } };
  };
};

const hevcReader: ReaderOf = (config) => {
  const hevc = config && parseHevcConfig(config.config);
  return (data) => {
    const picture = normaliseHevc(data);
    const { key, empty } = picture;
    const sets = inBandHevcSets(hevc, picture);
    return { data: picture.data, key, empty, config: sets && { kind: 'video', codec: 'hevc', config: encodeHevcConfig(sets) } };
  };
};

const av1Reader: ReaderOf = (config) => {
  const known = config && parseAv1Config(config.config);
  return (data) => {
    const { sequence, ...picture } = normaliseAv1(data, known?.sequence?.reducedStill === true);
    const changed = sequence && known?.header?.equals(sequence) !== true ? encodeAv1Config(sequence) : null;
    return { ...picture, config: changed && { kind: 'video', codec: 'av1', config: changed } };
  };
};

const vp9Reader: ReaderOf = (config) => (data) => {
  if (data.length === 0) return { data, key: false, empty: true, config: null };
  const frame = readVp9KeyFrame(data);
  if (!frame) return { data, key: false, empty: false, config: null };
  const { width, height } = frame;
  const fitting = vp9ConfigFor(frame, config?.config ?? null);
  const same = fitting === config?.config && config.size?.width === width && config.size.height === height;
  return { data, key: true, empty: false, config: same ? null : { kind: 'video', codec: 'vp9', config: fitting, size: { width, height } } };
};

type ReaderOf = (config: VideoConfig | null) => PictureReader;
const readers: Readonly<Record<VideoCodec, ReaderOf>> = { h264: avcReader, hevc: hevcReader, av1: av1Reader, vp9: vp9Reader };

/** `config` null: the pictures bring it, or nobody can decode them. */
export const pictureReader = (codec: VideoCodec, config: VideoConfig | null): PictureReader => readers[codec](config);

/**
 * A key picture (as read here) so that it can be shown anywhere, and again and again; null: it cannot. The buffer itself: it
 * needs no other, and nothing behind it one of before. CRA begins an open GOP and is numbered among those before it; called
 * BLA, of which the rest is the same, it begins anew (ISO 23008-2, 7.4.2.2, 8.1.3). In H.264 the key picture of an open GOP has no
 * such other name.
 */
export const aloneAgain = (codec: VideoCodec, data: Buffer): Buffer | null => {
  if (codec === 'h264') return [...unitsOf(data)].some((nal) => typeOf(nal) === nalType.idr) ? data : null;
  if (codec !== 'hevc') return data;
  if (![...unitsOf(data)].some((nal) => hevcTypeOf(nal) === hevcNal.cra)) return data;
  const again = Buffer.from(data);
  for (const nal of unitsOf(again)) if (hevcTypeOf(nal) === hevcNal.cra) nal[0] = hevcNal.blaWithoutLeading << 1;
  return again;
};

/** The configuration as a track of ours keeps it. Throws CodecError for one that cannot be read. */
export const keptConfig = (config: VideoConfig): VideoConfig => {
  if (config.codec === 'hevc') return { ...config, config: completeHevcConfig(config.config) };
  if (config.codec === 'vp9') parseVp9Config(config.config);
  return config;
};
