/**
 * Fetches the media that one playlist lists, in order, and holds it against what the playlist says of it: init segments,
 * parts, whole segments against their parts. Keeps nothing but digests and where the media has got to.
 */
import { createHash, type Hash } from 'node:crypto';
import { fault } from '../finding.ts';
import type { Init } from '../read/init.ts';
import { between, type Counters } from '../read/transport.ts';
import type { MediaPlaylist, Part, Segment } from '../read/playlist.ts';
import { judgeCaptions, judgeInit, judgeKeyPicture, judgePiece, judgeTransport } from '../rules/media.ts';
import { Rates } from '../rules/rates.ts';
import type { Answer } from './answer.ts';
import { ask, nameOf, type Ground } from './ground.ts';

export type Role = 'picture' | 'sound' | 'subtitles' | 'iframes';

export type MediaHost = {
  readonly role: Role;
  readonly url: string;
  /** A new init segment; `newest`: nothing listed comes behind a later change. */
  onInit(init: Init, newest: boolean): void;
  onSegment(): void;
  /** Media time (s) of a moment of the wall clock, behind so many discontinuities. */
  mediaTime(discontinuitySequence: number, date: number): number | null;
  onAnchor(discontinuitySequence: number, date: number, seconds: number): void;
};

/** Where decoding has got to: what comes next must begin at `end`. */
type Chain = { readonly sequence: number; readonly msn: number; readonly part: number; readonly end: number };

type Gathering = { readonly msn: number; readonly hash: Hash; whole: boolean; parts: number };

/** By their names: a MAP that is missing does not make them anything else. */
const fragmented = /\.(?:m4s|mp4|cmf[av])(?:\?|$)/;
const mostWaiting = 400;
const mostInits = 64;

export class MediaWatch {
  readonly rates = new Rates();
  readonly #ground: Ground;
  readonly #host: MediaHost;
  readonly #inits = new Map<string, { init: Init | null; digest: string }>();
  #timescale: { sequence: number; value: number } | null = null;
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;
  #chain: Chain | null = null;
  #gathering: Gathering | null = null;
  #transport: { sequence: number; msn: number; counters: Counters; last: Map<number, number>; lastPcr: number | null } | null = null;

  constructor(ground: Ground, host: MediaHost) {
    this.#ground = ground;
    this.#host = host;
  }

  /** Resolves when all that was asked for has been looked at. */
  get idle(): Promise<void> {
    return this.#queue;
  }

  part(list: MediaPlaylist, segment: Segment, index: number, hinted: Promise<Answer | null> | null): void {
    this.#later(list, () => this.#part(list, segment, index, hinted));
  }

  segment(list: MediaPlaylist, segment: Segment): void {
    this.#later(list, () => this.#segment(list, segment));
  }

