/** From the name of a media file to where its bytes lie in the log: a pure function of the snapshot. */
import { progress } from '../../packager/dash/open-segment.ts';
import { hasKeyPicture } from '../../packager/hls/iframes.ts';
import { keyPicture } from '../../packager/hls/key-picture.ts';
import { epochOfTrack, nextMsn, nextPart, runOf, segmentByMsn } from '../../packager/hls/window.ts';
import type { MediaName } from '../../packager/names.ts';
import { isProtected } from '../../packager/protect/keys.ts';
import type { OpenSegment, PartRef, PresentationSnapshot, SegmentRef, TrackSnapshot } from '../../packager/snapshot.ts';
import { webVttSegment } from '../../packager/text/view.ts';
import { isWithin } from './cut.ts';
import { problems, type Problem } from './problem.ts';

export type LogSpan = {
  readonly type: string;
  /** Fragments [from, to) of the log. */
  readonly from: number;
  readonly to: number;
  /** Many will ask for it in the next moment. */
  readonly eager: boolean;
  /** What the file is made of them; without it, it is they. */
  readonly made?: (fragments: Buffer) => Buffer | Promise<Buffer>;
};

export type Found =
  | { readonly kind: 'bytes'; readonly type: string; readonly bytes: Buffer }
  | ({ readonly kind: 'log' } & LogSpan)
  /** A segment of which the first parts are there. */
  | { readonly kind: 'open'; readonly type: string; readonly msn: number; /** Done to each part. */ readonly seal?: LogSpan['made'] }
  /** The part that comes next, which the playlist has hinted at; or the segment that does. */
  | { readonly kind: 'soon' }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** The live edge: parts of so many segments are kept in RAM at the first request. */
const tailSegments = 4;

/** Pure: where the bytes of a name are, as far as this snapshot knows. */
export const findMedia = (snapshot: PresentationSnapshot, track: TrackSnapshot, name: MediaName): Found => {
  const closed = name.kind === 'init' ? null : segmentByMsn(track, name.msn);
  const epoch = name.kind === 'init' ? name.epoch : (closed ?? openAt(track, name.msn))?.epoch;
  if (name.run !== (epoch === undefined ? snapshot.run : runOf(snapshot, epoch))) return refused(problems.otherRun);
  const type = typeOf(track);
  if (name.kind === 'init') {
    // One object has one name, which says the key where it is under one.
    const keyed = snapshot.policy.protection === 'cbcs' && isProtected(track);
    if (keyed !== (name.slot !== null)) return refused(problems.unknown);
    const config = track.epochs.find((known) => known.epoch === name.epoch);
    return config && config.init.length > 0 ? { kind: 'bytes', type, bytes: config.init } : refused(problems.unknown);
  }
  // What has been trimmed away is not there for whoever remembers its name, either.
  if (closed && !isWithin(snapshot.cut, track, closed)) return refused(problems.trimmed);
  switch (name.kind) {
    case 'segment':
      return closed ? wholeSegment(type, closed) : openSegment(snapshot, track, type, name.msn);
    case 'part':
      return partOf(snapshot, track, closed, name);
    case 'key':
      return closed && track.kind === 'video' ? firstPicture(type, closed) : refused(problems.unknown);
    case 'captions':
      return closed && track.kind === 'text' ? webVtt(track, closed) : refused(problems.unknown);
  }
};

const refused = (problem: Problem): Found => ({ kind: 'problem', problem });

/** Text has no pictures and no sound: its fragments are files of an application. */
const typeOf = ({ kind }: TrackSnapshot): string => (kind === 'text' ? 'application/mp4' : `${kind}/mp4`);

const openAt = ({ open }: TrackSnapshot, msn: number): OpenSegment | null => (open && open.count > 0 && open.msn === msn ? open : null);

const partOf = (snapshot: PresentationSnapshot, track: TrackSnapshot, closed: SegmentRef | null, name: { readonly msn: number; readonly part: number }): Found => {
  const type = typeOf(track);
  const eager = isAtEdge(snapshot, track, name.msn);
  if (closed) {
    const part = closed.parts[name.part];
    return part ? onePart(type, part, eager) : refused(problems.unknown);
  }
  if (name.msn !== nextMsn(track) || snapshot.state === 'ended') return refused(problems.notYet);
  const part = name.part < nextPart(track) ? track.open?.parts[name.part] : undefined;
  if (part) return onePart(type, part, eager);
  return name.part === nextPart(track) && track.partTarget !== null ? { kind: 'soon' } : refused(problems.notYet);
};

/** What lies here is asked for by many in the next moment. */
export const isAtEdge = ({ state }: PresentationSnapshot, track: TrackSnapshot, msn: number): boolean =>
  state === 'live' && msn + tailSegments >= nextMsn(track);

const onePart = (type: string, part: PartRef, eager: boolean): Found =>
  part.gap || part.size === 0 ? refused(problems.gap) : { kind: 'log', type, from: part.seq, to: part.seq + 1, eager };

const wholeSegment = (type: string, { parts, gap, size }: SegmentRef): Found => {
  const first = parts[0];
  const last = parts.at(-1);
  if (!first || !last || gap || size === 0) return refused(problems.gap);
  return { kind: 'log', type, from: first.seq, to: last.seq + 1, eager: false };
};

const webVtt = (track: TrackSnapshot, segment: SegmentRef): Found => {
  const found = wholeSegment('text/vtt; charset=utf-8', segment);
  const config = epochOfTrack(track, segment.epoch);
  return found.kind === 'log' && config ? { ...found, made: (fragment) => webVttSegment(config.init, fragment) } : found;
};

const firstPicture = (type: string, segment: SegmentRef): Found => {
  const [first] = segment.parts;
  if (!first || !hasKeyPicture(segment)) return refused(problems.gap);
  return { kind: 'log', type, from: first.seq, to: first.seq + 1, eager: false, made: (fragment) => keyPicture(fragment, segment.duration) };
};

const openSegment = (snapshot: PresentationSnapshot, { id }: TrackSnapshot, type: string, msn: number): Found => {
  const { kind } = progress(snapshot, id, msn);
  if (kind === 'soon') return { kind };
  return kind === 'open' ? { kind, type, msn } : refused(problems.unknown);
};
