/**
 * splice_info_section (ANSI/SCTE 35, 9.6), as far as manifests need it: which splice it announces, whether programme
 * ends or begins there, and for how long. What is not understood is carried as it is.
 */
import { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';
import { crc32 } from './crc32.ts';

/** out: away from the programme · in: back to it · cmd: all else that may be said. */
export type SpliceSign = {
  readonly kind: 'out' | 'in' | 'cmd';
  /** splice_event_id or segmentation_event_id; null: the command has none. */
  readonly eventId: number | null;
  /** segmentation_type_id; null where there was no segmentation descriptor. */
  readonly type: number | null;
  /** Of the break, 90 kHz; null: not said. */
  readonly duration: number | null;
  readonly cancelled: boolean;
};

export type Splice = {
  readonly command: number;
  /** When the splice is, 90 kHz in 33 bits, with pts_adjustment; null: at once, or not said. */
  readonly time: number | null;
  /** At least one. */
  readonly signs: readonly SpliceSign[];
};

const tableId = 0xfc;
const command = { insert: 5, timeSignal: 6 } as const;
const segmentation = 2;
const cuei = 0x43554549;
const turn = 2 ** 33;
const largestSection = 4096 + 3;
const mostDescriptors = 64;

/**
 * 10.3.3.1, table 23: types that lead away from the programme (or into what is placed inside it) and their ends, one
 * higher each: programme breakaway and resumption, provider and distributor advertisements, placement opportunities,
 * overlays, provider and distributor ad blocks.
 */
const outTypes = new Set([0x22, 0x30, 0x32, 0x34, 0x36, 0x38, 0x3a, 0x3c, 0x3e, 0x44, 0x46]);
const breakaway = 0x13;
const resumption = 0x14;

const kindOfType = (type: number): SpliceSign['kind'] => {
  if (outTypes.has(type) || type === breakaway) return 'out';
  return type === resumption || outTypes.has(type - 1) ? 'in' : 'cmd';
};

/** A whole section with the right CRC, in the clear or not. */
export const isSplice = (bytes: Buffer): boolean =>
  bytes.length >= 17 && bytes.length <= largestSection && bytes[0] === tableId && (bytes.readUInt16BE(1) & 0xfff) + 3 === bytes.length && crc32(bytes) === 0;

/** Throws CodecError. */
export const parseSplice = (section: Buffer): Splice => {
  if (!isSplice(section)) throw new CodecError('invalid', 'not a splice_info_section');
  const body = section.subarray(3, section.length - 4);
  const bits = new BitReader(body);
  bits.skip(8); // protocol_version
  if (bits.flag()) throw new CodecError('unsupported', 'an encrypted splice_info_section');
  bits.skip(6);
  const adjustment = bits.bits(1) * 2 ** 32 + bits.bits(32);
  bits.skip(8 + 12); // cw_index, tier
  bits.skip(12); // splice_command_length, which old equipment sets to 0xFFF
  const type = bits.bits(8);
  const splice = type === command.insert ? readInsert(bits) : { time: type === command.timeSignal ? readTime(bits) : null, sign: null };
  // The length of other commands is not always told: what follows them is not looked for.
  const signs = splice.sign ? [splice.sign] : type === command.timeSignal ? readDescriptors(body, body.length - bits.left / 8) : [];
  const time = splice.time === null ? null : (splice.time + adjustment) % turn;
  return { command: type, time, signs: signs.length > 0 ? signs : [{ kind: 'cmd', eventId: null, type: null, duration: null, cancelled: false }] };
};

/** splice_time() */
const readTime = (bits: BitReader): number | null => {
  if (!bits.flag()) {
    bits.skip(7);
    return null;
  }
  bits.skip(6);
  return bits.bits(1) * 2 ** 32 + bits.bits(32);
};

/** splice_insert() */
const readInsert = (bits: BitReader): { time: number | null; sign: SpliceSign } => {
  const eventId = bits.bits(32);
  const cancelled = bits.flag();
  bits.skip(7);
  if (cancelled) return { time: null, sign: { kind: 'cmd', eventId, type: null, duration: null, cancelled } };
  const out = bits.flag();
  const whole = bits.flag();
  const timed = bits.flag();
  const immediate = bits.flag();
  bits.skip(4);
  let time: number | null = null;
  if (whole) {
    if (!immediate) time = readTime(bits);
  } else {
    for (let left = bits.bits(8); left > 0; left -= 1) {
      bits.skip(8); // component_tag
      if (!immediate) time = readTime(bits) ?? time;
    }
  }
  let duration: number | null = null;
  if (timed) {
    bits.skip(7); // auto_return, reserved
    duration = bits.bits(1) * 2 ** 32 + bits.bits(32);
  }
  bits.skip(32); // unique_program_id, avail_num, avails_expected
  return { time, sign: { kind: out ? 'out' : 'in', eventId, type: null, duration: out ? duration : null, cancelled } };
};

const readDescriptors = (body: Buffer, from: number): SpliceSign[] => {
  const signs: SpliceSign[] = [];
  const loop = new BitReader(body.subarray(from));
  const end = from + 2 + loop.bits(16);
  for (let at = from + 2; at + 2 <= end && signs.length < mostDescriptors; ) {
    const next = at + 2 + (body[at + 1] ?? 0);
    if (next > end || next > body.length) throw new CodecError('truncated', 'a splice descriptor goes beyond its loop');
    const inside = new BitReader(body.subarray(at + 2, next));
    if (body[at] === segmentation && inside.left >= 32 && inside.bits(32) === cuei) signs.push(readSegmentation(inside));
    at = next;
  }
  return signs;
};

/** segmentation_descriptor(), from behind its identifier. */
const readSegmentation = (bits: BitReader): SpliceSign => {
  const eventId = bits.bits(32);
  const cancelled = bits.flag();
  bits.skip(7);
  if (cancelled) return { kind: 'cmd', eventId, type: null, duration: null, cancelled };
  const whole = bits.flag();
  const timed = bits.flag();
  bits.skip(6);
  if (!whole) for (let left = bits.bits(8); left > 0; left -= 1) bits.skip(48);
  const duration = timed ? bits.bits(8) * 2 ** 32 + bits.bits(32) : null;
  bits.skip(8); // segmentation_upid_type
  bits.skip(bits.bits(8) * 8);
  const type = bits.bits(8);
  const kind = kindOfType(type);
  return { kind, eventId, type, duration: kind === 'in' ? null : duration, cancelled };
};
