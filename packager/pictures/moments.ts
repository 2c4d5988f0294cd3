/**
 * Moments of a video that can be shown as pictures without decoding what lies between them: its key pictures, on the clock of
 * playback, which begins with what is shown first and knows no holes between epochs. Pure: all of it stands in the index of a log.
 */
import type { LogSnapshot } from '../log/types.ts';

export type KeyMoment = {
  /** The fragment that begins with it. */
  readonly seq: number;
  readonly epoch: number;
  /** µs from where playback begins. */
  readonly at: number;
};

export type Moments = {
  readonly keys: readonly KeyMoment[];
  /** µs of all that is shown. */
  readonly length: number;
};

/** What of a video is shown, ms of its media; null: from its beginning, to its end. */
export type Span = { readonly inMs: number | null; readonly outMs: number | null };

type Segment = { readonly entries: readonly number[]; readonly start: number; readonly end: number };

const micros = (ticks: number, timescale: number): number => Math.round((ticks * 1e6) / timescale);

export const momentsOf = (log: Pick<LogSnapshot, 'first' | 'end' | 'entry' | 'epochs'>, { inMs, outMs }: Span): Moments => {
  const timescales = new Map(log.epochs.map(({ epoch, timescale }) => [epoch, timescale]));
  const keys: KeyMoment[] = [];
  let length = 0;
  for (const segment of segmentsOf(log, timescales)) {
    // Segments are listed whole: whatever touches what is shown is shown.
    if ((inMs !== null && segment.end <= inMs * 1000) || (outMs !== null && segment.start >= outMs * 1000)) continue;
    let at = length;
    for (const seq of segment.entries) {
      const { epoch, duration, key, gap, size } = log.entry(seq);
      if (key && !gap && size > 0) keys.push({ seq, epoch, at });
      at += micros(duration, timescales.get(epoch) ?? 1);
    }
    length = at;
  }
  return { keys, length };
};

const segmentsOf = function* ({ first, end, entry }: Pick<LogSnapshot, 'first' | 'end' | 'entry'>, timescales: ReadonlyMap<number, number>): Generator<Segment> {
  let open: { entries: number[]; start: number; end: number; epoch: number } | null = null;
  for (let seq = first; seq < end; seq += 1) {
    const { epoch, segmentStart, dts, duration } = entry(seq);
    const timescale = timescales.get(epoch) ?? 1;
    const [from, to] = [micros(dts, timescale), micros(dts + duration, timescale)];
    if (open && open.epoch === epoch && !segmentStart) {
      open.entries.push(seq);
      open.end = to;
    } else {
      if (open) yield open;
      open = { entries: [seq], start: from, end: to, epoch };
    }
  }
  if (open) yield open;
};
