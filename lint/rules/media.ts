/** Rules of the media itself: fragments against what the playlist says of them, captions, transport streams. */
import { fault, type Fault } from '../finding.ts';
import { readFragments, spanOf, type Fragment } from '../read/fragments.ts';
import { readInit, type Init } from '../read/init.ts';
import { between, readTransport, type Counters, type Transport } from '../read/transport.ts';
import { readCaptions } from '../read/webvtt.ts';

export type Piece = {
  readonly name: string;
  /** Seconds that were announced. */
  readonly duration: number;
  /** It is said that decoding can begin here. */
  readonly independent: boolean;
  /** Tick at which it must begin; null: nothing is known of what came before. */
  readonly start: number | null;
};

export type JudgedPiece = { readonly faults: Fault[]; readonly start: number | null; readonly end: number | null; readonly fragments: readonly Fragment[] };

/** Playlists say microseconds, some milliseconds. */
const rounding = 0.0015;

export const judgePiece = (bytes: Buffer, init: Init | null, piece: Piece): JudgedPiece => {
  const { fragments, faults: found } = readFragments(bytes, init);
  const faults = [...found];
  const span = spanOf(fragments);
  // What cannot be read has no times to be judged by.
  if (!span || !init || found.some(({ rule }) => rule === 'cmaf/boxes' || rule === 'cmaf/one-run')) return { faults, start: null, end: null, fragments };
  const [first] = fragments;
  const seconds = span.duration / init.timescale;
  if (Math.abs(seconds - piece.duration) > rounding) faults.push(fault('cmaf/duration', `${piece.name} has samples of ${seconds.toFixed(6)} s, and is said to last ${piece.duration}`));
  if (piece.start !== null && span.start !== piece.start) faults.push(fault('cmaf/decode-time', `${piece.name} begins at ${span.start}, and what came before ended at ${piece.start}`));
  let end = span.start;
  for (const one of fragments) {
    if (one.decodeTime !== end) faults.push(fault('cmaf/decode-time', `a fragment of ${piece.name} begins at ${one.decodeTime}, and the one before it ended at ${end}`));
    end = one.decodeTime + one.duration;
  }
  if (piece.independent && first && !first.startsWithSync) faults.push(fault('cmaf/sync', `${piece.name} is independent, and does not begin with a sync sample`));
  else if (piece.independent && first && first.firstOffset !== init.mediaStart) {
    faults.push(fault('cmaf/first-time', `${piece.name} begins with a key frame that is shown ${first.firstOffset - init.mediaStart} ticks after its decode time`));
  }
  return { faults, start: span.start, end, fragments };
};

/** One sync sample, alone (HLS 4.4.3.6). EXTINF is how long it is shown, which its samples need not say. */
export const judgeKeyPicture = (bytes: Buffer, init: Init | null, name: string): Fault[] => {
  const { fragments, faults: found } = readFragments(bytes, init);
  const faults = [...found];
  const samples = fragments.reduce((sum, one) => sum + one.samples, 0);
  if (fragments.length > 0 && (samples !== 1 || !fragments[0]?.startsWithSync)) {
    faults.push(fault('iframes/one-picture', `${name} has ${samples} samples, and begins with ${fragments[0]?.startsWithSync ? 'a' : 'no'} sync sample`));
  }
  return faults;
};

export const judgeInit = (bytes: Buffer, name: string): { readonly init: Init | null; readonly faults: Fault[] } => {
  const { init, complaint, says } = readInit(bytes);
  return { init, faults: complaint ? [fault(complaint === 'tracks' ? 'cmaf/one-track' : 'cmaf/init', `${name}: ${says}`)] : [] };
};

const turnSeconds = 2 ** 33 / 90_000;
/** Dates are slewed, and cues come when they are spoken. */
const cueSlack = 0.5;

/** `span`: seconds of media time; null: not known. */
export const judgeCaptions = (text: string, name: string, span: { readonly from: number; readonly to: number } | null): Fault[] => {
  const { header, map, cues, complaint } = readCaptions(text);
  const faults: Fault[] = [];
  if (!header) faults.push(fault('subs/header', `${name} begins with "${text.slice(0, 20)}"`));
  if (complaint !== null) faults.push(fault('subs/cue', `${name}: ${complaint}`));
  if (header && !map && complaint === null) faults.push(fault('subs/timestamp-map', `${name} has no X-TIMESTAMP-MAP`));
  if (!map || !span) return faults;
  const outside = cues.find(({ from, to }) => {
    const raw = map.ticks / 90_000 + from - map.local - span.from;
    const begin = raw - turnSeconds * Math.round(raw / turnSeconds);
    return begin > span.to - span.from + cueSlack || begin + (to - from) < -cueSlack;
  });
  if (outside) faults.push(fault('subs/outside', `a cue of ${name} at ${outside.from} s lies outside of its segment`));
  return faults;
};

/** A picture that freezes, s. */
const longestStanding = 0.5;

export type TransportBefore = { readonly counters: Counters; readonly last: ReadonlyMap<number, number> };

export const judgeTransport = (bytes: Buffer, piece: Piece, before: TransportBefore | null): { readonly transport: Transport; readonly faults: Fault[]; readonly counters: Counters } => {
  const counters: Counters = new Map(before?.counters);
  const transport = readTransport(bytes, counters);
  const faults = [...transport.faults];
  if (faults.some(({ rule }) => rule === 'ts/packets' || rule === 'ts/tables')) return { transport, faults, counters };
  if (piece.independent && transport.startsWithKey === false) faults.push(fault('ts/key', `${piece.name} does not begin with a key frame`));
  const [lead] = transport.streams;
  if (!lead) faults.push(fault('ts/tables', `no stream in ${piece.name} has media`));
  else {
    const span = lead.span / 90_000;
    // Half a frame of sound more or less; and how long its last picture stands is told by the one behind it alone.
    const slack = 0.1 + 0.01 * piece.duration;
    if (piece.duration < span - slack || piece.duration > span + Math.max(lead.step / 90_000, longestStanding) + slack) {
      faults.push(fault('ts/duration', `${piece.name} has media from its beginning to ${span.toFixed(3)} s, and is said to last ${piece.duration}`));
    }
  }
  for (const { pid, firstDts } of transport.streams) {
    const last = before?.last.get(pid);
    if (last !== undefined && between(last, firstDts) <= 0) {
      faults.push(fault('ts/times', `${pid} of ${piece.name} begins at ${firstDts}, and what came before was at ${last}`));
      break;
    }
  }
  return { transport, faults, counters };
};
