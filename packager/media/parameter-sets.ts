/** Parameter sets that travel inside the pictures: some hardware encoders send them there and nowhere else. */
import { encodeAvcConfig, type AvcConfig, type AvcPicture } from './h264.ts';
import type { HevcConfig } from './hevc-config.ts';
import type { HevcParameterSets } from './hevc-picture.ts';

const known = (sets: readonly Buffer[], set: Buffer): boolean => sets.some((other) => other.equals(set));

/** A new decoder configuration, when the picture carries parameter sets that the current one lacks; null otherwise. */
export const inBandConfig = (current: AvcConfig | null, picture: AvcPicture): Buffer | null => {
  const { sps, pps } = picture.parameterSets;
  if (sps.length === 0 && pps.length === 0) return null;
  if (current && sps.every((set) => known(current.sps, set)) && pps.every((set) => known(current.pps, set))) return null;
  const newSps = sps.length > 0 ? sps : (current?.sps ?? []);
  const newPps = pps.length > 0 ? pps : (current?.pps ?? []);
  return newSps.length > 0 && newPps.length > 0 ? encodeAvcConfig(newSps, newPps) : null;
};

/** The same of HEVC: all sets of the new configuration, or null when there is none (yet). */
export const inBandHevcSets = (current: HevcConfig | null, came: HevcParameterSets): HevcParameterSets | null => {
  const kinds = ['vps', 'sps', 'pps'] as const;
  if (current && kinds.every((kind) => came[kind].every((set) => known(current[kind], set)))) return null;
  const [vps, sps, pps] = kinds.map((kind) => (came[kind].length > 0 ? came[kind] : (current?.[kind] ?? [])));
  return vps?.length && sps?.length && pps?.length ? { vps, sps, pps } : null;
};
