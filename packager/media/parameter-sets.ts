/**
 * Parameter sets that travel inside the pictures: some hardware encoders send them there and nowhere else.
 *
 * A set takes the place of the one of its kind that has its number, and the others stay (ISO 14496-10, 7.4.1.2.1): an
 * encoder may send one SPS and three PPS, each with the picture that needs it first.
 */
import { encodeAvcConfig, parseSps, type AvcConfig, type AvcPicture } from './h264.ts';
import type { HevcConfig } from './hevc-config.ts';
import { isOfBase } from './hevc-nal.ts';
import type { HevcParameterSets, HevcPicture } from './hevc-picture.ts';
import { parseHevcSps } from './hevc-sps.ts';
import * as ids from './parameter-set-ids.ts';
import type { NumberedSet } from './parameter-set-ids.ts';

/** What a record can count and hold, and far more than is in use: beyond it the oldest go. */
const most = { sps: 31, pps: 255, bytes: 7 * 1024 } as const;

type Sets = { readonly sps: readonly Buffer[]; readonly pps: readonly Buffer[] };
type Numbered = { readonly sps: readonly NumberedSet[]; readonly pps: readonly NumberedSet[] };

const known = (sets: readonly Buffer[], set: Buffer): boolean => sets.some((other) => other.equals(set));
const sameSets = (some: readonly Buffer[], others: readonly Buffer[]): boolean => some.length === others.length && some.every((set) => known(others, set));
/** A set that finds no place is new with every picture that brings it, and changes nothing. The first SPS is what players are told of. */
const changesNothing = (current: Sets | null, sps: readonly Buffer[], pps: readonly Buffer[]): boolean =>
  current !== null && sameSets(sps, current.sps) && sameSets(pps, current.pps) && sps[0] !== undefined && current.sps[0]?.equals(sps[0]) === true;
const nalsOf = (sets: readonly NumberedSet[]): Buffer[] => sets.map(({ nal }) => nal);

/** The last of each number, the newest at the end, and no more than fit. */
const newest = (before: readonly NumberedSet[], came: readonly NumberedSet[], count: number): NumberedSet[] => {
  const sets = new Map<number, NumberedSet>();
  let bytes = 0;
  for (const set of [...before, ...came].reverse()) {
    if (sets.has(set.id)) continue;
    bytes += set.nal.length;
    if (sets.size === count || (bytes > most.bytes && sets.size > 0)) break;
    sets.set(set.id, set);
  }
  return [...sets.values()].reverse();
};

/**
 * A sequence set that has changed takes the picture sets with it that lean on it, where it brings others: those are an encoder's that
 * has begun anew.
 */
const without = (pps: readonly NumberedSet[], before: Numbered, came: Numbered): NumberedSet[] => {
  const changed = new Set(came.sps.filter(({ id, nal }) => before.sps.some((old) => old.id === id && !old.nal.equals(nal))).map(({ id }) => id));
  return pps.filter(({ of }) => of === null || !changed.has(of) || !came.pps.some((other) => other.of === of));
};

/** `named`: the PPS that the picture is decoded with. What players are told of a track is read from the first SPS: that of the picture. */
const merge = (before: Numbered, came: Numbered, named: number | null): Numbered => {
  const sps = newest(before.sps, came.sps, most.sps);
  const pps = newest(without(before.pps, before, came), came.pps, most.pps).filter(({ of }) => sps.some(({ id }) => id === of));
  const active = pps.find(({ id }) => id === named)?.of ?? came.sps[0]?.id;
  return { sps: [...sps.filter(({ id }) => id === active), ...sps.filter(({ id }) => id !== active)], pps };
};

/** All sets are known; yet the picture may lean on another SPS than what players were told of, and be of another size. */
const isOfAnotherSize = (sets: Numbered, named: number | null, sizeOf: (nal: Buffer) => string): boolean => {
  const [told] = sets.sps;
  const active = sets.pps.find(({ id }) => id === named)?.of;
  const set = sets.sps.find(({ id }) => id === active);
  return told !== undefined && set !== undefined && told !== set && sizeOf(told.nal) !== sizeOf(set.nal);
};

const avcSize = (nal: Buffer): string => {
  const { width, height } = parseSps(nal);
  return `${width}x${height}`;
};
const hevcSize = (nal: Buffer): string => {
  const { width, height } = parseHevcSps(nal);
  return `${width}x${height}`;
};

const numberedAvc = ({ sps, pps }: Sets): Numbered => ({ sps: sps.map(ids.numberedAvcSps), pps: pps.map(ids.numberedAvcPps) });
const numberedHevc = ({ sps, pps }: Sets): Numbered => ({ sps: sps.map(ids.numberedHevcSps), pps: pps.map(ids.numberedHevcPps) });
const none: Sets = { sps: [], pps: [] };

/** A new decoder configuration, when the picture carries parameter sets that the current one lacks; null otherwise. */
export const inBandConfig = (current: AvcConfig | null, { data, parameterSets: came }: AvcPicture): Buffer | null => {
  if (came.sps.length + came.pps.length === 0) return null;
  const nothingNew = current && came.sps.every((set) => known(current.sps, set)) && came.pps.every((set) => known(current.pps, set));
  if (nothingNew && current.sps.length < 2) return null;
  const before = numberedAvc(current ?? none);
  const named = ids.avcPpsOf(data);
  if (nothingNew && !isOfAnotherSize(before, named, avcSize)) return null;
  const merged = merge(before, numberedAvc(came), named);
  const [sps, pps] = [nalsOf(merged.sps), nalsOf(merged.pps)];
  if (sps.length === 0 || pps.length === 0 || changesNothing(current, sps, pps)) return null;
  return encodeAvcConfig(sps, pps);
};

/** An `hvc1` track is its base layer, and sets of others are written in another way (F.7.3.2.2). */
const baseOf = ({ vps, sps, pps }: HevcParameterSets): HevcParameterSets => ({ vps: vps.filter(isOfBase), sps: sps.filter(isOfBase), pps: pps.filter(isOfBase) });

/** The same of HEVC: all sets of the new configuration, or null when there is none (yet). */
export const inBandHevcSets = (record: HevcConfig | null, { data, parameterSets }: HevcPicture): HevcParameterSets | null => {
  if (!parameterSets) return null;
  const came = baseOf(parameterSets);
  const current = record && baseOf(record);
  const kinds = ['vps', 'sps', 'pps'] as const;
  const nothingNew = current && kinds.every((kind) => came[kind].every((set) => known(current[kind], set)));
  if (nothingNew && current.sps.length < 2) return null;
  const before = numberedHevc(current ?? none);
  const named = ids.hevcPpsOf(data);
  if (nothingNew && !isOfAnotherSize(before, named, hevcSize)) return null;
  const merged = merge(before, numberedHevc(came), named);
  const [sps, pps] = [nalsOf(merged.sps), nalsOf(merged.pps)];
  const vps = nalsOf(newest((current?.vps ?? []).map(ids.numberedHevcVps), came.vps.map(ids.numberedHevcVps), most.sps));
  if (vps.length === 0 || sps.length === 0 || pps.length === 0) return null;
  return current && sameSets(vps, current.vps) && changesNothing(current, sps, pps) ? null : { vps, sps, pps };
};
