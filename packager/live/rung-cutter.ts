/**
 * Cuts what an encoder made of the source's pictures where the source was cut, so that the same number means the same
 * time on every rung:
 *
 *     source   |K····|·····|·····|K····|···     its parts and segments, as the segmenter cut them: the lines
 *     rung     |K····|·····|·····|K··           a part is complete when its last picture has come out of the encoder
 *
 * Rungs have no pictures that are decoded ahead of others: a picture is decoded when it is shown. Which ones belong to a part is
 * told by counting: where the source has decoded so many, a rung has shown so many. Times would not do, since those of decoding and
 * of showing are rounded apart (in whole milliseconds over RTMP), and pictures of no even length lie further apart still. What is
 * missing when its owner gives up waiting becomes a declared hole up to the end of a segment, and a rung comes back at the start of one.
 */
import type { Sample } from '../cmaf/fragment.ts';
import { RungShares } from './rung-shares.ts';
import type { Cut } from './segmenter.ts';

/** A picture of a rung, in media time (90 kHz). */
export type RungPicture = { readonly pts: number; readonly key: boolean; readonly data: Buffer };

export type RungCutterOptions = {
  readonly startDts: number;
  /** The source decodes no picture later than this behind the moment at which it is shown. */
  readonly reorder: number;
  /** Whether the encoder makes one of this picture, from the last one that it does; absent: of every one. */
  readonly keeps?: ((picture: GivenPicture, before: number | null) => boolean) | undefined;
  readonly emit: (cut: Cut) => void;
};

/** A picture of the source. */
export type GivenPicture = { readonly dts: number; readonly pts: number; readonly key: boolean };

/** `key`: the source can be decoded from here; `count`: pictures that it has in this part. */
type Line = { readonly end: number; readonly count: number; readonly key: boolean; readonly segmentStart: boolean; segmentEnd: boolean };

export class RungCutter {
  readonly #emit: (cut: Cut) => void;
  /** Where the source was cut and the rung has not been yet. */
  readonly #lines: Line[] = [];
  /** Pictures that were given to the encoder and have not come out, in the order in which they are shown. */
  #awaited: GivenPicture[] = [];
  /** So many of them are known to come: what is shown before them has been given too. */
  #settled = 0;
  #lastKept: number | null = null;
  #pictures: RungPicture[] = [];
  /** Decode time up to which the rung has been handed out. */
  #reached: number;
  #segmentOpen = false;
  /** Behind a hole nothing can be decoded before the next key picture that begins a segment. */
  #broken = true;
  /** The newest picture that came: what is shown before it does not come any more. */
  #newest = Number.NEGATIVE_INFINITY;
  /** Decode time (of the source) up to which pictures have been given to the encoder. */
  #given = Number.NEGATIVE_INFINITY;
  readonly #shares = new RungShares();
  /** What is shown before this has been cut, or given up. */
  #shown = Number.NEGATIVE_INFINITY;
  readonly #reorder: number;
  readonly #keeps: RungCutterOptions['keeps'];

  constructor({ startDts, reorder, keeps, emit }: RungCutterOptions) {
    this.#reached = startDts;
    this.#reorder = reorder;
    this.#keeps = keeps;
    this.#emit = emit;
  }

  /** Complete up to where the source is. */
  get level(): boolean {
    return this.#lines.length === 0;
  }

  /** Segments that the source has completed and the rung has not. */
  get segmentsBehind(): number {
    return this.#lines.filter(({ segmentEnd }) => segmentEnd).length;
  }

