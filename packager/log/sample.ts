/** Made-up fragments for the tests of the log: every byte follows from the seed, so that any reader can be checked. */
import type { EpochFacts, FragmentFacts } from './types.ts';

/** A small seeded generator (mulberry32): numbers from 0 to 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type Sample = { readonly facts: FragmentFacts; readonly data: Buffer };

/** Past 2^32 ticks, where a 32-bit field would wrap. */
export const sampleStart = 6 * 2 ** 32;

const made = new Map<number, Sample>();

/** The n-th fragment: 300 ticks of 90 kHz, a segment every 6. */
export function sample(seq: number): Sample {
  const known = made.get(seq) ?? make(seq, 400 + ((seq * 7919) % 3000));
  made.set(seq, known);
  return known;
}

function make(seq: number, size: number): Sample {
  const data = Buffer.alloc(size);
  const next = random(seq + 1);
  for (let at = 0; at + 4 <= size; at += 4) data.writeUInt32LE(Math.floor(next() * 2 ** 32), at);
  const dts = sampleStart + seq * 300;
  const facts = { key: seq % 6 === 0, segmentStart: seq % 6 === 0, gap: false, dts, firstPts: dts + 17, duration: 300 };
  return { facts: { ...facts, ...(seq % 4 === 3 && { events: true as const }) }, data };
}

/** Several buffers, as a fragment comes from the segmenter (moof, then mdat in pieces). */
export function inPieces(data: Buffer): Buffer[] {
  const cut = Math.floor(data.length / 3);
  return [data.subarray(0, cut), data.subarray(cut, cut + 1), data.subarray(cut + 1)];
}

export const sampleEpoch = (epoch: number): EpochFacts => ({
  epoch,
  timescale: 90_000,
  wallClock: Date.UTC(2026, 0, 1, 12) + epoch * 1000,
  start: sampleStart,
  reorderDelay: 6006,
  codecString: 'avc1.64001f',
  run: 'samplerun1',
  init: Buffer.from(`init segment of epoch ${epoch}`.repeat(20)),
});
