/**
 * What a progressive file is made of: a picture track and a sound track (or one of them), and the fragments of
 * their logs in the order in which they will lie in the file. A pure function of the snapshot: closed segments
 * only, so the plan of a show that has ended never changes.
 */
import { listed, findTrack } from '../hls/window.ts';
import { boxes, children, descend, only } from '../cmaf/box-reader.ts';
import type { TrackKind } from '../media/unit.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { ProgressiveError } from './progressive-error.ts';
import { toTheEnd, type Steps } from './steps.ts';

export type PlannedFragment = {
  /** Index into `tracks`. */
  readonly track: number;
  readonly seq: number;
  /** In the log. */
  readonly size: number;
  /** Index into the track's `entries`. */
  readonly entry: number;
};

export type PlannedTrack = {
  readonly id: string;
  readonly kind: TrackKind;
  readonly timescale: number;
  readonly language: string;
  /** The differing sample entries of its epochs: boxes out of their init segments. */
  readonly entries: readonly Buffer[];
  /** Of the picture, 16.16, as its `tkhd` says. */
  readonly width: number;
  readonly height: number;
  /** How it is turned, as the same box says. */
  readonly matrix: Buffer;
};

export type ProgressivePlan = { readonly tracks: readonly PlannedTrack[]; readonly fragments: readonly PlannedFragment[] };

/** A day in parts of 0.2 s. */
const mostFragments = 2 * 24 * 3600 * 5;

/** `trackIds`: one rung of the picture, one track of sound, or either alone. Unknown ids are a RangeError. */
export const progressivePlan = (snapshot: PresentationSnapshot, ...trackIds: readonly string[]): ProgressivePlan => toTheEnd(planning(snapshot, ...trackIds));

/** The same in steps of a millisecond or two: a night has hundreds of thousands of fragments. */
export function* planning(snapshot: PresentationSnapshot, ...trackIds: readonly string[]): Steps<ProgressivePlan> {
  const sources = trackIds.map((id) => {
    const track = findTrack(snapshot, id);
    if (!track) throw new RangeError(`there is no track ${id} in video ${snapshot.video}`);
    return track;
  });
  const planned: Planned[] = [];
  for (const [index, source] of sources.entries()) planned.push(yield* planTrack(snapshot, source, index));
  const count = planned.reduce((sum, { fragments }) => sum + fragments.length, 0);
  if (count === 0) throw new ProgressiveError('empty', `video ${snapshot.video} has no media to download`);
  if (count > mostFragments) throw new ProgressiveError('limit', `a file of ${count} fragments`);
  const fragments: PlannedFragment[] = [];
  // Whoever plays while loading needs what is shown together at about the same place.
  const next = planned.map(() => 0);
  while (fragments.length < count) {
    let track = -1;
    let soonest = Infinity;
    for (let one = 0; one < planned.length; one += 1) {
      const seconds = planned[one]?.seconds[next[one] ?? 0] ?? Infinity;
      if (seconds >= soonest) continue;
      soonest = seconds;
      track = one;
    }
    const at = next[track] ?? 0;
    const fragment = planned[track]?.fragments[at];
    if (!fragment) break;
    fragments.push(fragment);
    next[track] = at + 1;
    if (fragments.length % stepFragments === 0) yield;
  }
  return { tracks: planned.map(({ track }) => track), fragments };
}

const stepFragments = 8192;
const stepSegments = 1024;

type Planned = { readonly track: PlannedTrack; readonly fragments: readonly PlannedFragment[]; readonly seconds: readonly number[] };

function* planTrack(snapshot: PresentationSnapshot, source: TrackSnapshot, track: number): Steps<Planned> {
  const entries: Buffer[] = [];
  const size = { width: 0, height: 0, matrix: Buffer.alloc(matrixBytes) };
  const entryOfEpoch = new Map<number, number>();
  const entryOf = (epoch: number): number => {
    const known = entryOfEpoch.get(epoch);
    if (known !== undefined) return known;
    const config = source.epochs.findLast((one) => one.epoch <= epoch);
    if (!config) throw new ProgressiveError('invalid', `epoch ${epoch} of ${source.id} has no init segment`);
    const facts = readEntry(config.init);
    if (entries.length === 0) Object.assign(size, { width: facts.width, height: facts.height, matrix: facts.matrix });
    const same = entries.findIndex((entry) => entry.equals(facts.entry));
    const index = same < 0 ? entries.push(facts.entry) - 1 : same;
    entryOfEpoch.set(epoch, index);
    return index;
  };

  const { from, to } = listed(snapshot, source);
  const fragments: PlannedFragment[] = [];
  const seconds: number[] = [];
  for (let index = from; index < to; index += 1) {
    const segment = source.segments[index];
    if (!segment) continue;
    let ticks = segment.start;
    for (const { seq, size: bytes, gap, duration } of segment.parts) {
      if (!gap && bytes > 0) {
        fragments.push({ track, seq, size: bytes, entry: entryOf(segment.epoch) });
        seconds.push(ticks / source.timescale);
      }
      ticks += duration;
    }
    if (index % stepSegments === 0) yield;
  }
  const language = /^[a-z]{3}$/.test(source.language ?? '') ? (source.language ?? '') : 'und';
  return { track: { id: source.id, kind: source.kind, timescale: source.timescale, language, entries, ...size }, fragments, seconds };
}

const matrixBytes = 36;

const readEntry = (init: Buffer): { entry: Buffer; width: number; height: number; matrix: Buffer } => {
  const trak = descend(init, only(boxes(init), 'moov', 'the init segment'), 'trak');
  const stsd = descend(init, trak, 'mdia', 'minf', 'stbl', 'stsd');
  const [entry] = boxes(init, stsd.body + 8, stsd.end);
  const tkhd = only(children(init, trak), 'tkhd', 'trak');
  if (!entry || tkhd.end - tkhd.body < 84) throw new ProgressiveError('invalid', 'an init segment without a sample entry');
  // The last fields of the box.
  const matrix = init.subarray(tkhd.end - 8 - matrixBytes, tkhd.end - 8);
  return { entry: init.subarray(entry.at, entry.end), width: init.readUInt32BE(tkhd.end - 8), height: init.readUInt32BE(tkhd.end - 4), matrix };
};
