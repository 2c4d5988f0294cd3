/** Fetches what a timeline lists of one representation in one Period, in order, the segment in progress too. */
import { fault, type Fault } from '../finding.ts';
import type { Init } from '../read/init.ts';
import { fillTemplate, type Mpd, type Period, type Representation, type TimedSegment } from '../read/mpd.ts';
import { judgeInit, judgePiece } from '../rules/media.ts';
import type { Answer } from './answer.ts';
import { ask, nameOf, type Ground } from './ground.ts';
import { digestOf } from './media-watch.ts';

const tailAtFirst = 2;
const mostWaiting = 100;
/** A segment of which at least so much is still to come is in progress. */
const surelyOpenMs = 400;
/** An open segment lasts this much longer than it is said to, at most, and waits for the next one. */
const openSlackMs = 15_000;
const mostTries = 20;
const againMs = 3_000;
const enoughSeconds = 8;
const rounding = 0.002;

type Job = { readonly segment: TimedSegment; readonly one: Representation; readonly base: string; readonly endsAt: number | null };

export class RepresentationWatch {
  readonly #ground: Ground;
  readonly #name: string;
  #init: Init | null = null;
  #initDigest = '';
  #inited = false;
  #next: number | null = null;
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** The last segment that was fetched while nobody knew its length. */
  #measured: { readonly number: number; readonly seconds: number } | null = null;
  #bits = 0;
  #seconds = 0;

  constructor(ground: Ground, name: string) {
    this.#ground = ground;
    this.#name = name;
  }

  get idle(): Promise<void> {
    return this.#queue;
  }

