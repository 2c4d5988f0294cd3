/** Groups of pictures, as the sample table tells them: how long, how large, and whether each stands for itself. */
import type { Steps } from '../progressive/steps.ts';
import type { MovieVideo } from './movie.ts';
import type { Reason } from './verdict.ts';
import { blocksOf } from './virtual-samples.ts';

/** 300 pictures at 29.97 a second, and 240 at 23.976, are meant to be ten seconds. */
const longestSeconds = 10;
const tolerance = 0.05;
const largestBytes = 16 << 20;

const seconds = (ticks: number, timescale: number): string => `${(ticks / timescale).toFixed(1)} s`;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export function* judgeGops({ edit, samples, timescale }: MovieVideo): Steps<Reason[]> {
  if (edit.kind === 'complex') return [{ code: 'edit-list', message: `The edit list is more than a delay and one piece: ${edit.why}.` }];
  const { from, length } = edit;
  const until = length === null ? Number.POSITIVE_INFINITY : from + length;
  /** Of the key frame that the samples now belong to; null: nothing has been shown yet. */
  let key: number | null = null;
  let bytes = 0;
  /** When the last picture that has been seen is shown, and when it has been. */
  let latest = 0;
  let end = 0;
  let [longest, largest] = [0, 0];
  let open: number | null = null;
  let inside = false;
  for (const { rows } of blocksOf(samples, 0, samples.count)) {
    yield;
    for (let i = 0; i < rows.count; i += 1) {
      const time = (rows.dts[i] ?? 0) + (rows.cts[i] ?? 0);
      const lasts = rows.duration[i] ?? 0;
      const isKey = rows.key[i] === 1;
      if (key === null && !(isKey && time + lasts > from)) {
        inside ||= time >= from;
        continue;
      }
      if (isKey) {
        if (key !== null) longest = Math.max(longest, time - key);
        if (key !== null && time <= latest) open ??= time;
        largest = Math.max(largest, bytes);
        key = time;
        bytes = 0;
      } else if (key !== null && time < key) open ??= key;
      bytes += rows.size[i] ?? 0;
      latest = Math.max(latest, time);
      end = Math.max(end, time + lasts);
    }
  }
  if (key === null || inside) return [{ code: 'begins-inside', message: 'What is shown does not begin with a key frame.' }];
  longest = Math.max(longest, Math.min(end, until) - key);
  largest = Math.max(largest, bytes);
  const reasons: Reason[] = [];
  if (open !== null) {
    reasons.push({ code: 'open-gop', message: `The groups of pictures are open: pictures on both sides of the key frame at ${seconds(open - from, timescale)} are shown across it.` });
  }
  if (longest > (longestSeconds + tolerance) * timescale) {
    reasons.push({ code: 'key-interval', message: `Key frames are up to ${seconds(longest, timescale)} apart; ${longestSeconds} s are the most.` });
  }
  if (largest > largestBytes) {
    reasons.push({ code: 'gop-size', message: `From one key frame to the next there are up to ${mebibytes(largest)}; ${mebibytes(largestBytes)} are the most.` });
  }
  return reasons;
}
