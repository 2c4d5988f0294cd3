/**
 * One segment of captions as samples of a `wvtt` track (ISO 14496-30, 7): time is cut wherever a cue begins or ends, and
 * each sample holds what is to be read then; nothing is a `vtte`, so that there is never a hole.
 *
 *     cues      |--- a ---|                 |---- c ----------→ into the next segment
 *                    |------ b ------|
 *     samples   | a  | ab |    b     | vtte |  c             |
 *
 * A cue that is cut apart has the same `vsid` in all its samples. Where it goes beyond the segment its whole time lies
 * beside it in a box of ours, so that WebVTT can be made of the segment alone and says the same in both.
 */
import { fragment, type Sample } from '../cmaf/fragment.ts';
import { box, encode, u32, u64, type Box } from '../cmaf/box.ts';
import { MICROS, rescale } from '../media/wire-time.ts';
import { TEXT_TIMESCALE, type Cue } from './cue.ts';

/** Under this name lie start and end of a cue, in ticks of media time. */
export const wholeTimes = Buffer.from('6d6c722d7761746368206375652d7469', 'hex');

/** `source` tells the cues of a track apart. */
export type SourcedCue = { readonly cue: Cue; readonly source: number };

export const ticksOf = (micros: number): number => rescale(micros, MICROS, TEXT_TIMESCALE);

/** Nobody reads more in a segment, nor at a time: what is beyond is left out, or a file of 2 MB would become gigabytes. */
const mostInSegment = 200;
const mostAtOnce = 16;

/** Ticks; `from` < `to`. Cues that are elsewhere are no matter. */
export const captionSamples = (cues: readonly SourcedCue[], from: number, to: number): Sample[] => {
  const inside = cues
    .map(({ cue, source }) => ({ cue, source, start: ticksOf(cue.startMicros), end: ticksOf(cue.endMicros) }))
    .filter(({ start, end }) => start < to && end > from && end > start)
    .slice(0, mostInSegment);
  const borders = new Set([from, to]);
  for (const { start, end } of inside) for (const tick of [start, end]) if (tick > from && tick < to) borders.add(tick);
  const times = [...borders].sort((a, b) => a - b);
  return times.slice(1).map((end, index) => {
    const start = times[index] ?? from;
    const shown = inside.filter((one) => one.start < end && one.end > start).slice(0, mostAtOnce);
    const data = encode(...(shown.length > 0 ? shown.map((one) => cueBox(one, from, to)) : [box('vtte', [])]));
    return { duration: end - start, size: data.length, key: true, compositionOffset: 0, data };
  });
};

type Placed = SourcedCue & { readonly start: number; readonly end: number };

const text = (type: string, value: string): Box => box(type, [Buffer.from(value)]);

const cueBox = ({ cue, source, start, end }: Placed, from: number, to: number): Box =>
  box('vttc', [
    box('vsid', [u32(source)]),
    ...(cue.id === undefined ? [] : [text('iden', cue.id)]),
    ...(cue.settings === undefined ? [] : [text('sttg', cue.settings)]),
    text('payl', cue.text),
    ...(start < from || end > to ? [box('uuid', [wholeTimes, u64(start), u64(end)])] : []),
  ]);

/** What `vttC` says: the head of every WebVTT file that is made of the track. */
export const configOf = (blocks: readonly string[]): Buffer => Buffer.from(['WEBVTT', ...blocks].join('\n\n'));

/** The fragment that is a whole segment. */
export const captionFragment = (sequence: number, cues: readonly SourcedCue[], from: number, to: number): Buffer[] =>
  fragment({ sequence, baseDecodeTime: from, kind: 'text', samples: captionSamples(cues, from, to) });
