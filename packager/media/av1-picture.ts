/**
 * One temporal unit as a sender wraps it, turned into a sample that an `av01` track may hold (AV1 in ISOBMFF, 2.4):
 * without delimiters and padding.
 */
import { obuType, obusOf, type Obu } from './av1-obu.ts';

export type Av1Picture = {
  /** The buffer that came in when nothing had to change: no copy. */
  readonly data: Buffer;
  /** A key frame that is shown. */
  readonly key: boolean;
  /** Nothing of a picture is left: there is no sample to write. */
  readonly empty: boolean;
  /** Payload of the sequence header that came with it. */
  readonly sequence: Buffer | null;
};

const dropped: ReadonlySet<number> = new Set([obuType.delimiter, obuType.padding]);
const pictures: ReadonlySet<number> = new Set([obuType.frame, obuType.frameHeader]);

/** 5.9.2: show_existing_frame 0, frame_type KEY_FRAME, show_frame 1. `reducedStill`: all are, and say nothing. */
const isKey = ({ payload }: Obu, reducedStill: boolean): boolean => reducedStill || ((payload[0] ?? 0xff) & 0xf0) === 0x10;

export const normaliseAv1 = (data: Buffer, reducedStill: boolean): Av1Picture => {
  const all = obusOf(data);
  const kept = all.filter(({ type }) => !dropped.has(type));
  const first = kept.find(({ type }) => pictures.has(type));
  return {
    data: kept.length === all.length ? data : Buffer.concat(kept.map(({ whole }) => whole)),
    key: first !== undefined && isKey(first, reducedStill),
    empty: first === undefined,
    sequence: kept.find(({ type }) => type === obuType.sequence)?.payload ?? null,
  };
};
