/**
 * The manifest (ISO/IEC 23009-1, the isoff-live profile): a pure function of the snapshot. No clock, no I/O.
 *
 * Live, the timeline is the wall clock: availabilityStartTime is that of the run's first epoch, and each Period starts
 * at its own. A recording has no use for the holes between its epochs: there Periods follow each other.
 * The segments are those of HLS, by the same names.
 */
import { allowedHeight } from '../hls/multivariant.ts';
import { epochOfTrack, listed, runOf } from '../hls/window.ts';
import { initName } from '../names.ts';
import { initSlotOf } from '../protect/keys.ts';
import { ratesOf } from '../rates.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { lowLatency, playbackRate, type LowLatency } from './low-latency.ts';
import { timeAddress } from './names.ts';
import { accessibility, inbandEvents } from './metadata.ts';
import { contentProtection, protectionNames, type ManifestProtection } from './protection.ts';
import { spans, type Span } from './spans.ts';
import { listing, type Listing } from './timeline.ts';
import { block, dateTime, duration, element, escapeXml, trimmed } from './xml.ts';

export type ManifestRequest = {
  /** Put before every address: a channel's manifest lists what lies under the video. */
  readonly base?: string;
  /** Where the manifest is to be read from the next time; the channel's own says no more when the show has ended. */
  readonly location?: string;
  /** Pictures higher than this are not for this viewer. */
  readonly maxHeight?: number | null;
  /**
   * The show ended while this server was showing it: whoever watches keeps the timeline that he has, holes and all,
   * instead of that of a recording.
   */
  readonly wasLive?: boolean;
  /** Where our clock is, when the manifest does not lie right below the video. */
  readonly time?: string;
  /** Absent: the media is clear. */
  readonly protection?: ManifestProtection | null;
};

type Row = { readonly track: TrackSnapshot; readonly listing: Listing };
type Period = { readonly span: Span; readonly rows: readonly Row[]; readonly startMicros: number; readonly mediaMicros: number; readonly endMicros: number };