  /** One after the other: each is judged by what came before it. */
  #later({ endList }: MediaPlaylist, job: () => Promise<void>): void {
    // What has ended can wait; what is live goes on.
    if (this.#waiting >= mostWaiting && !endList) {
      this.#ground.report.counts.skipped += 1;
      this.#chain = null;
      this.#gathering = null;
      return;
    }
    this.#waiting += 1;
    const before = this.#queue;
    this.#queue = (async () => {
      await before;
      if (!this.#ground.signal.aborted) await job();
      this.#waiting -= 1;
    })();
  }

  #tell(uri: string, faults: Iterable<ReturnType<typeof fault>>): void {
    this.#ground.report.tell(nameOf(this.#address(uri)), faults);
  }

  #address(uri: string): string {
    return URL.canParse(uri, this.#host.url) ? new URL(uri, this.#host.url).href : uri;
  }

  async #init(list: MediaPlaylist, segment: Segment): Promise<Init | null> {
    if (!segment.map) return null;
    const { uri } = segment.map;
    const known = this.#inits.get(uri);
    if (known) return known.init;
    const answer = await ask(this.#ground, this.#address(uri), { kind: 'init', targetDuration: list.targetDuration });
    if (!answer) return null;
    this.#ground.report.counts.inits += 1;
    const { init, faults } = judgeInit(answer.body, uri);
    this.#tell(uri, faults);
    this.#inits.set(uri, { init, digest: digestOf(answer.body) });
    if (this.#inits.size > mostInits) this.#inits.delete(this.#inits.keys().next().value ?? '');
    if (init) {
      const newest = segment.discontinuitySequence >= ((list.open ?? list.segments.at(-1))?.discontinuitySequence ?? 0);
      if (this.#timescale && this.#timescale.value !== init.timescale) {
        this.#tell(uri, [fault('cmaf/timescale', `the time scale was ${this.#timescale.value} and is ${init.timescale}`)]);
      }
      this.#timescale = { sequence: segment.discontinuitySequence, value: init.timescale };
      this.#host.onInit(init, newest);
    }
    return init;
  }

  async #part(list: MediaPlaylist, segment: Segment, index: number, hinted: Promise<Answer | null> | null): Promise<void> {
    const part = segment.parts[index];
    if (!part) return;
    if (part.gap || part.byteRange !== null || segment.encrypted) return this.#broken(segment.msn);
    const init = await this.#init(list, segment);
    const answer = await ask(this.#ground, this.#address(part.uri), { kind: 'media', targetDuration: list.targetDuration });
    if (hinted) await this.#compareHint(list, part, answer, hinted);
    if (!answer) return this.#broken(segment.msn);
    this.#ground.report.counts.parts += 1;
    this.#gather(segment, index, answer.body);
    const start = this.#expected(segment, index);
    const name = `part ${segment.msn}.${index}`;
    const judged = judgePiece(answer.body, init, { name, duration: part.duration, independent: part.independent, start });
    this.#tell(part.uri, judged.faults);
    this.#follow(segment, index + 1, judged.end);
    this.#seen(segment, index, judged.start, init, judged.fragments);
  }

  async #compareHint(list: MediaPlaylist, part: Part, answer: Answer | null, hinted: Promise<Answer | null>): Promise<void> {
    const early = await hinted;
    if (!early || !answer) return;
    this.#ground.report.counts.hints += 1;
    // While the publisher is away a hint ends as a blocked reload does, and is asked for again.
    const held = early.endedAt - early.askedAt > 1000 * (list.targetDuration ?? 2);
    if (early.status !== 200) this.#tell(part.uri, held ? [] : [fault('hls/hint-answer', `as a hint it was answered with ${early.status}, and then it came`)]);
    else if (!early.body.equals(answer.body)) this.#tell(part.uri, [fault('hls/hint-answer', `as a hint it had ${early.body.length} bytes, as a part it has ${answer.body.length}, or others`)]);
  }

  #broken(msn: number): void {
    this.#chain = null;
    if (this.#gathering?.msn === msn) this.#gathering.whole = false;
  }

  #gather(segment: Segment, index: number, bytes: Buffer): void {
    if (this.#gathering?.msn !== segment.msn) this.#gathering = { msn: segment.msn, hash: createHash('sha1'), whole: index === 0, parts: 0 };
    const one = this.#gathering;
    if (index !== one.parts) one.whole = false;
    one.parts += 1;
    one.hash.update(bytes);
  }

  #expected(segment: Segment, index: number): number | null {
    const chain = this.#chain;
    if (!chain || chain.sequence !== segment.discontinuitySequence) return null;
    const follows = (chain.msn === segment.msn && chain.part === index) || (index === 0 && chain.msn + 1 === segment.msn && chain.part < 0);
    return follows ? chain.end : null;
  }

  #follow({ msn, discontinuitySequence }: Segment, part: number, end: number | null): void {
    this.#chain = end === null ? null : { sequence: discontinuitySequence, msn, part, end };
  }

  async #segment(list: MediaPlaylist, segment: Segment): Promise<void> {
    const { uri, msn, duration } = segment;
    if (uri === null) return;
    const { role } = this.#host;
    // Ranges and encrypted media are not looked into.
    if (segment.gap || segment.byteRange !== null || segment.encrypted) return this.#broken(msn);
    const gathered = this.#gathering?.msn === msn && this.#gathering.whole && this.#gathering.parts === segment.parts.length ? this.#gathering : null;
    const init = await this.#init(list, segment);
    const transport = role !== 'subtitles' && segment.map === null && !fragmented.test(uri);
    const answer = await ask(this.#ground, this.#address(uri), { kind: role === 'subtitles' ? 'captions' : transport ? 'transport' : 'media', targetDuration: list.targetDuration });
    if (!answer) return this.#broken(msn);
    this.#ground.report.counts.segments += 1;
    this.rates.add(msn, answer.wire, duration, list.targetDuration ?? duration);
    const name = `segment ${msn}`;
    if (role === 'subtitles') this.#captions(segment, answer.body);
    else if (role === 'iframes') this.#tell(uri, judgeKeyPicture(answer.body, init, name));
    else if (transport) this.#transportSegment(list, segment, answer.body);
    else if (gathered) {
      if (gathered.hash.digest('hex') !== digestOf(answer.body)) this.#tell(uri, [fault('cmaf/segment-is-parts', `${name} has other bytes than its ${gathered.parts} parts`)]);
      this.#closed(segment);
      this.#share(segment, init, answer.body);
    } else {
      const start = this.#expected(segment, 0);
      const judged = judgePiece(answer.body, init, { name, duration, independent: list.independentSegments, start });
      this.#tell(uri, judged.faults);
      this.#follow(segment, -1, judged.end);
      this.#seen(segment, 0, judged.start, init, judged.fragments);
      this.#share(segment, init, answer.body);
    }
    this.#gathering = null;
    this.#host.onSegment();
  }

  /** All parts were looked at: the next segment goes on from where they ended. */
  #closed({ msn }: Segment): void {
    if (this.#chain?.msn === msn) this.#chain = { ...this.#chain, part: -1 };
  }

  #seen(segment: Segment, index: number, start: number | null, init: Init | null, fragments: readonly { samples: number; duration: number }[]): void {
    if (!init || start === null) return;
    if (index === 0 && segment.date !== null) this.#host.onAnchor(segment.discontinuitySequence, segment.date, start / init.timescale);
    for (const { samples, duration } of fragments) this.rates.count(samples, duration / init.timescale);
  }

  #share(segment: Segment, init: Init | null, bytes: Buffer): void {
    const { digests } = this.#ground;
    if (!digests || !init || segment.uri === null) return;
    const key = `${this.#inits.get(segment.map?.uri ?? '')?.digest} ${segmentTime(bytes, init)}`;
    digests.add('HLS', key, digestOf(bytes), nameOf(this.#address(segment.uri)));
  }

  #captions(segment: Segment, bytes: Buffer): void {
    const from = segment.date === null ? null : this.#host.mediaTime(segment.discontinuitySequence, segment.date);
    const span = from === null ? null : { from, to: from + segment.duration };
    this.#tell(segment.uri ?? '', judgeCaptions(bytes.toString('utf8'), `segment ${segment.msn}`, span));
  }

  #transportSegment(list: MediaPlaylist, segment: Segment, bytes: Buffer): void {
    const before = this.#transport;
    const follows = before !== null && before.msn + 1 === segment.msn && before.sequence === segment.discontinuitySequence;
    const piece = { name: `segment ${segment.msn}`, duration: segment.duration, independent: list.independentSegments, start: null };
    const { transport, faults, counters } = judgeTransport(bytes, piece, follows ? before : null);
    if (follows && faults.length === 0 && before.lastPcr !== null && transport.firstPcr !== null && between(before.lastPcr, transport.firstPcr) <= 0) {
      faults.push(fault('ts/clock', `the clock of segment ${segment.msn} begins at ${transport.firstPcr}, and that of the one before it ended at ${before.lastPcr}`));
    }
    this.#tell(segment.uri ?? '', faults);
    // What cannot be read says nothing of what comes next.
    if (faults.some(({ rule }) => rule === 'ts/packets' || rule === 'ts/tables')) {
      this.#transport = null;
      return;
    }
    const last = new Map(transport.streams.map(({ pid, lastDts }) => [pid, lastDts]));
    this.#transport = { sequence: segment.discontinuitySequence, msn: segment.msn, counters, last, lastPcr: transport.lastPcr };
  }
}

export const digestOf = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');

/** The first decode time is enough to tell one segment of a track from all others. */
const segmentTime = (bytes: Buffer, init: Init): string => {
  const { start } = judgePiece(bytes, init, { name: '', duration: 0, independent: false, start: null });
  return String(start);
};
