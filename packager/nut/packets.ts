/** The main packet (how frames are written) and the stream packet (what they are). */
import type { Bytes } from './bytes.ts';
import { frameFlag, letterN, NutError, streamClass } from './nut.ts';

/** What a frame under this code has without saying it. */
export type FrameCode = {
  readonly flags: number;
  readonly ptsDelta: number;
  readonly sizeTimes: number;
  readonly sizeLow: number;
  readonly reserved: number;
  readonly headerIndex: number;
};

export type MainPacket = {
  readonly timeBase: { readonly numerator: number; readonly denominator: number };
  readonly codes: readonly FrameCode[];
  /** How short frames may begin; the first of them is nothing. */
  readonly shared: readonly Buffer[];
};

export type StreamPacket = {
  readonly fourcc: string;
  /** Of pictures; of sound, 0. */
  readonly width: number;
  readonly height: number;
  readonly config: Buffer;
  readonly timeBase: MainPacket['timeBase'];
  readonly shortTimeBits: number;
};

const codeCount = 256;
const mostShared = 128;
const longestShared = 255;
const mostConfig = 16 * 1024;
/** Of a table that says every code by itself, and one more field than there are. */
const mostFields = 16;
const versions = { oldest: 3, newest: 4 };
const two31 = 2 ** 31;

export const readMain = (body: Bytes): MainPacket => {
  const version = body.varint();
  if (version < versions.oldest || version > versions.newest) throw new NutError('unsupported', `NUT of version ${version}`);
  if (version >= 4) body.varint(); // minor version
  const streams = body.varint();
  if (streams !== 1) throw new NutError('unsupported', `${streams} streams`);
  body.varint(); // how far syncpoints may lie apart
  const timeBases = body.varint();
  if (timeBases !== 1) throw new NutError('unsupported', `${timeBases} time bases`);
  const [numerator, denominator] = [body.varintBelow(two31), body.varintBelow(two31)];
  if (numerator === 0 || denominator === 0) throw new NutError('invalid', 'a time base of nothing');
  return { timeBase: { numerator, denominator }, codes: readCodes(body), shared: readShared(body) };
};

const invalid: FrameCode = { flags: frameFlag.invalid, ptsDelta: 0, sizeTimes: 1, sizeLow: 0, reserved: 0, headerIndex: 0 };

/** Runs of codes; what a run does not say is as it was in the run before, or nothing. */
const readCodes = (body: Bytes): FrameCode[] => {
  const codes: FrameCode[] = [];
  let [ptsDelta, sizeTimes, headerIndex] = [0, 1, 0];
  while (codes.length < codeCount) {
    const flags = body.varintBelow(two31);
    const fields = body.varintBelow(mostFields);
    if (fields > 0) ptsDelta = body.signed();
    if (fields > 1) sizeTimes = body.varintBelow(two31);
    if (fields > 2 && body.varint() !== 0) throw new NutError('unsupported', 'a code for a second stream');
    const sizeLow = fields > 3 ? body.varintBelow(two31) : 0;
    const reserved = fields > 4 ? body.varint() : 0;
    const count = fields > 5 ? body.varint() : sizeTimes - sizeLow;
    if (fields > 6) body.skipVarint(); // match time
    if (fields > 7) headerIndex = body.varint();
    for (let more = fields; more > 8; more -= 1) body.varint();
    if (count <= 0 || count > codeCount) throw new NutError('invalid', `a run of ${count} codes`);
    for (let one = 0; one < count; one += 1) {
      if (codes.length === letterN) codes.push(invalid);
      codes.push({ flags, ptsDelta, sizeTimes, sizeLow: sizeLow + one, reserved, headerIndex });
    }
    // The last letter that a run may end ahead of.
    if (codes.length === letterN) codes.push(invalid);
  }
  if (codes.length > codeCount) throw new NutError('invalid', 'more codes than there are');
  return codes;
};

const readShared = (body: Bytes): Buffer[] => {
  const shared: Buffer[] = [Buffer.alloc(0)];
  const count = body.left > 0 ? body.varint() : 0;
  if (count >= mostShared) throw new NutError('limit', `${count} beginnings of frames`);
  for (let left = count; left > 0; left -= 1) {
    const length = body.varint();
    if (length === 0 || length > longestShared) throw new NutError('invalid', `a beginning of ${length} bytes`);
    shared.push(Buffer.from(body.take(length)));
  }
  return shared;
};

export const readStream = (body: Bytes, { timeBase }: MainPacket): StreamPacket => {
  if (body.varint() !== 0) throw new NutError('invalid', 'the only stream is not the first one');
  const kind = body.varint();
  if (kind !== streamClass.video && kind !== streamClass.sound) throw new NutError('unsupported', 'a stream that is neither pictures nor sound');
  const tag = body.varint();
  if (tag !== 2 && tag !== 4) throw new NutError('invalid', `a codec of ${tag} letters`);
  const fourcc = body.take(tag).toString('latin1');
  if (body.varint() !== 0) throw new NutError('invalid', 'a time base that there is not');
  const shortTimeBits = body.varint();
  if (shortTimeBits >= 16) throw new NutError('invalid', `short times of ${shortTimeBits} bits`);
  body.varint(); // how far times may lie apart without a checksum
  body.varint(); // pictures that a decoder holds back
  body.varint(); // flags
  const length = body.varint();
  if (length > mostConfig) throw new NutError('limit', `a configuration of ${length} bytes`);
  const config = Buffer.from(body.take(length));
  const [width, height] = kind === streamClass.video ? [body.varint(), body.varint()] : [0, 0];
  return { fourcc, width, height, config, timeBase, shortTimeBits };
};
