/**
 * The uncompressed header of a VP9 frame (VP9 bitstream specification, 6.2): whether it is a key frame, and then its
 * shape. Senders put frames that are not shown and the one that is into one packet, a superframe, the first one first.
 */
import { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';

export type Vp9KeyFrame = {
  readonly profile: number;
  readonly bitDepth: 8 | 10 | 12;
  readonly subsamplingX: number;
  readonly subsamplingY: number;
  /** 7.2.2: 0 is "not said", 7 is RGB. */
  readonly colourSpace: number;
  readonly fullRange: boolean;
  readonly width: number;
  readonly height: number;
};

const marker = 2;
const syncCode = 0x49_8342;
const rgb = 7;
/** Level 6.2 has 16,384 on a side. */
const largestSide = 16_384;

type Shades = Pick<Vp9KeyFrame, 'bitDepth' | 'subsamplingX' | 'subsamplingY' | 'colourSpace' | 'fullRange'>;

// 6.2.2
const readShades = (bits: BitReader, profile: number): Shades => {
  const bitDepth = profile >= 2 ? (bits.flag() ? 12 : 10) : 8;
  const colourSpace = bits.bits(3);
  const odd = profile === 1 || profile === 3;
  if (colourSpace === rgb) {
    if (!odd) throw new CodecError('invalid', 'VP9: RGB in a profile of 4:2:0');
    bits.skip(1);
    return { bitDepth, colourSpace, fullRange: true, subsamplingX: 0, subsamplingY: 0 };
  }
  const fullRange = bits.flag();
  if (!odd) return { bitDepth, colourSpace, fullRange, subsamplingX: 1, subsamplingY: 1 };
  const [subsamplingX, subsamplingY] = [bits.bit(), bits.bit()];
  bits.skip(1);
  return { bitDepth, colourSpace, fullRange, subsamplingX, subsamplingY };
};

/** Null: no key frame. Throws CodecError for what is no frame of VP9. */
export const readVp9KeyFrame = (frame: Buffer): Vp9KeyFrame | null => {
  const bits = new BitReader(frame);
  if (bits.bits(2) !== marker) throw new CodecError('invalid', 'VP9: a frame without its marker');
  const profile = bits.bit() + 2 * bits.bit();
  if (profile === 3 && bits.flag()) throw new CodecError('unsupported', 'VP9: a reserved profile');
  if (bits.flag()) return null; // show_existing_frame
  if (bits.flag()) return null; // frame_type: 0 is KEY_FRAME
  bits.skip(2); // show_frame, error_resilient_mode
  if (bits.bits(24) !== syncCode) throw new CodecError('invalid', 'VP9: a key frame without its sync code');
  const shades = readShades(bits, profile);
  const [width, height] = [bits.bits(16) + 1, bits.bits(16) + 1];
  if (width > largestSide || height > largestSide) throw new CodecError('limit', `VP9: pictures of ${width} x ${height}`);
  return { profile, ...shades, width, height };
};
