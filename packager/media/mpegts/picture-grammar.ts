/** How the pictures of a codec stand in a byte stream (annex B of H.264 and of HEVC), and what of one a track may hold. */
import { isVcl, nalType, typeOf } from '../h264-nal.ts';
import { normaliseAvc, parseAvcConfig } from '../h264.ts';
import { hevcNal, hevcTypeOf, isOfBase } from '../hevc-nal.ts';
import { inBandConfig } from '../parameter-sets.ts';
import { pictureReader, type PictureReader } from '../picture.ts';
import type { VideoConfig } from '../unit.ts';

export type PictureGrammar = {
  /** A piece of a picture. */
  readonly isPicture: (nal: Buffer) => boolean;
  /** Behind a picture, this unit begins the next one. */
  readonly opens: (nal: Buffer) => boolean;
  /** Null: the pictures will bring their configuration. */
  readonly reader: (config: VideoConfig | null) => PictureReader;
};

/** ISO 14496-10, 7.4.1.2.3. 14 to 18 are prefixes and reserved. */
const avcOpening: ReadonlySet<number> = new Set([nalType.sei, nalType.sps, nalType.pps, nalType.accessUnitDelimiter, 14, nalType.subsetSps, 16, 17, 18]);

const avc: PictureGrammar = {
  isPicture: (nal) => isVcl(typeOf(nal)),
  opens: (nal) => avcOpening.has(typeOf(nal)),
  reader: (config) => {
    const known = config && parseAvcConfig(config.config);
    return (data) => {
      const picture = normaliseAvc(data, 4);
      const changed = inBandConfig(known, picture);
      // What the sender means by a key picture: of an open GOP, too.
      return { data: picture.data, key: picture.idr || picture.recoveryPoint, empty: picture.empty, config: changed && { kind: 'video', codec: 'h264', config: changed } };
    };
  },
};

/** ISO 23008-2, 7.4.2.4.4: parameter sets and delimiter, SEI in front, and what is reserved for such. */
const hevcOpens = (type: number): boolean => (type >= hevcNal.vps && type <= 35) || type === 39 || (type >= 41 && type <= 44) || (type >= 48 && type <= 55);
/** 7.3.6.1: first_slice_segment_in_pic_flag. */
const isFirstSlice = (nal: Buffer): boolean => hevcTypeOf(nal) < hevcNal.firstNonVcl && ((nal[2] ?? 0) & 0x80) !== 0;

const hevc: PictureGrammar = {
  isPicture: (nal) => hevcTypeOf(nal) < hevcNal.firstNonVcl,
  opens: (nal) => isOfBase(nal) && (hevcOpens(hevcTypeOf(nal)) || isFirstSlice(nal)),
  reader: (config) => pictureReader('hevc', config),
};

export const pictureGrammars = { h264: avc, hevc } as const;
