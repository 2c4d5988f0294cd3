/**
 * Frames of sound lie end to end, in samples. Matroska and FLV say their times in milliseconds: taken at their word, there
 * would be a hole or an overlap of some samples at every frame. Where times are within a millisecond of where the frames
 * would lie, they lie there; where they are not, sound has a hole, and a new row of frames begins.
 */
import type { MovieAudio, SampleRows, SampleTable } from '../mp4/movie.ts';

/** What AAC frames have, and twice that with SBR. */
const lengths = [960, 1024, 1920, 2048];
const mostLookedAt = 4_096;
const rowsAtOnce = 65_536;

export const steadySound = (track: MovieAudio): MovieAudio => {
  const { samples, timescale, sampleRate } = track;
  const frame = timescale === sampleRate ? frameLength(samples) : null;
  return frame === null ? track : { ...track, samples: steady(samples, frame, (1.05 * timescale) / 1000) };
};

/** On average, without the shortest and the longest: holes and what runs backwards say nothing of it. */
const frameLength = (table: SampleTable): number | null => {
  const count = Math.min(table.count, mostLookedAt);
  if (count < 2) return null;
  const sorted = table.rows(0, count - 1).duration.toSorted();
  const usual = sorted.subarray(Math.floor(sorted.length / 4), Math.ceil((sorted.length * 3) / 4));
  const mean = usual.reduce((sum, ticks) => sum + ticks, 0) / usual.length;
  return lengths.find((length) => Math.abs(mean - length) < length * 0.02) ?? null;
};

const steady = (table: SampleTable, frame: number, tolerance: number): SampleTable => {
  const times = new Float64Array(table.count + 1);
  let from = 0;
  let start = 0;
  for (let at = 0; at < table.count; at += rowsAtOnce) {
    const { dts, count } = table.rows(at, Math.min(table.count, at + rowsAtOnce));
    for (let index = 0; index < count; index += 1) {
      const told = dts[index] ?? 0;
      const due = start + (at + index - from) * frame;
      if (at + index === 0 || Math.abs(told - due) > tolerance) {
        from = at + index;
        // Two frames at one time would be none: the one before keeps at least a sample.
        start = at + index === 0 ? told : Math.max(told, (times[at + index - 1] ?? 0) + 1);
      }
      times[at + index] = start + (at + index - from) * frame;
    }
  }
  times[table.count] = (times[table.count - 1] ?? 0) + frame;
  return {
    count: table.count,
    duration: (times[table.count] ?? 0) - (times[0] ?? 0),
    keys: table.keys,
    weight: table.weight + times.byteLength,
    rows: (first, to): SampleRows => {
      const rows = table.rows(first, to);
      const duration = Uint32Array.from(rows.duration, (_, index) => (times[first + index + 1] ?? 0) - (times[first + index] ?? 0));
      return { ...rows, dts: times.slice(first, to), duration };
    },
  };
};