  /** Pictures that are shown before this are there, or have been given up. */
  get wantsFrom(): number {
    return Math.max(this.#newest + 1, this.#shown);
  }

  /** The source has one more picture, whether or not an encoder is given it. */
  source(picture: GivenPicture): void {
    this.#shares.add(picture);
    this.#follow();
  }

  /** A picture of the source has been given to the encoder. */
  given(picture: GivenPicture): void {
    // An encoder that takes over from one that is ending may be given once more what that one still owes.
    const isNew = picture.dts > this.#given;
    this.#given = Math.max(this.#given, picture.dts);
    if (isNew && picture.pts > this.#newest) {
      let at = this.#awaited.length;
      while (at > this.#settled && (this.#awaited[at - 1]?.pts ?? 0) > picture.pts) at -= 1;
      this.#awaited.splice(at, 0, picture);
    }
    this.#settle();
    this.#follow();
  }

  /** The encoder leaves some out, in the order in which they are shown. */
  #settle(): void {
    for (let next = this.#awaited[this.#settled]; next && next.pts + this.#reorder <= this.#given; next = this.#awaited[this.#settled]) {
      if (!this.#keeps || this.#keeps(next, this.#lastKept)) {
        this.#lastKept = next.pts;
        this.#settled += 1;
      } else this.#awaited.splice(this.#settled, 1);
    }
  }

  /** The source was cut. */
  line(cut: Cut): void {
    this.#push(cut);
    this.#follow();
  }

  /** The last cuts of the source in this epoch. */
  lastLines(cuts: readonly Cut[]): void {
    for (const cut of cuts) this.#push(cut);
    if (this.#given > Number.NEGATIVE_INFINITY) this.#given = Number.POSITIVE_INFINITY;
    this.#shares.end();
    this.#settle();
    this.#follow();
  }

  #push(cut: Cut): void {
    if (cut.type !== 'segment-end') {
      const { dts, duration, segmentStart } = cut;
      const key = cut.type === 'fragment' && cut.key;
      const count = cut.type === 'fragment' ? cut.samples.length : 0;
      this.#lines.push({ end: dts + duration, count, key, segmentStart, segmentEnd: cut.type === 'hole' || cut.segmentEnd });
      return;
    }
    const last = this.#lines.at(-1);
    if (last) last.segmentEnd = true;
    else if (this.#segmentOpen) this.#endSegment();
  }

  /** Pictures come in the order in which they are shown. */
  picture(picture: RungPicture): void {
    if (picture.pts <= this.#newest) return;
    this.#newest = picture.pts;
    const came = this.#awaited.findIndex(({ pts }) => pts > picture.pts);
    const shifted = this.#awaited.splice(0, came === -1 ? this.#awaited.length : came).length;
    this.#settled = Math.max(0, this.#settled - shifted);
    this.#lastKept = Math.max(this.#lastKept ?? picture.pts, picture.pts);
    // Of what was given up it is too late, and would stand ahead of the key picture with which the rung comes back.
    if (picture.pts >= this.#shown) this.#pictures.push(picture);
    this.#follow();
  }

  /** No encoder is on that owes it anything: what the one before owed does not come any more, and the next one is given it anew. */
  restarted(): void {
    this.#forgetAwaited();
    this.#lastKept = this.#newest > Number.NEGATIVE_INFINITY ? this.#newest : null;
    this.#given = Number.NEGATIVE_INFINITY;
  }

  #forgetAwaited(): void {
    this.#awaited = [];
    this.#settled = 0;
  }

  /** What is not there of segments that the source has completed is not waited for. */
  giveUp(): void {
    while (this.#lines.some(({ segmentEnd }) => segmentEnd)) this.#giveUpSegment();
  }

  /** Nothing more will come; `drained`: because everything has. */
  flush(drained: boolean): void {
    this.#forgetAwaited();
    if (drained) this.#given = Number.POSITIVE_INFINITY;
    this.#follow();
    this.giveUp();
  }

  #follow(): void {
    for (let line = this.#lines[0]; line; line = this.#lines[0]) {
      const until = this.#shares.until(line.count, Math.max(this.#given - this.#reorder, this.#newest));
      if (until === null || !this.#hasAll(until)) return;
      this.#lines.shift();
      this.#shares.take(line.count, until);
      this.#cut(line, until);
    }
  }

  /** Whatever is shown before this has come, or does not. */
  #hasAll(until: number): boolean {
    return this.#newest >= until || (this.#given - this.#reorder >= until && (this.#awaited[0]?.pts ?? until) >= until);
  }

  #cut({ end, key, segmentStart, segmentEnd }: Line, until: number): void {
    const here = this.#pictures.filter(({ pts }) => pts < until);
    this.#pictures = this.#pictures.slice(here.length);
    this.#shown = Math.max(this.#shown, until);
    const first = here[0];
    if (segmentStart && this.#broken) this.#broken = !first?.key;
    else if (segmentStart && key && first) this.#broken = !first.key;
    if (this.#broken) {
      if (segmentEnd) this.#hole(end);
      return;
    }
    // A part in which no picture begins (the rung has fewer of them) is one with the next, or the segment ends with the one before it.
    if (!first) {
      if (!segmentEnd) return;
      if (!this.#keeps || !this.#segmentOpen) return this.#hole(end);
      this.#endSegment();
      this.#reached = end;
      return;
    }
    const from = this.#reached;
    this.#emit({
      ...{ type: 'fragment', kind: 'video', dts: from, firstPts: first.pts, duration: end - from, key: first.key },
      ...{ segmentStart: !this.#segmentOpen, segmentEnd, samples: samplesOf(here, from, end) },
    });
    this.#reached = end;
    this.#segmentOpen = !segmentEnd;
  }

  #giveUpSegment(): void {
    for (let line = this.#lines.shift(); line; line = this.#lines.shift()) {
      const until = this.#shares.until(line.count, Number.POSITIVE_INFINITY) ?? line.end;
      this.#shares.take(line.count, until);
      this.#shown = Math.max(this.#shown, until);
      if (!line.segmentEnd) continue;
      this.#hole(line.end);
      break;
    }
    this.#pictures = this.#pictures.filter(({ pts }) => pts >= this.#shown);
    // What is left may be there already, from the start of the next segment on.
    this.#follow();
  }

  #hole(end: number): void {
    const segmentStart = !this.#segmentOpen;
    this.#emit({ type: 'hole', kind: 'video', segmentStart, dts: this.#reached, duration: Math.max(1, end - this.#reached) });
    this.#reached = Math.max(end, this.#reached + 1);
    this.#segmentOpen = false;
    this.#broken = true;
  }

  #endSegment(): void {
    this.#emit({ type: 'segment-end', kind: 'video' });
    this.#segmentOpen = false;
  }
}

/**
 * Decoded when they are shown; the first when its part begins, the last for as long as its part lasts. Where some are shown
 * behind the end of their part (a source that is cut off there has decoded what is shown later), they share it evenly.
 */
const samplesOf = (pictures: readonly RungPicture[], from: number, end: number): Sample[] => {
  const isLater = (pictures.at(-1)?.pts ?? from) >= end;
  const at = (pts: number, index: number): number => (isLater ? from + Math.floor((index * (end - from)) / pictures.length) : Math.max(pts, from + index));
  const times = pictures.map(({ pts }, index) => (index === 0 ? from : at(pts, index)));
  return pictures.map(({ pts, key, data }, index) => {
    const dts = times[index] ?? from;
    return { duration: Math.max(1, (times[index + 1] ?? end) - dts), size: data.length, key, compositionOffset: pts - dts, data };
  });
};