/** Null: there is nothing to play yet. */
export const manifest = (snapshot: PresentationSnapshot, ask: ManifestRequest = {}): string | null => {
  const tracks = snapshot.tracks.filter((track) => allowedHeight(track, ask.maxHeight ?? null));
  const ended = tracks.every((track) => listed(snapshot, track).ended);
  const onWallClock = !ended || ask.wasLive === true;
  const spread = spans(snapshot, ask.protection?.sealed.ring.segmentsPerKey);
  const periods = onWallClock ? livePeriods(snapshot, tracks, spread) : contiguousPeriods(snapshot, tracks, spread);
  const last = periods.at(-1);
  if (!last) return null;
  const low = ended ? null : lowLatency(snapshot);

  let children = ask.base === undefined || ask.base === '' ? '' : element('BaseURL', {}, escapeXml(ask.base));
  if (ask.location !== undefined) children += element('Location', {}, escapeXml(ask.location));
  if (low) children += serviceDescription(low);
  for (const [index, period] of periods.entries()) children += periodXml({ snapshot, ended, low, protection: ask.protection ?? null }, period, periods[index + 1]);
  if (!ended) children += element('UTCTiming', { schemeIdUri: 'urn:mpeg:dash:utc:http-iso:2014', value: ask.time ?? timeAddress });

  const seconds = snapshot.policy.targetDuration;
  const longest = Math.max(...periods.flatMap(({ rows }) => rows.map((row) => (row.listing.longest / row.track.timescale) * 1e6)));
  const attributes = {
    xmlns: 'urn:mpeg:dash:schema:mpd:2011',
    ...(ask.protection && protectionNames),
    profiles: low ? `${liveProfile},${lowLatencyProfile}` : liveProfile,
    ...(ended ? { type: 'static', mediaPresentationDuration: duration(last.endMicros) } : dynamic(snapshot, periods, last, low)),
    minBufferTime: duration((low ? (snapshot.policy.partHoldBack ?? seconds) : seconds) * 1e6),
    maxSegmentDuration: duration(Math.max(longest, seconds * 1e6)),
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${block('MPD', attributes, children)}`;
};

const liveProfile = 'urn:mpeg:dash:profile:isoff-live:2011';
const lowLatencyProfile = 'http://www.dashif.org/guidelines/low-latency-live-v5';

const dynamic = (snapshot: PresentationSnapshot, periods: readonly Period[], last: Period, low: LowLatency | null): Record<string, string> => {
  const { targetDuration } = snapshot.policy;
  const begin = startOfClock(snapshot);
  const [first] = periods;
  // What is told is what is there: it must not promise what has left the list.
  const head = first ? first.startMicros + Math.max(0, headMicros(first) - first.mediaMicros) : 0;
  const depth = Math.max(Math.floor((last.endMicros - head) / 1e6), 3 * targetDuration);
  return {
    type: 'dynamic',
    availabilityStartTime: dateTime(begin),
    // There is no clock here: the manifest is as new as what it lists.
    publishTime: dateTime(begin + last.endMicros / 1000),
    minimumUpdatePeriod: duration((low?.updateSeconds ?? Math.max(1, targetDuration / 2)) * 1e6),
    timeShiftBufferDepth: duration(depth * 1e6),
    suggestedPresentationDelay: duration((low?.delaySeconds ?? 3 * targetDuration) * 1e6),
  };
};

const startOfClock = (snapshot: PresentationSnapshot): number => snapshot.epochs[0]?.wallClock ?? 0;

/** Periods as they were while live: neither where one starts nor where its media time does ever changes. */
const livePeriods = (snapshot: PresentationSnapshot, tracks: readonly TrackSnapshot[], spread: readonly Span[]): Period[] => {
  const begin = startOfClock(snapshot);
  const periods: Period[] = [];
  for (const span of spread) {
    const startMicros = Math.round((span.wallClock - begin) * 1000);
    const rows = rowsOf(snapshot, tracks, span);
    if (rows.length === 0) continue;
    // Players take the tracks of a Period for all that it will ever have.
    if (span === spread.at(-1) && rows.filter(({ track }) => track.kind !== 'text').length < expectedRows(tracks, span)) continue;
    periods.push(period(span, rows, startMicros, span.startMicros));
  }
  return periods;
};

/** A recording starts at zero, wherever its list does. */
const contiguousPeriods = (snapshot: PresentationSnapshot, tracks: readonly TrackSnapshot[], spread: readonly Span[]): Period[] => {
  const periods: Period[] = [];
  for (const span of spread) {
    const rows = rowsOf(snapshot, tracks, span);
    if (rows.length === 0) continue;
    const before = periods.at(-1);
    const head = Math.min(...rows.map(startMicrosOf));
    // The end of what was before is the start of what follows, to the microsecond, where nothing lies between.
    const joined = before?.span.to === span.from;
    const media = joined ? span.startMicros : head;
    const start = before ? (joined ? before.startMicros + span.startMicros - before.mediaMicros : before.endMicros) : 0;
    periods.push(period(span, rows, start, media));
  }
  return periods;
};

const period = (span: Span, rows: readonly Row[], startMicros: number, mediaMicros: number): Period => {
  const end = Math.max(...rows.map(({ track, listing }) => Math.round((listing.end / track.timescale) * 1e6)));
  return { span, rows, startMicros, mediaMicros, endMicros: startMicros + end - mediaMicros };
};

const headMicros = ({ rows }: Period): number => Math.max(...rows.map(startMicrosOf));

const startMicrosOf = ({ track, listing }: Row): number => Math.floor((listing.start / track.timescale) * 1e6);

const rowsOf = (snapshot: PresentationSnapshot, tracks: readonly TrackSnapshot[], span: Span): Row[] =>
  tracks.flatMap((track) => {
    const found = listing(snapshot, track, span);
    return found ? [{ track, listing: found }] : [];
  });

/** All tracks but those that are known to have nothing here, and captions: picture and sound do not wait for them. */
const expectedRows = (tracks: readonly TrackSnapshot[], span: Span): number =>
  tracks.filter((track) => {
    if (track.kind === 'text') return false;
    const segment = track.segments[span.from - (track.segments[0]?.msn ?? 0)];
    return !(segment && (segment.gap || segment.size === 0));
  }).length;

/** What all of a manifest is written of. */
type Sheet = { readonly snapshot: PresentationSnapshot; readonly ended: boolean; readonly low: LowLatency | null; readonly protection: ManifestProtection | null };

const periodXml = (sheet: Sheet, one: Period, next: Period | undefined): string => {
  const { span, startMicros, endMicros, rows } = one;
  const attributes = {
    id: span.id,
    start: duration(startMicros),
    // Between two Periods of a live show may lie an outage, which belongs to neither. Once the length of all is told,
    // dash.js would take the sum of these for it where that is less, and never come to the end.
    duration: next && !sheet.ended ? duration(Math.min(endMicros, next.startMicros) - startMicros) : undefined,
  };
  let sets = '';
  for (const kind of ['video', 'audio', 'text'] as const) {
    const ofKind = rows.filter(({ track }) => track.kind === kind);
    for (const [index, group] of [...new Set(ofKind.map(setOf))].entries()) {
      sets += adaptationSet(sheet, one, ofKind.filter(({ track }) => setOf({ track }) === group), index === 0);
    }
  }
  return block('Period', attributes, sets);
};

/** Rungs of one picture share a set; of sound, only what is the same in every respect but its rate may be switched. */
const setOf = ({ track }: { readonly track: TrackSnapshot }): string => `${track.group}\n${track.language ?? ''}\n${track.name ?? ''}`;

const adaptationSet = (sheet: Sheet, one: Period, rows: readonly Row[], main: boolean): string => {
  const { snapshot, protection } = sheet;
  const [first] = rows;
  if (!first) return '';
  const { kind, language, name } = first.track;
  const attributes = {
    id: String(snapshot.tracks.indexOf(first.track)),
    contentType: kind,
    mimeType: kind === 'text' ? 'application/mp4' : `${kind}/mp4`,
    lang: language,
    segmentAlignment: 'true',
    startWithSAP: snapshot.policy.independentSegments || kind !== 'video' ? 1 : undefined,
  };
  // In the order of the schema (5.3.7.3, 5.3.3.3).
  let children = protection ? contentProtection(protection, first.track, one.span.from) : '';
  children += inbandEvents(snapshot, first.track);
  if (name !== undefined) children += element('Label', {}, escapeXml(name));
  children += accessibility(snapshot, first.track);
  const role = kind === 'audio' ? (main ? 'main' : 'alternate') : kind === 'text' ? 'subtitle' : null;
  if (role !== null) children += element('Role', { schemeIdUri: 'urn:mpeg:dash:role:2011', value: role });
  for (const row of rows) children += representation(sheet, one, row);
  return block('AdaptationSet', attributes, children);
};

const representation = ({ snapshot, low, protection }: Sheet, one: Period, { track, listing }: Row): string => {
  const config = epochOfTrack(track, one.span.epoch);
  const video = track.kind === 'video';
  // Captions have no parts: each segment is there when it is complete.
  const early = track.kind === 'text' ? null : low;
  const attributes = {
    id: track.id,
    bandwidth: Math.ceil(ratesOf(snapshot, track).peak),
    codecs: config?.codecString,
    width: config?.width,
    height: config?.height,
    frameRate: config?.frameRate === undefined ? undefined : frameRate(config.frameRate),
    sar: video ? '1:1' : undefined,
    // The time scale of sound is its sample rate.
    audioSamplingRate: track.kind === 'audio' ? track.timescale : undefined,
  };
  const channels =
    video || config?.channels === undefined
      ? ''
      : element('AudioChannelConfiguration', {
          schemeIdUri: 'urn:mpeg:dash:23003:3:audio_channel_configuration:2011',
          value: config.channels,
        });
  const offset = Math.round((one.mediaMicros * track.timescale) / 1e6);
  const inited = config?.epoch ?? one.span.epoch;
  const template = {
    timescale: track.timescale,
    presentationTimeOffset: offset === 0 ? undefined : offset,
    availabilityTimeOffset: early ? trimmed(early.availabilityOffset) : undefined,
    availabilityTimeComplete: early ? 'false' : undefined,
    initialization: `${track.id}/${initName(runOf(snapshot, inited), inited, initSlotOf(protection?.sealed ?? null, track, one.span.from))}`,
    media: `${track.id}/${runOf(snapshot, one.span.epoch)}-$Number$.m4s`,
    startNumber: listing.startNumber,
  };
  const timeline = element('SegmentTimeline', {}, listing.entries);
  return block('Representation', attributes, channels + block('SegmentTemplate', template, timeline));
};

const serviceDescription = (low: LowLatency): string =>
  block(
    'ServiceDescription',
    { id: 0 },
    element('Latency', { target: low.targetMs, min: low.minMs, max: low.maxMs }) + element('PlaybackRate', { min: playbackRate.min, max: playbackRate.max }),
  );

/** A whole number or a fraction (5.3.7.2): 29.97 is 30000/1001. */
export const frameRate = (rate: number): string => {
  const whole = Math.round(rate);
  if (Math.abs(rate - whole) < 0.005) return String(whole);
  const ntsc = Math.round(rate * 1.001);
  if (Math.abs(rate * 1.001 - ntsc) < 0.005) return `${ntsc * 1000}/1001`;
  return `${Math.round(rate * 1000)}/1000`;
};
