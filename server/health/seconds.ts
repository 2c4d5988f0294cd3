/**
 * What came in each of the last sixty seconds, and before them in as many points as fit: a ring that is written once a
 * unit, and a history whose step doubles when it is full. Nothing grows, however long a show lasts.
 */
import type { MediaKind } from '../../packager/media/unit.ts';
import type { History, Minute } from './facts.ts';

const SECOND = 1_000;
const kept = 60;
const mostPoints = 240;
const firstStep = 5;

type Second = { video: number; audio: number; frames: number };
const emptySecond = (): Second => ({ video: 0, audio: 0, frames: 0 });

class Points {
  #step = firstStep;
  #points: Second[] = [];
  #open = emptySecond();
  #seconds = 0;

  add({ video, audio, frames }: Second): void {
    this.#open.video += video;
    this.#open.audio += audio;
    this.#open.frames += frames;
    this.#seconds += 1;
    if (this.#seconds < this.#step) return;
    this.#points.push(this.#open);
    this.#open = emptySecond();
    this.#seconds = 0;
    if (this.#points.length < mostPoints) return;
    this.#points = Array.from({ length: mostPoints / 2 }, (_, index) => sum(this.#points.slice(2 * index, 2 * index + 2)));
    this.#step *= 2;
  }

  get history(): History {
    const last = this.#seconds === 0 ? [] : [rate(this.#open, this.#seconds)];
    const rates = [...this.#points.map((point) => rate(point, this.#step)), ...last];
    return { step: this.#step, video: rates.map(({ video }) => video), audio: rates.map(({ audio }) => audio), fps: rates.map(({ frames }) => frames) };
  }

  /** As it was told before: the last point counts as a whole one. */
  restore({ step, video, audio, fps }: History): void {
    this.#step = step;
    this.#points = video.map((bits, at) => ({ video: bits * step, audio: (audio[at] ?? 0) * step, frames: (fps[at] ?? 0) * step })).slice(0, mostPoints - 1);
    this.#open = emptySecond();
    this.#seconds = 0;
  }
}

const sum = (seconds: readonly Second[]): Second =>
  seconds.reduce((all, { video, audio, frames }) => ({ video: all.video + video, audio: all.audio + audio, frames: all.frames + frames }), emptySecond());

const rate = ({ video, audio, frames }: Second, seconds: number): Second => ({
  video: Math.round(video / seconds),
  audio: Math.round(audio / seconds),
  frames: Math.round((frames / seconds) * 10) / 10,
});

export class Seconds {
  readonly #ring: Second[] = Array.from({ length: kept }, emptySecond);
  #points = new Points();
  /** The second that is running, counted from the beginning of the monotonic clock. */
  #current: number;

  constructor(now: number) {
    this.#current = Math.floor(now / SECOND);
  }

  take(kind: MediaKind, bytes: number, now: number): void {
    const second = this.#at(now);
    second[kind] += bytes * 8;
    if (kind === 'video') second.frames += 1;
  }

  /** The seconds that are over. */
  minute(now: number, wall: number): Minute {
    this.#at(now);
    const seconds = Array.from({ length: kept - 1 }, (_, index) => this.#slot(this.#current - (kept - 1) + index));
    return {
      until: wall - (now - this.#current * SECOND),
      video: seconds.map(({ video }) => video),
      audio: seconds.map(({ audio }) => audio),
      frames: seconds.map(({ frames }) => frames),
    };
  }

  /** Bits a second of the last whole seconds, none before `since`. */
  bitrate(kind: MediaKind, seconds: number, since: number, now: number): number {
    this.#at(now);
    const first = Math.max(this.#current - seconds, Math.ceil(since / SECOND));
    const count = this.#current - first;
    let bits = 0;
    for (let second = first; second < this.#current; second += 1) bits += this.#slot(second)[kind];
    return count > 0 ? Math.round(bits / count) : 0;
  }

  get history(): History {
    return this.#points.history;
  }
  restore(history: History): void {
    this.#points.restore(history);
  }
  /** Another broadcast begins: its history is its own, the last minute is the streamer's. */
  restart(now: number): void {
    // The silence before it is none of it.
    this.#at(now);
    this.#points = new Points();
  }

  #slot(second: number): Second {
    return this.#ring[((second % kept) + kept) % kept] ?? emptySecond();
  }

  #at(now: number): Second {
    const wanted = Math.floor(now / SECOND);
    // Long silence is told by as many empty seconds; a clock that leapt a year is not followed there.
    if (wanted - this.#current > 7 * 24 * 3600) this.#current = wanted - kept;
    while (this.#current < wanted) {
      this.#points.add(this.#slot(this.#current));
      this.#current += 1;
      const next = this.#slot(this.#current);
      next.video = 0;
      next.audio = 0;
      next.frames = 0;
    }
    return this.#slot(this.#current);
  }
}