  #tell(where: string, faults: Iterable<Fault>): void {
    this.#ground.report.tell(where, faults);
  }

  take(mpd: Mpd, period: Period, one: Representation, base: string, lastPeriod: boolean): void {
    const { segments } = one;
    this.#settle(one, lastPeriod && mpd.type === 'dynamic');
    if (this.#next === null) {
      const tail = mpd.type === 'static' ? segments : [...segments.slice(0, 1), ...segments.slice(Math.max(1, segments.length - tailAtFirst))];
      for (const segment of tail) this.#later(mpd, { segment, one, base, endsAt: this.#endsAt(mpd, period, one, segment) });
    } else {
      const from = this.#next;
      for (const segment of segments.filter(({ number }) => number >= from)) this.#later(mpd, { segment, one, base, endsAt: this.#endsAt(mpd, period, one, segment) });
    }
    const last = segments.at(-1);
    if (last) this.#next = Math.max(this.#next ?? 0, last.number + 1);
  }

  /** Wall clock (ms) at which the segment is whole; null: it is. */
  #endsAt(mpd: Mpd, { start }: Period, one: Representation, { time, duration }: TimedSegment): number | null {
    if (mpd.type === 'static' || mpd.availabilityStartTime === null || start === null) return null;
    return mpd.availabilityStartTime + 1000 * (start + (time + duration - one.presentationTimeOffset) / one.timescale);
  }

  /** The segment that was in progress has its true length now. */
  #settle({ segments, timescale, key, availabilityTimeComplete }: Representation, growing: boolean): void {
    const measured = this.#measured;
    if (!measured) return;
    const found = segments.find(({ number }) => number === measured.number);
    if (!found || (growing && !availabilityTimeComplete && found === segments.at(-1))) return;
    this.#measured = null;
    const said = found.duration / timescale;
    if (Math.abs(said - measured.seconds) > rounding) this.#tell(this.#name, [fault('dash/segment-time', `segment ${found.number} of ${key} has ${measured.seconds.toFixed(6)} s, and is said to last ${said.toFixed(6)}`)]);
  }

  #later(mpd: Mpd, job: Job): void {
    if (this.#waiting >= mostWaiting && mpd.type === 'dynamic') {
      this.#ground.report.counts.skipped += 1;
      return;
    }
    this.#waiting += 1;
    const before = this.#queue;
    this.#queue = (async () => {
      await before;
      if (!this.#ground.signal.aborted) await this.#fetch(job);
      this.#waiting -= 1;
    })();
  }

  #address(template: string, { one, base, segment }: Job): string {
    const path = fillTemplate(template, { id: one.id, bandwidth: one.bandwidth, number: segment.number, time: segment.time });
    return URL.canParse(path, base) ? new URL(path, base).href : path;
  }

  async #begin(job: Job): Promise<void> {
    if (this.#inited || job.one.initialization === null) return;
    this.#inited = true;
    const url = this.#address(job.one.initialization, job);
    const answer = await ask(this.#ground, url, { kind: 'init' });
    if (!answer) return;
    this.#ground.report.counts.inits += 1;
    const { init, faults } = judgeInit(answer.body, nameOf(url));
    this.#init = init;
    this.#initDigest = digestOf(answer.body);
    this.#tell(nameOf(url), faults);
    if (init) this.#tell(this.#name, againstInit(job.one, init));
  }

  async #fetch(job: Job): Promise<void> {
    await this.#begin(job);
    const { segment, one, endsAt } = job;
    const { time, report } = this.#ground;
    const url = this.#address(one.media, job);
    const open = endsAt !== null && one.availabilityTimeOffset > 0 && endsAt - time.wall() > surelyOpenMs;
    const timeoutMs = 20_000 + (open ? endsAt - time.wall() + openSlackMs : 0);
    let answer: Answer | null;
    let broken = 0;
    // While the publisher is away the segment in progress ends as a blocked reload does, and is asked for again.
    for (;;) {
      answer = await ask(this.#ground, url, { kind: 'media', timeoutMs, mayBreak: open && broken < mostTries });
      if (answer || !open || broken >= mostTries || this.#ground.signal.aborted) break;
      broken += 1;
      await time.sleep(againMs, this.#ground.signal);
    }
    if (!answer) return;
    report.counts.segments += 1;
    const where = nameOf(url);
    if (open && !answer.chunked && broken === 0) this.#tell(where, [fault('dash/chunked', `segment ${segment.number} of ${one.key} was in progress, and came whole`)]);
    const said = segment.duration / one.timescale;
    const init = this.#init;
    // Its length is a guess until the next one is there.
    const judged = judgePiece(answer.body, init, { name: `segment ${segment.number}`, duration: said, independent: false, start: null });
    this.#tell(where, judged.faults.filter(({ rule }) => rule !== 'cmaf/duration'));
    if (!init || judged.start === null || judged.end === null) return;
    const seconds = (judged.end - judged.start) / init.timescale;
    const faults: Fault[] = [];
    if (judged.start / init.timescale !== segment.time / one.timescale) faults.push(fault('dash/segment-time', `segment ${segment.number} of ${one.key} begins at ${judged.start}, and is said to begin at ${segment.time}`));
    if (open) this.#measured = { number: segment.number, seconds };
    else if (Math.abs(seconds - said) > rounding && (endsAt === null || endsAt < time.wall())) this.#measured = { number: segment.number, seconds };
    this.#bits += 8 * answer.wire;
    this.#seconds += seconds;
    if (this.#seconds >= enoughSeconds && this.#bits / this.#seconds > one.bandwidth * 1.05) faults.push(fault('dash/bandwidth', `${one.key} has ${Math.round(this.#bits / this.#seconds)} bit/s, @bandwidth is ${one.bandwidth}`));
    this.#tell(this.#name, faults);
    this.#ground.digests?.add('DASH', `${this.#initDigest} ${judged.start}`, digestOf(answer.body), where);
  }
}

function* againstInit(one: Representation, init: Init): Generator<Fault> {
  if (init.codec !== null && one.codecs?.toLowerCase() !== init.codec.toLowerCase()) yield fault('dash/codecs', `${one.key} is ${init.codec}, @codecs is ${one.codecs ?? 'not there'}`);
  if (init.width !== null && ((one.width !== null && one.width !== init.width) || (one.height !== null && one.height !== init.height))) {
    yield fault('dash/codecs', `${one.key} is ${init.width}x${init.height}, and is said to be ${one.width}x${one.height}`);
  }
  if (init.timescale !== one.timescale) yield fault('dash/template-changed', `the time scale of ${one.key} is ${init.timescale} in its init segment, and ${one.timescale} in the manifest`);
}
