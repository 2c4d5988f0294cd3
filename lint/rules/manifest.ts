/** What a manifest must be by itself, and from one to the next (ISO/IEC 23009-1, 5.3 and 5.4). */
import { fault, type Fault } from '../finding.ts';
import type { Mpd, Period, Representation } from '../read/mpd.ts';

/** Seconds: a frame of sound, and what rounds. */
const slack = 0.1;

export function* mpdAlone(mpd: Mpd): Generator<Fault> {
  yield* mpd.faults;
  for (const name of ['profiles', 'minBufferTime']) if (!mpd.attributes.has(name)) yield fault('dash/required', `no @${name}`);
  if (mpd.type === 'dynamic') {
    for (const name of ['availabilityStartTime', 'publishTime']) if (!mpd.attributes.has(name)) yield fault('dash/required', `no @${name}, and it is dynamic`);
    if (mpd.clocks.length === 0) yield fault('dash/clock-missing', 'there is no UTCTiming');
  } else {
    if (mpd.mediaPresentationDuration === null && mpd.periods.at(-1)?.duration == null) yield fault('dash/static', 'no mediaPresentationDuration');
    const wrong = ['minimumUpdatePeriod', 'timeShiftBufferDepth'].filter((name) => mpd.attributes.has(name));
    if (wrong.length > 0) yield fault('dash/static', `it is static, and has ${wrong.join(' and ')}`);
  }
  if (mpd.periods.length === 0) yield fault('dash/required', 'there is no Period');
  yield* periods(mpd);
  const { target = null, min = null, max = null } = mpd.latency ?? {};
  if ((min !== null && target !== null && min > target) || (target !== null && max !== null && target > max)) yield fault('dash/latency', `min ${min}, target ${target}, max ${max}`);
}

function* periods(mpd: Mpd): Generator<Fault> {
  const seen = new Set<string>();
  for (const [index, period] of mpd.periods.entries()) {
    const { id, start, duration } = period;
    const next = mpd.periods[index + 1];
    if (mpd.type === 'dynamic' && id === null) yield fault('dash/period', `Period ${index} has no id`);
    if (id !== null && seen.has(id)) yield fault('dash/period', `two Periods have the id ${id.slice(0, 40)}`);
    if (id !== null) seen.add(id);
    if (start === null) {
      yield fault('dash/period', `nobody can tell when Period ${id ?? index} starts`);
      continue;
    }
    const end = duration === null ? null : start + duration;
    const limit = next?.start ?? null;
    if (limit !== null && (limit <= start || (end !== null && end > limit + 1e-3))) yield fault('dash/overlap', `Period ${id ?? index} is from ${start} to ${end ?? '?'}, and the next one starts at ${limit}`);
    if (period.representations.length === 0) yield fault('dash/required', `Period ${id ?? index} has nothing with a SegmentTimeline`);
    const length = limit === null ? end === null ? null : end - start : limit - start;
    for (const one of period.representations) yield* inside(one, length);
  }
}

function* inside({ key, segments, presentationTimeOffset, timescale }: Representation, length: number | null): Generator<Fault> {
  const [first] = segments;
  const last = segments.at(-1);
  if (!first || !last) return;
  const from = (first.time - presentationTimeOffset) / timescale;
  const to = (last.time + last.duration - presentationTimeOffset) / timescale;
  if (from < -slack) yield fault('dash/outside', `${key} begins ${(-from).toFixed(3)} s ahead of its Period`);
  // The segment that is being written may be said to be a little longer than it will be.
  else if (length !== null && to > length + slack) yield fault('dash/outside', `${key} goes on ${(to - length).toFixed(3)} s beyond its Period`);
}

export function* mpdNext(before: Mpd, now: Mpd): Generator<Fault> {
  if (before.type === 'static' && now.type === 'dynamic') yield fault('dash/type-back', 'it was static, and is dynamic');
  if (now.type === 'dynamic' && before.availabilityStartTime !== null && now.availabilityStartTime !== before.availabilityStartTime) {
    yield fault('dash/start-changed', `it was ${told(before.availabilityStartTime)} and is ${told(now.availabilityStartTime)}`);
  }
  if (before.publishTime !== null && now.publishTime !== null && now.publishTime < before.publishTime) yield fault('dash/publish-time', `it was ${told(before.publishTime)} and is ${told(now.publishTime)}`);
  const byId = new Map(now.periods.map((period) => [period.id, period]));
  const kept = before.periods.findIndex(({ id }) => byId.has(id));
  const vanished = before.periods.find(({ id }, index) => !byId.has(id) && kept >= 0 && index > kept);
  if (vanished) yield fault('dash/period-vanished', `Period ${vanished.id} is gone, and one ahead of it is there`);
  const here = addressesOf(now);
  for (const was of before.periods) {
    const is = byId.get(was.id);
    if (!is || was.id === null) continue;
    if (was.start !== is.start) yield fault('dash/period-moved', `Period ${was.id} started at ${was.start} and starts at ${is.start}`);
    yield* periodNext(was, is, here);
  }
}

/** What is listed, in whichever Period: by its address, with its time in the media. */
const addressesOf = ({ periods }: Mpd): ReadonlySet<string> => new Set(periods.flatMap(({ representations }) => representations.flatMap((one) => one.segments.map((segment) => addressOf(one, segment)))));

const addressOf = ({ key, media }: Representation, { number, time }: Representation['segments'][number]): string => `${key} ${media} ${number} ${time}`;

const told = (ms: number | null): string => (ms === null ? 'not there' : new Date(ms).toISOString());

function* periodNext(before: Period, now: Period, here: ReadonlySet<string>): Generator<Fault> {
  const byKey = new Map(now.representations.map((one) => [one.key, one]));
  for (const was of before.representations) {
    const is = byKey.get(was.key);
    if (is) yield* representationNext(before.id ?? '', was, is, here);
    else yield fault('dash/timeline-back', `${was.key} is gone from Period ${before.id}`);
  }
}

function* representationNext(period: string, was: Representation, is: Representation, here: ReadonlySet<string>): Generator<Fault> {
  const name = `${was.key} of Period ${period}`;
  for (const field of ['media', 'initialization', 'timescale', 'presentationTimeOffset'] as const) {
    if (was[field] !== is[field]) return yield fault('dash/template-changed', `${field} of ${name} was ${was[field]} and is ${is[field]}`);
  }
  const numbers = new Map(is.segments.map((one) => [one.number, one]));
  const times = new Map(is.segments.map((one) => [one.time, one]));
  const [first] = is.segments;
  const last = is.segments.at(-1);
  const newest = was.segments.at(-1);
  const inProgress = was.availabilityTimeComplete ? null : newest;
  // A Period may turn out to be shorter (5.3.2.1, early termination): what it loses is that of the next one, and the same.
  const lost = was.segments.filter((one) => last && one.time > last.time && one !== inProgress && !here.has(addressOf(was, one)));
  if (last && newest && lost.length > 0) {
    yield fault('dash/timeline-back', `${name} went up to ${newest.time} and goes up to ${last.time}`);
  }
  for (const one of was.segments) {
    if (!first || one.time < first.time) continue;
    const same = times.get(one.time);
    if (same && same.number !== one.number) return yield fault('dash/number-changed', `${name}: what begins at ${one.time} was number ${one.number} and is ${same.number}`);
    const other = same ?? numbers.get(one.number);
    if (!other || one === inProgress) continue;
    if (other.time !== one.time || other.duration !== one.duration) {
      return yield fault('dash/timeline-changed', `${name}: number ${one.number} was at ${one.time} for ${one.duration} and is at ${other.time} for ${other.duration}`);
    }
  }
}
