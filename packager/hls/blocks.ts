/**
 * Segments of a long playlist, many at a time. Away from its ends their text depends on nothing but themselves and the
 * segment before, so it is kept, and a playlist of hours is put together from a few long strings.
 */
import type { SegmentRef, TrackSnapshot } from '../snapshot.ts';
import { rebased } from './rebase.ts';

export const blockLength = 64;

/** `before`: the epoch of the segment before; undefined: there is none. */
export type WriteSegment = (segment: SegmentRef, before: number | undefined) => string;

export class Blocks {
  readonly #kept = new WeakMap<SegmentRef, string>();
  readonly #rebased = new WeakMap<SegmentRef, { readonly base: string; readonly text: string }>();

  /** The lines of segments [from, to), as `write` has them. Of the first one nothing lies before. */
  text(track: TrackSnapshot, from: number, to: number, base: string | undefined, write: WriteSegment): string {
    let text = '';
    for (let index = from; index < to; ) {
      if (index > from && index % blockLength === 0 && index + blockLength <= to) {
        text += this.block(track, index, base, write);
        index += blockLength;
        continue;
      }
      const segment = track.segments[index];
      if (segment) text += rebased(write(segment, index > from ? track.segments[index - 1]?.epoch : undefined), base);
      index++;
    }
    return text;
  }

  /** Those of the block that begins here. */
  block(track: TrackSnapshot, start: number, base: string | undefined, write: WriteSegment): string {
    const key = track.segments[start];
    if (!key) return '';
    if (base === undefined) return this.#plain(track, start, key, write);
    const known = this.#rebased.get(key);
    if (known?.base === base) return known.text;
    const text = rebased(this.#plain(track, start, key, write), base);
    this.#rebased.set(key, { base, text });
    return text;
  }

  #plain(track: TrackSnapshot, start: number, key: SegmentRef, write: WriteSegment): string {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const lines: string[] = [];
    for (let index = start; index < start + blockLength; index++) {
      const segment = track.segments[index];
      if (segment) lines.push(write(segment, track.segments[index - 1]?.epoch));
    }
    // `join` makes one flat string, where `+` would leave V8 a tree to walk at every use.
    const text = lines.join('');
    this.#kept.set(key, text);
    return text;
  }
}
