/** Headers of H.264 as the standard allows them and encoders hardly write them, for tests. There is no picture behind them. */
import type { Random } from '../../test/support/random.ts';
import { BitWriter } from './bits.ts';

class Fields {
  readonly bits = new BitWriter();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  u(value: number, count: number): number {
    this.bits.bits(value, count);
    return value;
  }
  ue(value: number): number {
    const length = Math.floor(Math.log2(value + 1));
    this.bits.bits(0, length).bits(value + 1, length + 1);
    return value;
  }
  se(value: number): number {
    this.ue(value > 0 ? 2 * value - 1 : -2 * value);
    return value;
  }
  /** A flag by chance. */
  flag(): boolean {
    return this.u(this.#random.below(2), 1) === 1;
  }
  some(least: number, most: number): number {
    return this.se(least + this.#random.below(most - least + 1));
  }
  below(end: number): number {
    return this.ue(this.#random.below(end));
  }
}

/** Behind a start code, with emulation prevention (7.4.1). */
const unit = (header: number, { bits }: Fields, tail: Buffer): Buffer => {
  const payload = Buffer.concat([bits.bytes(), tail]);
  const out = [0, 0, 0, 1, header];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(out);
};

/** What ends a parameter set: a one, and zeros up to the next byte. */
const parameterSet = (header: number, out: Fields): Buffer => {
  out.u(1, 1);
  return unit(header, out, Buffer.alloc(0));
};

type Sequence = { readonly planes: boolean; readonly chroma: number; readonly frameNumBits: number; readonly order: number; readonly orderBits: number; readonly alwaysZero: boolean; readonly fields: boolean; readonly mapUnits: number };
type Picture = { readonly cabac: boolean; readonly bottom: boolean; readonly rate: number | null; readonly references: readonly [number, number]; readonly weightedP: boolean; readonly bipred: number; readonly deblocking: boolean; readonly redundant: boolean };

const writeSps = (random: Random): { sps: Buffer; sequence: Sequence } => {
  const out = new Fields(random);
  const high = random.below(3) > 0;
  out.u(high ? 244 : 88, 8);
  out.u(0, 8);
  out.u(40, 8);
  out.ue(0);
  let [chroma, planes] = [1, false];
  if (high) {
    chroma = out.below(4);
    if (chroma === 3) planes = out.flag();
    out.below(3);
    out.below(3);
    out.u(0, 1);
    out.u(0, 1); // no scaling matrices
  }
  const frameNumBits = out.below(13) + 4;
  const order = out.below(3);
  let [orderBits, alwaysZero] = [0, false];
  if (order === 0) orderBits = out.below(13) + 4;
  if (order === 1) {
    alwaysZero = out.flag();
    out.some(-9, 9);
    out.some(-9, 9);
    for (let cycle = out.below(4); cycle > 0; cycle -= 1) out.some(-9, 9);
  }
  out.ue(16);
  out.u(0, 1);
  const columns = out.below(40) + 1;
  const rows = out.below(30) + 1;
  const framesOnly = out.flag();
  if (!framesOnly) out.flag();
  out.u(1, 1);
  out.u(0, 1);
  out.u(0, 1);
  return { sps: parameterSet(0x67, out), sequence: { planes, chroma, frameNumBits, order, orderBits, alwaysZero, fields: !framesOnly, mapUnits: columns * rows } };
};

const writePps = (random: Random, { mapUnits }: Sequence): { pps: Buffer; picture: Picture } => {
  const out = new Fields(random);
  out.ue(0);
  out.ue(0);
  const cabac = out.flag();
  const bottom = out.flag();
  let rate: number | null = null;
  if (random.below(2) === 0 || mapUnits < 2) out.ue(0);
  else {
    const groups = out.ue(1) + 1;
    const type = out.ue(random.below(7));
    if (type === 0) for (let group = 0; group < groups; group += 1) out.below(mapUnits);
    if (type === 2) {
      const first = out.below(mapUnits);
      out.ue(first + random.below(mapUnits - first));
    }
    if (type >= 3 && type <= 5) {
      out.flag();
      rate = out.below(mapUnits) + 1;
    }
    if (type === 6) {
      out.ue(mapUnits - 1);
      for (let at = 0; at < mapUnits; at += 1) out.flag();
    }
  }
  const references = [out.below(8) + 1, out.below(8) + 1] as const;
  const weightedP = out.flag();
  const bipred = out.u(random.below(3), 2);
  out.some(-20, 20);
  out.some(-20, 20);
  out.some(-12, 12);
  const deblocking = out.flag();
  out.flag();
  const redundant = out.flag();
  return { pps: parameterSet(0x68, out), picture: { cabac, bottom, rate, references, weightedP, bipred, deblocking, redundant } };
};

const writeWeights = (out: Fields, { chroma, planes }: Sequence, counts: readonly number[]): void => {
  const hasChroma = chroma !== 0 && !planes;
  out.below(8);
  if (hasChroma) out.below(8);
  for (const count of counts) {
    for (let at = 0; at < count; at += 1) {
      if (out.flag()) for (let number = 0; number < 2; number += 1) out.some(-128, 127);
      if (hasChroma && out.flag()) for (let number = 0; number < 4; number += 1) out.some(-128, 127);
    }
  }
};

const writeReordering = (out: Fields, random: Random): void => {
  if (!out.flag()) return;
  for (let entries = random.below(12); entries > 0; entries -= 1) {
    out.below(3);
    out.below(16);
  }
  out.ue(3);
};

const writeMarking = (out: Fields, random: Random): void => {
  if (!out.flag()) return;
  for (let entries = random.below(8); entries > 0; entries -= 1) {
    const operation = out.ue(1 + random.below(6));
    if (operation !== 5) out.below(16);
    if (operation === 3) out.below(16);
  }
  out.ue(0);
};

const writeSlice = (random: Random, sequence: Sequence, picture: Picture): Buffer => {
  const out = new Fields(random);
  const idr = random.below(4) === 0;
  const reference = idr ? 3 : random.below(4);
  out.below(sequence.mapUnits);
  const type = idr ? [2, 4][random.below(2)] ?? 2 : random.below(5);
  out.ue(type + 5 * random.below(2));
  out.ue(0);
  if (sequence.planes) out.u(random.below(3), 2);
  out.u(random.below(2 ** sequence.frameNumBits), sequence.frameNumBits);
  const field = sequence.fields && out.flag();
  if (field) out.flag();
  if (idr) out.below(65536);
  const both = picture.bottom && !field;
  if (sequence.order === 0) {
    out.u(random.below(2 ** sequence.orderBits), sequence.orderBits);
    if (both) out.some(-99, 99);
  }
  if (sequence.order === 1 && !sequence.alwaysZero) {
    out.some(-99, 99);
    if (both) out.some(-99, 99);
  }
  if (picture.redundant) out.below(128);
  const [isB, isP] = [type === 1, type === 0 || type === 3];
  if (isB) out.flag();
  if (isB || isP) {
    let [first, second] = picture.references;
    if (out.flag()) {
      first = out.below(16) + 1;
      if (isB) second = out.below(16) + 1;
    }
    writeReordering(out, random);
    if (isB) writeReordering(out, random);
    if (isB ? picture.bipred === 1 : picture.weightedP) writeWeights(out, sequence, isB ? [first, second] : [first]);
  }
  if (idr) out.u(random.below(4), 2);
  else if (reference > 0) writeMarking(out, random);
  if (picture.cabac && (isB || isP)) out.below(3);
  out.some(-20, 20);
  if (type === 3) out.flag();
  if (type === 3 || type === 4) out.some(-20, 20);
  if (picture.deblocking && out.below(3) !== 1) {
    out.some(-6, 6);
    out.some(-6, 6);
  }
  if (picture.rate !== null) {
    // 7.4.3: the cycle is at most Ceil(PicSizeInMapUnits / SliceGroupChangeRate).
    const most = Math.ceil(sequence.mapUnits / picture.rate);
    out.u(random.below(most + 1), Math.ceil(Math.log2(sequence.mapUnits / picture.rate + 1)));
  }
  // Zeros behind the header, now and then: what belongs to it and what does not must not depend on them.
  const tail = random.below(2) === 0 ? Buffer.alloc(24, random.below(4)) : random.bytes(24);
  return unit((reference << 5) | (idr ? 5 : 1), out, Buffer.concat([tail, Buffer.from([0x80])]));
};

/** A stream of one sequence: parameter sets, and slices of every kind that they allow. */
export const craftStream = (random: Random, slices: number): Buffer => {
  const { sps, sequence } = writeSps(random);
  const { pps, picture } = writePps(random, sequence);
  return Buffer.concat([sps, pps, ...Array.from({ length: slices }, () => writeSlice(random, sequence, picture))]);
};
