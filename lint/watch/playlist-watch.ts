/**
 * Follows one media playlist as a low-latency player does: blocked reloads, deltas (and now and then the same in full),
 * the hinted part asked for before it is there. Every answer is judged alone, after the one before it, and beside the
 * other playlists of the presentation.
 */
import { fault, type Faults } from '../finding.ts';
import { nextMsn, type MediaPlaylist, type Segment } from '../read/playlist.ts';
import { readPlaylist } from '../read/m3u8.ts';
import { deltaAgainstFull, mergeDelta } from '../rules/delta.ts';
import { headersOf } from '../rules/headers.ts';
import { nextPosition, playlistAlone } from '../rules/playlist-alone.ts';
import { playlistNext } from '../rules/playlist-next.ts';
import type { Standing } from '../rules/presentation.ts';
import type { Answer } from './answer.ts';
import { ask, nameOf, type Ground } from './ground.ts';
import type { MediaHost } from './media-watch.ts';
import { MediaWatch } from './media-watch.ts';
import { newParts, newSegments, Pace } from './progress.ts';
import { probe } from './probes.ts';

type Hint = { readonly uri: string; readonly msn: number; readonly part: number; readonly sequence: number; readonly answer: Promise<Answer | null>; readonly stop: AbortController };

export type PlaylistHost = {
  /** The list has changed: time to compare it with the others. */
  onList(watch: PlaylistWatch): void;
};

/** Of all reloads, how many are deltas, and how many of those are asked for in full as well. */
const deltaOf = 4;
const compareOf = 5;
const mostAddresses = 20_000;
const mostFailures = 5;
const lookBackEveryMs = 5_000;
const slackMs = 5_000;

export class PlaylistWatch {
  readonly url: string;
  readonly media: MediaWatch;
  readonly #ground: Ground;
  readonly #host: PlaylistHost;
  readonly #role: MediaHost['role'];
  #list: MediaPlaylist | null = null;
  #askedAt = 0;
  #seenAt = 0;
  #hint: Hint | null = null;
  #reloads = 0;
  #failures = 0;
  #lookedBackAt = Number.NEGATIVE_INFINITY;
  readonly #pace = new Pace();
  readonly #addresses = new Set<string>();

  constructor(ground: Ground, url: string, media: MediaHost, host: PlaylistHost) {
    this.url = url;
    this.#ground = ground;
    this.#host = host;
    this.#role = media.role;
    this.media = new MediaWatch(ground, media);
  }

  get list(): MediaPlaylist | null {
    return this.#list;
  }

  get standing(): Standing | null {
    // Where it stood when it could not be had any more says nothing of the others.
    if (!this.#list || this.#failures >= mostFailures) return null;
    return { name: nameOf(this.url), url: this.url, list: this.#list, seenAt: this.#seenAt, askedAt: this.#askedAt, iframes: this.#role === 'iframes' };
  }

  #tell(faults: Faults, where = nameOf(this.url)): void {
    this.#ground.report.tell(where, faults);
  }

  get #over(): boolean {
    return this.#ground.signal.aborted;
  }

