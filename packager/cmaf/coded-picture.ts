/** Pictures of a track as whoever decodes and shows them has to know them: what the container says of them holds, whatever their parameter sets say. */
import type { Colour, Ratio } from '../media/h264-vui.ts';
import { pictureFacts, type Turned } from '../media/picture-facts.ts';
import type { VideoCodec } from '../media/unit.ts';
import type { InitFacts } from './reader-init.ts';

/** Of the size that they were coded in, after cropping. */
export type CodedPicture = Turned & {
  readonly codec: VideoCodec;
  readonly config: Buffer;
  /** Shape of a pixel; null: square, as far as anybody knows. */
  readonly sar: Ratio | null;
  /** Null: nobody says. */
  readonly colour: Colour | null;
};

/** Throws CodecError for what cannot be read. */
export const codedPicture = ({ codec, config, width, height, rotation, pixelAspect, colour }: Extract<InitFacts, { kind: 'video' }>): CodedPicture => {
  const said = pictureFacts({ kind: 'video', codec, config, size: { width, height } });
  return { codec, config, width, height, rotation, sar: pixelAspect ?? said.sar, colour: colour ?? said.colour };
};
