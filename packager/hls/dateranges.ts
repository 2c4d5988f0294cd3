/**
 * EXT-X-DATERANGE (RFC 8216bis 4.4.5.1): the events that fall into what a playlist lists, or come after it. An out and
 * the in that belongs to it are two tags with one ID (4.4.5.1.1); what a tag says never changes, and all are in every
 * update, because CAN-SKIP-DATERANGES is not offered.
 */
import { CodecError } from '../media/codec-error.ts';
import { parseSplice, type SpliceSign } from '../media/scte35.ts';
import type { PresentationSnapshot, TimedEvent, TrackSnapshot } from '../snapshot.ts';
import { isoDate } from './iso-date.ts';
import { listedEnd, segmentByMsn, type Listed } from './window.ts';

/** A sender that talks without pause must not make playlists of megabytes: the newest are listed. */
const mostListed = 1000;
const mostText = 256 * 1024;
/** A larger tag is for those who read the media. */
const largestTag = 1024;
/** The same splice is announced several times ahead of it (SCTE 67): once is enough here. */
const sameMicros = 1_000_000;

type Range = { readonly from: number; readonly until: number; readonly line: string };

export const dateRanges = (snapshot: PresentationSnapshot, track: TrackSnapshot, window: Listed): string => {
  if (snapshot.events.length === 0) return '';
  const first = window.from < window.to ? track.segments[window.from] : window.open;
  const micros = (ticks: number): number => (ticks / track.timescale) * 1e6;
  const begin = first ? micros(first.start) : 0;
  // Live, what is announced for later is listed ahead of its media.
  const end = window.ended ? micros(listedEnd(track, window)) : Number.POSITIVE_INFINITY;
  const shown = rangesOf(snapshot).filter(({ from, until }) => until >= begin && from < end);
  let oldest = shown.length;
  for (let bytes = 0; oldest > 0 && shown.length - oldest < mostListed; oldest--) {
    bytes += shown[oldest - 1]?.line.length ?? 0;
    if (bytes > mostText) break;
  }
  return shown.slice(oldest).map(({ line }) => line).join('');
};

const kept = new WeakMap<readonly TimedEvent[], readonly Range[]>();

const rangesOf = (snapshot: PresentationSnapshot): readonly Range[] => {
  const known = kept.get(snapshot.events);
  if (known) return known;
  const ranges = snapshot.events.flatMap((event) => (event.scheme === 'id3' ? tagRange(snapshot, event) : []));
  const all = [...ranges, ...spliceRanges(snapshot)].sort((a, b) => a.from - b.from);
  kept.set(snapshot.events, all);
  return all;
};

type Written = { readonly date: string; readonly data: string };

/** With every new event all are put in order anew: what each says is written once. */
const writtenOf = (snapshot: PresentationSnapshot, event: TimedEvent): Written => {
  let known = written.get(event);
  if (!known) written.set(event, (known = { date: dateOf(snapshot, event), data: `0x${event.data.toString('hex').toUpperCase()}` }));
  return known;
};

const written = new WeakMap<TimedEvent, Written>();

/** The wall clock of a moment, as the segments around it have theirs. */
const dateOf = (snapshot: PresentationSnapshot, { epoch, msn, micros }: TimedEvent): string => {
  const base = snapshot.epochs.findLast((known) => known.epoch <= epoch) ?? snapshot.epochs[0];
  const lead = snapshot.tracks.find(({ kind }) => kind === 'video') ?? snapshot.tracks[0];
  const segment = lead && (segmentByMsn(lead, msn) ?? (lead.open?.msn === msn ? lead.open : null));
  return isoDate((base?.wallClock ?? 0) + (micros - (base?.startMicros ?? 0)) / 1000 + (segment?.slewMs ?? 0));
};

const lasts = (name: string, micros: number | null): string => (micros === null ? '' : `,${name}=${(micros / 1e6).toFixed(3)}`);

const tagRange = (snapshot: PresentationSnapshot, event: TimedEvent): Range[] => {
  const { id, micros, durationMicros, data } = event;
  if (data.length > largestTag) return [];
  const said = writtenOf(snapshot, event);
  const line = `#EXT-X-DATERANGE:ID="id3-${id}",CLASS="org.id3",START-DATE="${said.date}"${lasts('DURATION', durationMicros)},X-ID3=${said.data}\n`;
  return [{ from: micros, until: micros + (durationMicros ?? 0), line }];
};

type Sign = { readonly event: TimedEvent; readonly sign: SpliceSign };

const signs = new WeakMap<TimedEvent, readonly SpliceSign[]>();

/** What cannot be read (encrypted sections, too) is carried as a command that only its receiver understands. */
const signsOf = (event: TimedEvent): readonly SpliceSign[] => {
  let read = signs.get(event);
  if (!read) signs.set(event, (read = parsed(event.data)));
  return read;
};

const parsed = (data: Buffer): readonly SpliceSign[] => {
  try {
    return parseSplice(data).signs;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return [{ kind: 'cmd', eventId: null, type: null, duration: null, cancelled: false }];
  }
};

const spliceRanges = (snapshot: PresentationSnapshot): Range[] => {
  const ranges = new Map<string, Range>();
  /** The splices that are out (or announced to be), by event and type. */
  const out = new Map<string, Sign & { readonly id: string }>();
  const said = new Map<string, Sign>();
  for (const event of snapshot.events) {
    if (event.scheme !== 'scte35') continue;
    for (const [index, sign] of signsOf(event).entries()) {
      const key = `${sign.eventId} ${sign.type === null ? '' : sign.kind === 'in' ? sign.type - 1 : sign.type}`;
      if (sign.cancelled) {
        // "A canceled splice SHOULD NOT appear in the Playlist."
        for (const [named, { id, event: before, sign: earlier }] of out) {
          if (earlier.eventId !== sign.eventId || before.micros < event.micros) continue;
          ranges.delete(id);
          out.delete(named);
        }
        continue;
      }
      const before = said.get(`${sign.kind} ${key}`);
      if (sign.eventId !== null && before && Math.abs(before.event.micros - event.micros) < sameMicros) continue;
      said.set(`${sign.kind} ${key}`, { event, sign });
      const pair = sign.kind === 'in' ? out.get(key) : undefined;
      const id = pair ? pair.id : `splice-${sign.eventId === null ? 'x' : sign.eventId.toString(16)}-${event.id}${index > 0 ? `-${index}` : ''}`;
      if (sign.kind === 'out') out.set(key, { event, sign, id });
      const start = `#EXT-X-DATERANGE:ID="${id}",START-DATE="${writtenOf(snapshot, pair?.event ?? event).date}"`;
      const { data } = writtenOf(snapshot, event);
      if (pair) {
        out.delete(key);
        const from = pair.event.micros;
        const length = Math.max(0, event.micros - from);
        ranges.set(`${id} in`, { from, until: from + length, line: `${start}${lasts('DURATION', length)},SCTE35-IN=${data}\n` });
        const opened = ranges.get(id);
        if (opened) ranges.set(id, { ...opened, until: from + length });
        continue;
      }
      const planned = sign.duration === null ? event.durationMicros : (sign.duration / 90_000) * 1e6;
      const name = sign.kind === 'out' ? 'SCTE35-OUT' : sign.kind === 'in' ? 'SCTE35-IN' : 'SCTE35-CMD';
      const until = event.micros + (planned ?? 0);
      ranges.set(id, { from: event.micros, until, line: `${start}${lasts('PLANNED-DURATION', sign.kind === 'in' ? null : planned)},${name}=${data}\n` });
    }
  }
  return [...ranges.values()];
};
