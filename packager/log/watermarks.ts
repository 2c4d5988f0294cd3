/**
 * How full the disk may become. Each level is entered at its own mark and left a little below it, so that a
 * disk at the mark does not make the server change its mind every second.
 */

/** warn: tell the operator · refuse: no uploads, no new recordings (live goes on in memory) · stop: running recordings stop too. */
export type DiskLevel = 'ok' | 'warn' | 'refuse' | 'stop';

export type Watermarks = {
  /** Used shares of the disk, 0 to 1, rising. */
  readonly warn: number;
  readonly refuse: number;
  readonly stop: number;
  /** A level is left this far below its mark. */
  readonly hysteresis: number;
};

export const defaultWatermarks: Watermarks = { warn: 0.85, refuse: 0.92, stop: 0.97, hysteresis: 0.02 };

const levels: readonly DiskLevel[] = ['ok', 'warn', 'refuse', 'stop'];

/** `space` is what Disk.space answers. */
export function diskLevel(
  space: { readonly free: number; readonly total: number },
  before: DiskLevel,
  marks: Watermarks = defaultWatermarks,
): DiskLevel {
  const used = space.total > 0 ? 1 - space.free / space.total : 1;
  const rank = (slack: number) => [marks.warn, marks.refuse, marks.stop].filter((mark) => used >= mark - slack).length;
  const entered = rank(0);
  const held = Math.min(levels.indexOf(before), rank(marks.hysteresis));
  return levels[Math.max(entered, held)] ?? 'ok';
}

/** New recordings and uploads. */
export const mayTakeMore = (level: DiskLevel): boolean => level === 'ok' || level === 'warn';
export const mayGoOnRecording = (level: DiskLevel): boolean => level !== 'stop';
