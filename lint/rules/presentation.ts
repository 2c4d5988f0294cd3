/** What the media playlists of one multivariant playlist must agree on (HLS 6.2.4). */
import { fault, type Fault } from '../finding.ts';
import { nextMsn, type MediaPlaylist } from '../read/playlist.ts';

export type Standing = {
  readonly name: string;
  /** Absolute. */
  readonly url: string;
  readonly list: MediaPlaylist;
  /** ms: when the answer that holds `list` had arrived, and when it was asked for. */
  readonly seenAt: number;
  readonly askedAt: number;
  readonly iframes: boolean;
};

export function* presentation(one: Standing, others: readonly Standing[]): Generator<Fault> {
  for (const other of others) {
    yield* sameOf(one, other);
    yield* sameDiscontinuities(one, other);
  }
  yield* reports(one, others);
}

function* sameOf(one: Standing, other: Standing): Generator<Fault> {
  const [mine, its] = [one.list, other.list];
  const names = `${one.name} and ${other.name}`;
  if (one.iframes || other.iframes) return;
  if (mine.targetDuration !== its.targetDuration) yield fault('pres/target-duration', `${names}: ${mine.targetDuration} and ${its.targetDuration}`);
  const [control, itsControl] = [mine.serverControl?.text ?? 'none', its.serverControl?.text ?? 'none'];
  if (mine.endList === its.endList && control !== itsControl) yield fault('pres/server-control', `${names}: ${control} and ${itsControl}`);
  const [dated, itsDated] = [mine, its].map(({ segments }) => segments.length === 0 || segments.some(({ date }) => date !== null));
  if (dated !== itsDated) yield fault('pres/dates', `${dated ? one.name : other.name} has dates, ${dated ? other.name : one.name} has none`);
}

/** Clocks of two tracks never agree to the millisecond: a frame of sound is 21 ms, and segments go by pictures. */
const apart = 1000;

function* sameDiscontinuities(one: Standing, other: Standing): Generator<Fault> {
  const begins = beginsOf(one.list);
  for (const [sequence, date] of beginsOf(other.list)) {
    const mine = begins.get(sequence);
    if (mine !== undefined && Math.abs(mine - date) > apart) {
      return yield fault('pres/discontinuities', `discontinuity ${sequence} is at ${new Date(mine).toISOString()} in ${one.name} and at ${new Date(date).toISOString()} in ${other.name}`);
    }
  }
}

const beginsOf = ({ segments, open }: MediaPlaylist): Map<number, number> =>
  new Map([...segments, ...(open ? [open] : [])].flatMap((one) => (one.discontinuities === 1 && one.date !== null ? [[one.discontinuitySequence, one.date]] : [])));

function* reports(one: Standing, others: readonly Standing[]): Generator<Fault> {
  if (one.list.partTarget === null || one.list.endList || one.iframes) return;
  const given = new Map(one.list.reports.map((report) => [resolved(report.uri, one.url), report]));
  for (const other of others) {
    if (other.iframes || other.list.endList || other.list.partTarget === null) continue;
    const report = given.get(plain(other.url));
    if (!report) {
      yield fault('pres/report-missing', `nothing is reported on ${other.name}`);
      continue;
    }
    const next = nextMsn(other.list);
    const last = other.list.open && other.list.open.parts.length > 0 ? next : next - 1;
    if (report.lastMsn === null || (other.list.partTarget !== null && report.lastPart === null)) yield fault('pres/report', `the report on ${other.name} lacks LAST-MSN or LAST-PART`);
    // What was there before this playlist was asked for must be known to it; a cache may have kept it for a segment.
    else if (other.seenAt <= one.askedAt && report.lastMsn < last - 1) yield fault('pres/report', `${other.name} is said to be at ${report.lastMsn}, and had ${last} before`);
    else if (one.seenAt <= other.askedAt && report.lastMsn > last) yield fault('pres/report', `${other.name} is said to be at ${report.lastMsn}, and later had ${last}`);
    else if (one.seenAt - other.seenAt < 2000 * (one.list.targetDuration ?? 2) && report.lastMsn > last + 3) yield fault('pres/report', `${other.name} is said to be at ${report.lastMsn}, and is at ${last}`);
  }
}

const plain = (url: string): string => url.split(/[?#]/, 1)[0] ?? url;

export const resolved = (uri: string, base: string): string => (URL.canParse(uri, base) ? plain(new URL(uri, base).href) : uri);
