/**
 * H.264 in MPEG-TS (ISO 13818-1, 2.14): a byte stream with start codes (ISO 14496-10, annex B) becomes pictures
 * whose NAL units stand behind their lengths, and a decoder configuration out of the parameter sets among them.
 */
import { CodecError } from '../codec-error.ts';
import { isVcl, nalType, typeOf } from '../h264-nal.ts';
import { normaliseAvc, parseAvcConfig, type AvcConfig } from '../h264.ts';
import { inBandConfig } from '../parameter-sets.ts';
import type { AccessUnit, TrackConfig } from '../unit.ts';
import { wireDistance } from '../wire-time.ts';
import type { Pes } from './pes.ts';
import { tsBits, tsTurn } from './wire.ts';

export type MediaOutput = { readonly track: (config: TrackConfig) => void; readonly unit: (unit: AccessUnit) => void };

const startCode = Buffer.from([0, 0, 1]);
/** A flood of tiny units is not a picture. */
const mostNals = 16_384;
/** For the second picture of a PES packet, until two packets have shown their distance: 30 pictures a second. */
const usualStep = 3_000;
/** 7.4.1.2.3: behind a picture, these begin the next one. 14 to 18 are prefixes and reserved. */
const opening: ReadonlySet<number> = new Set([nalType.sei, nalType.sps, nalType.pps, nalType.accessUnitDelimiter, 14, nalType.subsetSps, 16, 17, 18]);

export class PictureStream {
  readonly #output: MediaOutput;
  #config: AvcConfig | null = null;
  #lastDts: number | null = null;
  #step = usualStep;
  /** Pictures that could not be read, or came before their parameter sets. */
  dropped = 0;

  constructor(output: MediaOutput) {
    this.#output = output;
  }

  take({ pts, dts, data }: Pes): void {
    if (pts === null) {
      this.dropped += 1;
      return;
    }
    try {
      const pictures = picturesOf(nalsOf(data));
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
    const picture = normaliseAvc(withLengths(nals), 4);
    const config = inBandConfig(this.#config, picture);
    if (config) {
      this.#config = parseAvcConfig(config);
      this.#output.track({ kind: 'video', codec: 'h264', config });
    }
    if (picture.empty) return;
    if (this.#config) this.#output.unit({ kind: 'video', dts, pts, key: picture.idr || picture.recoveryPoint, data: picture.data });
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
const picturesOf = (nals: readonly Buffer[]): Buffer[][] => {
  const pictures: Buffer[][] = [];
  let open: Buffer[] = [];
  let seen = false;
  for (const nal of nals) {
    const type = typeOf(nal);
    if (seen && opening.has(type)) {
      pictures.push(open);
      open = [];
      seen = false;
    }
    open.push(nal);
    seen ||= isVcl(type);
  }
  if (open.length > 0) pictures.push(open);
  return pictures;
};

const withLengths = (nals: readonly Buffer[]): Buffer => {
  const out = Buffer.allocUnsafe(nals.reduce((size, nal) => size + 4 + nal.length, 0));
  let at = 0;
  for (const nal of nals) {
    at = out.writeUInt32BE(nal.length, at);
    at += nal.copy(out, at);
  }
  return out;
};
