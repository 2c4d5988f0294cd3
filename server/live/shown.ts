/**
 * A recording as its owner wants it shown: which part of it, how it is protected, and under which names.
 *
 * What a name stands for never changes, and caches keep it: clear media must not come under the name of ciphertext, nor
 * the other way round. So each change of protection gives the video new names, made of the runs that its files
 * have in the log: the log itself is never touched.
 */
import { createHash } from 'node:crypto';
import type { Cut, PresentationPolicy, PresentationSnapshot } from '../../packager/snapshot.ts';
import type { Protection } from '../catalog/schema.ts';
import type { VideoRow } from '../catalog/videos.ts';

export type Shown = {
  readonly cut: Cut;
  readonly protection: Protection;
  /** Another with each change of protection; null: it is protected as it was when it was begun. */
  readonly names: string | null;
};

const hexDigits = 24;

export const cutOf = ({ cutInMs, cutOutMs }: Pick<VideoRow, 'cutInMs' | 'cutOutMs'>): Cut => ({
  inMicros: cutInMs === null ? null : cutInMs * 1000,
  outMicros: cutOutMs === null ? null : cutOutMs * 1000,
});

export const shownOf = (row: Pick<VideoRow, 'cutInMs' | 'cutOutMs' | 'protection' | 'names'>): Shown => ({ cut: cutOf(row), protection: row.protection, names: row.names });

/** Whatever it was under before. */
export const under = (protection: Protection, { protection: _before, ...policy }: PresentationPolicy): PresentationPolicy =>
  protection === 'none' ? policy : { ...policy, protection };

export const shownAs = (snapshot: PresentationSnapshot, { cut, protection, names }: Shown): PresentationSnapshot => {
  const shown = { ...snapshot, cut, policy: under(protection, snapshot.policy) };
  if (names === null) return shown;
  // A run that went on under another id after a restart goes on being another.
  const renamed = (run: string): string => createHash('sha256').update(`${names} ${run}`).digest('hex').slice(0, hexDigits);
  return { ...shown, run: renamed(snapshot.run), epochs: snapshot.epochs.map((epoch) => ({ ...epoch, run: renamed(epoch.run) })) };
};
