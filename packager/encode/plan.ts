/**
 * What is to be done with an original that cannot be shown as it is. Pure: what ffprobe told, and what our own index
 * said where it could read the file, in; steps, in the order in which they are done, out.
 *
 *     copy      H.264 8-bit 4:2:0 and AAC in another container, taken over as they are. Whether the picture may be cut at
 *               its key frames is seen when that has been done: if not, it is planned again with `mayCopy` false
 *     sound     the picture is shown as it lies in the original; only sound has to be made
 *     lowest    at most 360 lines, so that it plays soon, with all of the sound
 *     mezzanine at most 1080 lines
 */
import type { Container } from '../media/sniff.ts';
import { mostPixels } from './hostile.ts';
import type { Inspection, PictureStream, Ratio, SoundStream } from './inspection.ts';

export type PlanFacts = {
  readonly container: Container;
  readonly inspection: Inspection;
  /** What can be cut out of the original as it is. A picture of H.264 plays everywhere, one of HEVC does not. */
  readonly original: { readonly picture: 'h264' | 'hevc' | null; readonly sound: boolean };
  /** False: it has been tried, or our index has seen that the pictures cannot be cut. */
  readonly mayCopy: boolean;
  readonly filters: ReadonlySet<string>;
};

export type SoundWork = {
  readonly stream: number;
  readonly language: string;
  readonly name: string | null;
  /** Taken over as it is, if that goes well. */
  readonly copy: boolean;
  /** What it is encoded as otherwise. */
  readonly channels: 1 | 2 | 6;
  readonly sampleRate: number;
  readonly bitRate: number;
};

export type PictureWork =
  | { readonly how: 'copy'; readonly stream: number }
  | {
      readonly how: 'encode';
      readonly stream: number;
      readonly width: number;
      readonly height: number;
      readonly crf: number;
      /** Bits a second, at the most. */
      readonly maxRate: number;
      /** Ticks a second that hold the moment of every picture. */
      readonly timescale: number;
      /** Where key frames lie: where the source has them, since its own picture is shown beside this one; or every so often. */
      readonly keys: 'source' | 'time';
      readonly deinterlace: boolean;
      /** Of pictures with high dynamic range; null: colours stay what they are. */
      readonly toneMap: 'smpte2084' | 'arib-std-b67' | null;
    };

export type Step = {
  readonly kind: 'remux' | 'audio' | 'lowest' | 'mezzanine';
  readonly picture: PictureWork | null;
  readonly sounds: readonly SoundWork[];
  /** Pictures and sounds of the original that are shown beside what is made here. */
  readonly original: { readonly picture: boolean; readonly sound: boolean };
};

export type Plan =
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | { readonly kind: 'unusable'; readonly code: 'no-media' | 'picture-too-large' | 'too-many-tracks'; readonly why: string };

export const lowestLines = 360;
export const mezzanineLines = 1080;
const mostSounds = 16;
const longestSide = 4096;

const unusable = (code: Exclude<Plan, { kind: 'steps' }>['code'], why: string): Plan => ({ kind: 'unusable', code, why });

export const planOf = (facts: PlanFacts): Plan => {
  const { inspection, container, original, mayCopy } = facts;
  const picture = chosen(inspection.pictures);
  if (inspection.sounds.length > mostSounds) return unusable('too-many-tracks', `It has ${inspection.sounds.length} tracks of sound; ${mostSounds} are taken.`);
  if (!picture && inspection.sounds.length === 0) return unusable('no-media', 'There is neither a picture nor a sound in it that this server can read.');
  if (picture && picture.width * picture.height > mostPixels) {
    return unusable('picture-too-large', `Its picture of ${picture.width} × ${picture.height} is larger than the ${Math.floor(mostPixels / 1e6)} megapixels that are taken.`);
  }
  const all = inspection.sounds.filter(({ channels, sampleRate }) => channels > 0 && sampleRate > 0);
  if (!picture && all.length === 0) return unusable('no-media', 'There is no sound in it that this server can read.');
  // What the file has switched on is heard first.
  const sounds = all.toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault)).map((sound) => soundWork(sound, container));
  const nothing = { picture: false, sound: false };

  if (!picture) return steps({ kind: 'audio', picture: null, sounds, original: nothing });
  if (original.picture === 'h264') return steps({ kind: 'audio', picture: null, sounds, original: { picture: true, sound: false } });
  if (picture.width === 0 || picture.height === 0) return unusable('no-media', 'Nobody can tell how large its picture is.');
  const low = encoded(facts, picture, lowestLines);
  if (mayCopy && original.picture === null && isCarried(picture)) {
    const copied: Step = { kind: 'remux', picture: { how: 'copy', stream: picture.index }, sounds, original: nothing };
    // Where it cannot be decoded, a rung of H.264 with the same key frames is played.
    return picture.codec === 'h264' ? steps(copied) : steps(copied, { kind: 'lowest', picture: { ...low, keys: 'source' }, sounds: [], original: nothing });
  }
  if (original.picture === 'hevc') {
    const kept = { picture: true, sound: original.sound };
    return steps({ kind: 'lowest', picture: { ...low, keys: 'source' }, sounds: original.sound ? [] : sounds, original: kept });
  }
  const first: Step = { kind: 'lowest', picture: low, sounds, original: nothing };
  const high = encoded(facts, picture, mezzanineLines);
  // What is no larger than the lowest rung is encoded once, and well.
  if (high.width <= low.width && high.height <= low.height) return steps({ ...first, picture: { ...high, maxRate: Math.max(high.maxRate, low.maxRate) } });
  return steps(first, { kind: 'mezzanine', picture: high, sounds: [], original: nothing });
};

