/**
 * H.264 and HEVC in MPEG-TS (ISO 13818-1, 2.14 and 2.17): a byte stream with start codes (ISO 14496-10 and 23008-2, annex B)
 * becomes pictures whose NAL units stand behind their lengths, and a decoder configuration out of the parameter sets among them.
 */
import { CodecError } from '../codec-error.ts';
import type { PictureReader } from '../picture.ts';
import type { AccessUnit, TrackConfig } from '../unit.ts';
import { wireDistance } from '../wire-time.ts';
import type { Pes } from './pes.ts';
import type { PictureGrammar } from './picture-grammar.ts';
import { tsBits, tsTurn } from './wire.ts';

export type MediaOutput = { readonly track: (config: TrackConfig) => void; readonly unit: (unit: AccessUnit) => void };

const startCode = Buffer.from([0, 0, 1]);
/** A flood of tiny units is not a picture. */
const mostNals = 16_384;
/** For the second picture of a PES packet, until two packets have shown their distance: 30 pictures a second. */
const usualStep = 3_000;

export class PictureStream {
  readonly #output: MediaOutput;
  readonly #grammar: PictureGrammar;
  #read: PictureReader;
  /** A picture has brought its configuration. */
  #known = false;
  #lastDts: number | null = null;
  #step = usualStep;
  /** Pictures that could not be read, or came before their parameter sets. */
  dropped = 0;

  constructor(grammar: PictureGrammar, output: MediaOutput) {
    this.#output = output;
    this.#grammar = grammar;
    this.#read = grammar.reader(null);
  }

  take({ pts, dts, data }: Pes): void {
    if (pts === null) {
      this.dropped += 1;
      return;
    }
    try {
      const pictures = picturesOf(nalsOf(data), this.#grammar);
      const first = dts ?? pts;
      this.#measure(first, pictures.length);
      pictures.forEach((nals, index) => this.#picture(nals, (pts + index * this.#step) % tsTurn, (first + index * this.#step) % tsTurn));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.dropped += 1;
    }
  }

  #measure(dts: number, pictures: number): void {
    const passed = this.#lastDts === null ? 0 : wireDistance(dts, this.#lastDts, tsBits);
    if (pictures > 1 && passed > 0) this.#step = Math.min(Math.round(passed / pictures), 90_000);
    this.#lastDts = dts;
  }

  #picture(nals: readonly Buffer[], pts: number, dts: number): void {
    const { config, ...picture } = this.#read(withLengths(nals));
    if (config) {
      this.#read = this.#grammar.reader(config);
      this.#known = true;
      this.#output.track(config);
    }
    if (picture.empty) return;
    if (this.#known) this.#output.unit({ kind: 'video', dts, pts, key: picture.key, data: picture.data });
    else this.dropped += 1;
  }
}

/** NAL units between start codes, without the zeros that may follow each (annex B, trailing_zero_8bits). */
export const nalsOf = (data: Buffer): Buffer[] => {
  const nals: Buffer[] = [];
  let from = data.indexOf(startCode);
  while (from >= 0) {
    from += startCode.length;
    const next = data.indexOf(startCode, from);
    let end = next < 0 ? data.length : next;
    while (end > from && data[end - 1] === 0) end -= 1;
    if (end > from) nals.push(data.subarray(from, end));
    if (nals.length > mostNals) throw new CodecError('limit', `a picture has more than ${mostNals} NAL units`);
    from = next;
  }
  return nals;
};

/** Usually one picture in a PES packet; some encoders gather a few. */
const picturesOf = (nals: readonly Buffer[], { isPicture, opens }: PictureGrammar): Buffer[][] => {
  const pictures: Buffer[][] = [];
  let open: Buffer[] = [];
  let seen = false;
  for (const nal of nals) {
    if (seen && opens(nal)) {
      pictures.push(open);
      open = [];
      seen = false;
    }
    open.push(nal);
    seen ||= isPicture(nal);
  }
  if (open.length > 0) pictures.push(open);
  return pictures;
};

/** As a sample of an MP4 has them: each behind four bytes of length. */
export const withLengths = (nals: readonly Buffer[]): Buffer => {
  const out = Buffer.allocUnsafe(nals.reduce((size, nal) => size + 4 + nal.length, 0));
  let at = 0;
  for (const nal of nals) {
    at = out.writeUInt32BE(nal.length, at);
    at += nal.copy(out, at);
  }
  return out;
};