  async run(): Promise<void> {
    const { time, signal } = this.#ground;
    await this.#plain();
    if (this.#list?.serverControl?.canBlockReload === true && !this.#list.endList) await probe(this.#ground, this.url, this.#list);
    while (!this.#over && this.#failures < mostFailures && this.#list?.endList !== true) {
      if (!this.#list) await time.sleep(1000, signal);
      const blocking = this.#list?.serverControl?.canBlockReload === true;
      if (blocking && this.#list) await this.#reload(this.#list);
      else if (this.#list) await this.#poll(this.#list);
      else await this.#plain();
    }
    this.#drop();
    if (this.#list?.endList === true && !this.#over) {
      await time.sleep(500, signal);
      await this.#plain();
    }
    await this.media.idle;
  }

  async #plain(): Promise<boolean> {
    const askedAt = this.#ground.time.now();
    const answer = await this.#ask('');
    if (!answer) return this.#failed();
    const given = this.#read(answer);
    // Whether it is live is known only now: an ended one may be kept.
    if (given && !given.endList) this.#tell(headersOf(answer, 'live playlist', given.targetDuration));
    this.#take(given, askedAt);
    return true;
  }

  #ask(query: string): Promise<Answer | null> {
    const targetDuration = this.#list?.targetDuration ?? null;
    // An ended playlist may be kept for as long as it likes.
    const kind = query === '' ? 'ended playlist' : 'kept playlist';
    return ask(this.#ground, this.#with(query), { kind, targetDuration, timeoutMs: 3000 * (targetDuration ?? 6) + slackMs });
  }

  #with(query: string): string {
    return query === '' ? this.url : `${this.url}${this.url.includes('?') ? '&' : '?'}${query}`;
  }

  #failed(): boolean {
    this.#failures += 1;
    return false;
  }

  async #poll(list: MediaPlaylist): Promise<void> {
    const { time, signal } = this.#ground;
    await time.sleep(Math.max(500, 500 * (list.targetDuration ?? 2)), signal);
    if (!this.#over && !(await this.#plain())) await time.sleep(1000, signal);
  }

  async #reload(list: MediaPlaylist): Promise<void> {
    const { time, signal, report } = this.#ground;
    const { msn, part } = nextPosition(list);
    const position = list.partTarget === null ? `_HLS_msn=${msn}` : `_HLS_msn=${msn}&_HLS_part=${part}`;
    this.#reloads += 1;
    const skip = list.serverControl?.canSkipUntil != null && this.#reloads % deltaOf !== 0;
    this.#expectHint(list);
    const askedAt = time.now();
    const timeoutMs = 3000 * (list.targetDuration ?? 6) + slackMs;
    const answer = await this.#ground.fetch(this.#with(skip ? `${position}&_HLS_skip=YES` : position), { timeoutMs, limit: 32 << 20, signal });
    if (this.#over) return;
    report.counts.answers += 1;
    report.counts.bytes += answer.wire;
    if (answer.trouble?.rule === 'http/unreachable' && time.now() - askedAt >= timeoutMs - 100) {
      return this.#tell([fault('reload/held', `${position} was held for more than ${timeoutMs / 1000} s`)]);
    }
    const given = answer.status === 200 && !answer.trouble ? this.#read(answer) : null;
    // What has ended may be kept for as long as it likes.
    const kind = answer.status !== 200 ? 'error' : given?.endList === true ? 'ended playlist' : 'kept playlist';
    this.#tell(headersOf(answer, kind, list.targetDuration));
    if (answer.status !== 200 || answer.trouble) return this.#refused(answer, position);
    if (!given) return time.sleep(1000, signal);
    const whole = this.#whole(list, given, skip);
    if (!whole) return void (await this.#plain());
    const next = nextPosition(whole);
    const there = whole.endList || next.msn > msn || (next.msn === msn && list.partTarget !== null && next.part > part);
    if (!there) this.#tell([fault('reload/stale', `${position} was asked for, and the answer goes to ${next.msn}.${next.part}`)]);
    if (given.skipped !== null && this.#reloads % compareOf === 0) await this.#compare(whole, position);
    this.#take(whole, askedAt);
    if (!there) await time.sleep(500, signal);
  }

  async #refused({ status, trouble }: Answer, position: string): Promise<void> {
    // RFC 8216bis, 6.2.5.2: what is held too long ends in a 503, and is asked for again.
    if (status !== 503 && trouble === null) this.#tell([fault('reload/status', `${position} was answered with ${status}`)]);
    if (status !== 503) this.#failures += 1;
    await this.#ground.time.sleep(status === 503 ? 200 : 1000, this.#ground.signal);
  }

  /** A delta put together with what is known. */
  #whole(list: MediaPlaylist, given: MediaPlaylist, asked: boolean): MediaPlaylist | null {
    if (given.skipped === null) return given;
    this.#ground.report.counts.deltas += 1;
    if (!asked) this.#tell([fault('delta/unasked', 'a delta came that nobody had asked for')]);
    const { list: merged, faults } = mergeDelta(list, given);
    this.#tell(faults);
    return merged;
  }

  async #compare(merged: MediaPlaylist, position: string): Promise<void> {
    const answer = await this.#ask(position);
    const full = answer && this.#read(answer);
    if (full?.skipped === null) this.#tell(deltaAgainstFull(merged, full));
  }