const steps = (...all: Step[]): Plan => ({ kind: 'steps', steps: all });

/** Whoever made the file said which one is meant, or it is the largest. */
const chosen = (pictures: readonly PictureStream[]): PictureStream | null => {
  const known = pictures.filter(({ codec }) => codec !== '');
  const best = (a: PictureStream, b: PictureStream): PictureStream => (b.width * b.height > a.width * a.height ? b : a);
  const meant = known.filter(({ isDefault }) => isDefault);
  return [...(meant.length > 0 ? meant : known)].reduce<PictureStream | null>((a, b) => (a ? best(a, b) : b), null);
};

/** Players have decoders for it. */
const isCarried = ({ codec, pixelFormat, profile }: PictureStream): boolean =>
  (codec === 'h264' && /^yuvj?420p$/.test(pixelFormat) && !/intra|4:2:2|4:4:4|10/i.test(profile)) || (codec === 'hevc' && /^yuvj?420p(10le)?$/.test(pixelFormat) && /^Main( 10)?$/.test(profile));

/** By ffmpeg's names. Of what is laid out otherwise (`quad`, or by an element of its own) browsers play nothing, or something else. */
export const saneLayouts: readonly string[] = ['mono', 'stereo', '5.1', '5.1(side)', '7.1', '3.0', '4.0', '5.0', '5.0(side)'];
/** AVI says nothing of how its AAC is set up that would hold. */
const soundOfItsOwn: readonly Container[] = ['avi', 'wav', 'ogg'];
const rates = [48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000];

const soundWork = (sound: SoundStream, container: Container): SoundWork => {
  const { index, codec, profile, layout, language, name } = sound;
  const copy = codec === 'aac' && profile === 'LC' && saneLayouts.includes(layout) && !soundOfItsOwn.includes(container);
  return { stream: index, language, name, copy, ...soundShape(sound) };
};

/** As what a sound is encoded. */
export const soundShape = ({ channels, layout, sampleRate }: Pick<SoundStream, 'channels' | 'layout' | 'sampleRate'>): Pick<SoundWork, 'channels' | 'sampleRate' | 'bitRate'> => {
  // What has five channels and more stays around the listener; odd layouts are mixed to two, which every player has.
  const out = channels === 1 ? 1 : /^(5\.1|6\.1|7\.1)/.test(layout) ? 6 : 2;
  return { channels: out, sampleRate: rates.includes(sampleRate) ? sampleRate : 48_000, bitRate: out === 1 ? 96_000 : out * 64_000 };
};

/** As it is shown: upright, with square pixels. */
const shownSize = ({ width, height, pixelAspect, rotation }: PictureStream): { width: number; height: number } => {
  const aspect = Math.min(16, Math.max(1 / 16, pixelAspect.num / pixelAspect.den));
  const wide = Math.max(1, Math.round(width * aspect));
  return rotation % 180 === 0 ? { width: wide, height } : { width: height, height: wide };
};

const even = (length: number): number => Math.max(2, 2 * Math.floor((length + 0.01) / 2));

const encoded = ({ filters }: PlanFacts, picture: PictureStream, lines: number): Extract<PictureWork, { how: 'encode' }> => {
  const shown = shownSize(picture);
  const scale = Math.min(1, lines / Math.min(shown.width, shown.height), longestSide / Math.max(shown.width, shown.height));
  const width = even(shown.width * scale);
  const height = even(shown.height * scale);
  const hdr = picture.transfer === 'smpte2084' || picture.transfer === 'arib-std-b67' ? picture.transfer : null;
  return {
    how: 'encode',
    stream: picture.index,
    width,
    height,
    crf: lines <= lowestLines ? 24 : 21,
    maxRate: rateFor(width * height, picture.frameRate),
    timescale: timescaleFor(picture.timeBase),
    keys: 'time',
    deinterlace: picture.interlaced && filters.has('bwdif'),
    toneMap: filters.has('zscale') && filters.has('tonemap') ? hdr : null,
  };
};

/** 6 Mbit/s for 1080 lines, 1.2 Mbit/s for 360; half as much again where pictures come fast. */
const rateFor = (pixels: number, frameRate: Ratio | null): number => {
  const fast = frameRate !== null && frameRate.num > 32 * frameRate.den ? 1.5 : 1;
  return Math.max(200_000, Math.round((6e6 * fast * (pixels / 2_073_600) ** 0.75) / 1000) * 1000);
};

const usualTimescale = 90_000;
const leastTimescale = 10_000;

/** A multiple of the source's, so that no moment is rounded. */
const timescaleFor = (timeBase: Ratio | null): number => {
  if (!timeBase || timeBase.den > 1_000_000) return usualTimescale;
  return timeBase.den * Math.ceil(leastTimescale / timeBase.den);
};
