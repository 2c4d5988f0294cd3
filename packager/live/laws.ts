/** For tests: what must hold of everything that a run ever lists, as a list of what does not. */
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';

export type Leniency = {
  /** The longest picture that the sender sent, s: one that is longer than a part is a part of its own. */
  readonly longestPicture?: number;
  /** An outage or a jump cuts parts short where it comes. */
  readonly shortParts?: boolean;
};

export const broken = (snapshot: PresentationSnapshot, lenient: Leniency = {}): string[] => {
  const { policy, tracks } = snapshot;
  const faults: string[] = [];
  if (!Number.isInteger(policy.targetDuration) || policy.targetDuration < 2 || policy.targetDuration > 6) faults.push(`TARGETDURATION ${policy.targetDuration}`);
  const counts = tracks.map(({ endSegment }) => endSegment);
  if (new Set(counts).size > 1) faults.push(`segments: ${counts.join(' and ')}`);
  for (const track of tracks) faults.push(...trackFaults(snapshot, track, lenient));
  const [first, second] = tracks;
  if (first && second) faults.push(...apart(first, second));
  return faults;
};

const trackFaults = ({ policy }: PresentationSnapshot, track: TrackSnapshot, { longestPicture = 0, shortParts = false }: Leniency): string[] => {
  const faults: string[] = [];
  const target = track.partTarget;
  if (target !== null && !(target > 0 && target < 2)) faults.push(`${track.id}: PART-TARGET ${target}`);
  let end = 0;
  let epoch = -1;
  for (const segment of track.segments.slice(0, track.endSegment)) {
    const name = `${track.id} ${segment.msn}`;
    const seconds = segment.duration / track.timescale;
    if (segment.epoch === epoch && segment.start !== end) faults.push(`${name}: starts at ${segment.start} after ${end}`);
    if (segment.epoch !== epoch && Math.abs(segment.start - end) > track.timescale / 10) faults.push(`${name}: the epoch starts at ${segment.start} after ${end}`);
    if (segment.epoch < epoch) faults.push(`${name}: epoch ${segment.epoch} after ${epoch}`);
    if (seconds <= 0 || Math.round(seconds) > policy.targetDuration) faults.push(`${name}: EXTINF ${seconds} of ${policy.targetDuration}`);
    if (policy.independentSegments && !segment.independent) faults.push(`${name}: not independent`);
    epoch = segment.epoch;
    end = segment.start + segment.duration;
    if (target === null) continue;
    const most = track.kind === 'video' ? Math.max(target, longestPicture + 0.002) : target;
    segment.parts.forEach((part, index) => {
      const length = part.duration / track.timescale;
      const last = index === segment.parts.length - 1;
      if (length > most && !part.gap) faults.push(`${name}.${index}: a part of ${length} s, above ${most}`);
      if (!last && !shortParts && !part.independent && length < 0.85 * target) faults.push(`${name}.${index}: a part of ${length} s, below 85 % of ${target}`);
    });
  }
  return faults;
};

/** The same number means the same time in every track, to within a few frames (RFC 8216bis, 6.2.4). */
const apart = (one: TrackSnapshot, other: TrackSnapshot): string[] => {
  const faults: string[] = [];
  for (let at = 0; at < Math.min(one.endSegment, other.endSegment); at += 1) {
    const [a, b] = [one.segments[at], other.segments[at]];
    if (!a || !b) continue;
    const distance = Math.abs(a.start / one.timescale - b.start / other.timescale);
    if (distance > 0.15) faults.push(`segment ${a.msn}: ${one.id} and ${other.id} start ${distance} s apart`);
    if (a.epoch !== b.epoch) faults.push(`segment ${a.msn}: epochs ${a.epoch} and ${b.epoch}`);
  }
  return faults;
};