  #read(answer: Answer): MediaPlaylist | null {
    const read = readPlaylist(answer.body.toString('utf8'));
    if (read.kind === 'media') return read;
    this.#tell([fault('hls/syntax', 'a multivariant playlist where a media playlist was to be')]);
    this.#failures += 1;
    return null;
  }

  #take(now: MediaPlaylist | null, askedAt: number): void {
    if (!now) return;
    const before = this.#list;
    this.#failures = 0;
    this.#ground.report.counts.playlists += 1;
    this.#tell(playlistAlone(now));
    if (before) this.#tell(playlistNext(before, now));
    if (this.#role === 'iframes' && !now.iframesOnly) this.#tell([fault('multi/iframes', 'it is no playlist of I-FRAMES-ONLY')]);
    this.#askedAt = askedAt;
    this.#seenAt = this.#ground.time.now();
    this.#tell(this.#pace.judge(before, now, this.#seenAt));
    this.#tell(this.#used(now));
    this.#list = now;
    this.#fetchNew(before, now);
    this.#host.onList(this);
  }

  /** No address twice, also when it has left the playlist long ago. */
  *#used(now: MediaPlaylist): Generator<ReturnType<typeof fault>> {
    const known = this.#list ? nextMsn(this.#list) : Number.NEGATIVE_INFINITY;
    // Under another number it is a finding of the numbers.
    const before = new Set(this.#list?.segments.map(({ uri, byteRange }) => `${uri} ${byteRange ?? ''}`));
    for (const { msn, uri, byteRange } of now.segments) {
      if (uri === null || msn < known) continue;
      const name = `${uri} ${byteRange ?? ''}`;
      if (this.#addresses.has(name) && !before.has(name)) yield fault('hls/uri-twice', `${uri} was another segment before it became ${msn}`);
      this.#addresses.add(name);
      if (this.#addresses.size > mostAddresses) this.#addresses.delete(this.#addresses.values().next().value ?? '');
    }
  }

  #fetchNew(before: MediaPlaylist | null, now: MediaPlaylist): void {
    this.#tell(this.#mapsOf(now));
    const hint = this.#hint;
    for (const { segment, index } of newParts(before, now)) {
      const isHinted = hint !== null && segment.parts[index]?.uri === hint.uri;
      if (hint && !isHinted && segment.msn === hint.msn && index === hint.part && segment.discontinuitySequence === hint.sequence) {
        this.#tell([fault('hls/hint-kept', `${hint.uri} was hinted at, and ${segment.parts[index]?.uri} came`)]);
      }
      this.media.part(now, segment, index, isHinted ? hint.answer : null);
      if (isHinted) this.#hint = null;
    }
    for (const segment of newSegments(before, now)) this.media.segment(now, segment);
    if (before) void this.#stillThere(before, now);
    const { msn, part } = nextPosition(now);
    if (this.#hint && (msn > this.#hint.msn || (msn === this.#hint.msn && part > this.#hint.part))) this.#drop();
  }

  /** Who has the playlist of a moment ago asks for what it lists. */
  async #stillThere(before: MediaPlaylist, now: MediaPlaylist): Promise<void> {
    const { time, signal, report, fetch } = this.#ground;
    if (now.endList || time.now() - this.#lookedBackAt < lookBackEveryMs) return;
    const gone = before.segments.findLast(({ msn, uri, gap }) => msn < now.mediaSequence && uri !== null && !gap)?.uri;
    const had = new Set(now.segments.filter(({ parts }) => parts.length > 0).map(({ msn }) => msn));
    const part = before.segments.findLast(({ msn, parts }) => parts.length > 0 && !had.has(msn))?.parts.find(({ gap }) => !gap)?.uri;
    if (gone === undefined && part === undefined) return;
    this.#lookedBackAt = time.now();
    for (const uri of [gone, part]) {
      if (uri == null || !URL.canParse(uri, this.url)) continue;
      const { status, trouble } = await fetch(new URL(uri, this.url).href, { timeoutMs: 10_000, limit: 256 << 20, signal });
      if (signal.aborted || trouble) return;
      if (status !== 200) report.tell(nameOf(this.url), [fault('hls/gone-early', `${uri} has just left the playlist, and the answer is ${status}`)]);
    }
  }

  *#mapsOf(now: MediaPlaylist): Generator<ReturnType<typeof fault>> {
    const listed: Segment[] = [...now.segments, ...(now.open ? [now.open] : [])];
    for (const [index, one] of listed.entries()) {
      const before = listed[index - 1];
      if (before?.map && one.map && before.map.uri !== one.map.uri && one.discontinuities === 0 && !one.ownKey) {
        yield fault('hls/map-changed', `segment ${one.msn} has another MAP than the one before it, and no DISCONTINUITY`);
      }
    }
  }

  /** Asks for the part that is to come, once. */
  #expectHint(list: MediaPlaylist): void {
    const hinted = list.hints.find(({ type }) => type === 'PART');
    if (!hinted || hinted.uri === this.#hint?.uri) return;
    this.#drop();
    const url = URL.canParse(hinted.uri, this.url) ? new URL(hinted.uri, this.url).href : hinted.uri;
    const stop = new AbortController();
    const timeoutMs = 3000 * (list.targetDuration ?? 6) + slackMs;
    const signal = AbortSignal.any([stop.signal, this.#ground.signal]);
    const answer = this.#ground.fetch(url, { timeoutMs, limit: 64 << 20, signal }).then((got) => (got.trouble || signal.aborted ? null : got));
    const sequence = (list.open ?? list.segments.at(-1))?.discontinuitySequence ?? list.discontinuitySequence;
    this.#hint = { uri: hinted.uri, ...nextPosition(list), sequence, answer, stop };
  }

  #drop(): void {
    this.#hint?.stop.abort();
    this.#hint = null;
  }
}
