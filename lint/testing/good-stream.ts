/**
 * For tests: a live stream that keeps every rule, made of nothing but its clock. 20 s of it are there when somebody
 * comes; after 6 s more the publisher is away for 10 s and returns with other parameters; after 52 s of media it ends.
 *
 *     media  0 … 20 | 20 … 26 |  away  | 26 … 52 | end        segments of 2 s from number 1 on, parts of 0.5 s
 *     clock         | 0  …  6 | 6 … 16 | 16 … 42 |
 */
import type { Answer, Fetch } from '../watch/answer.ts';
import { fragmentOf, initOf } from './boxes.ts';
import type { VirtualTime } from './virtual-time.ts';

export type Request = { readonly path: string; readonly file: string; readonly query: string; readonly now: number };
export type Reply = { status: number; headers: Map<string, string>; body: Buffer; wire?: number; trouble?: Answer['trouble']; holdMs?: number };
/** Puts something wrong into an answer. */
export type Tamper = (reply: Reply, request: Request) => Reply | undefined | void;

export const origin = 'http://stream.test/play/';
const partsOf = 4;
const partSeconds = 0.5;
const there = 20;
const breakAt = 26;
const end = 52;
const epochBase = Date.UTC(2026, 0, 1) - there * 1000;

type Track = { readonly id: string; readonly kind: 'video' | 'audio'; readonly timescale: number; readonly samples: number };
export const tracks: readonly Track[] = [
  { id: 'v0', kind: 'video', timescale: 90_000, samples: 5 },
  { id: 'a0', kind: 'audio', timescale: 48_000, samples: 24 },
];

export const iso = (ms: number): string => new Date(ms).toISOString();

export type StreamOptions = {
  readonly tamper?: Tamper;
  /** What is asked for instead. */
  readonly rewrite?: (path: string, query: string, now: number) => string;
  /** Segments that are listed. */
  readonly listed?: (now: number) => number;
  /** Seconds from the end of the list that a delta begins to skip. */
  readonly boundary?: number;
  /** Seconds for which the publisher is away. */
  readonly away?: number;
  /** False: it goes on as if nothing had been. */
  readonly breaks?: boolean;
};

export class GoodStream {
  readonly #time: VirtualTime;
  readonly #options: Required<StreamOptions>;

  constructor(time: VirtualTime, options: StreamOptions = {}) {
    this.#time = time;
    this.#options = { tamper: () => undefined, rewrite: (_, query) => query, listed: () => 10, boundary: 12, away: 10, breaks: true, ...options };
  }

  epochOf(msn: number): number {
    return this.#options.breaks && msn > breakAt / 2 ? 1 : 0;
  }

  #dateOf(msn: number): number {
    return epochBase + (msn - 1) * 2000 + (this.epochOf(msn) > 0 ? this.#options.away * 1000 : 0);
  }

  /** Clock ms at which the media up to `seconds` is there. */
  #availableAt(seconds: number): number {
    return (seconds - there + (seconds > breakAt ? this.#options.away : 0)) * 1000;
  }

  #first(): number {
    return Math.max(1, Math.floor(this.#parts() / partsOf) - this.#options.listed(this.#time.now()) + 1);
  }

  /** Whole parts that are there. */
  #parts(): number {
    let parts = there / partSeconds;
    while (parts < end / partSeconds && this.#availableAt((parts + 1) * partSeconds) <= this.#time.now()) parts += 1;
    return parts;
  }

  readonly fetch: Fetch = async (url, { signal = new AbortController().signal }) => {
    const askedAt = this.#time.now();
    const { pathname, search } = new URL(url);
    const path = pathname.replace('/play/', '');
    const file = path.split('/').at(-1) ?? '';
    const query = this.#options.rewrite(path, search.slice(1), askedAt);
    const reply = await this.#reply(path, file, query, signal);
    const given = this.#options.tamper(reply, { path, file, query: search.slice(1), now: askedAt }) ?? reply;
    const { status, headers, body, wire = body.length, trouble = null, holdMs = 0 } = given;
    if (holdMs > 0) await this.#time.sleep(holdMs, signal);
    const answer: Answer = { url, status, headers, body, wire, chunked: false, askedAt, beganAt: this.#time.now(), endedAt: this.#time.now(), trouble };
    return answer;
  };

  async #reply(path: string, file: string, query: string, signal: AbortSignal): Promise<Reply> {
    if (path === 'master.m3u8') return playlist(master, 'public, max-age=10');
    const [id = ''] = path.split('/');
    if (file === 'index.m3u8') return this.#playlist(id, new URLSearchParams(query), signal);
    if (file === 'iframes.m3u8') return playlist(this.#iframes(), this.#ended ? 'public, max-age=60' : 'no-cache');
    return this.#media(id, file, signal);
  }

  get #ended(): boolean {
    return this.#time.now() >= this.#availableAt(end);
  }

  async #playlist(id: string, query: URLSearchParams, signal: AbortSignal): Promise<Reply> {
    const [msn, part] = ['_HLS_msn', '_HLS_part'].map((name) => query.get(name));
    if ([msn, part].some((one) => one != null && !/^\d+$/.test(one)) || (part != null && msn == null)) return problem(400);
    if (msn != null && !this.#ended) {
      if (Number(msn) > Math.floor(this.#parts() / partsOf) + 3) return problem(400);
      const needed = (Number(msn) - 1) * partsOf + (part == null ? partsOf : Number(part) + 1);
      const heldUntil = this.#time.now() + 6000;
      const at = Math.min(this.#availableAt(Math.min(needed * partSeconds, end)), heldUntil);
      await this.#time.until(at, signal);
      if (this.#parts() < Math.min(needed, end / partSeconds)) return problem(503);
    }
    const keep = this.#ended ? 'public, max-age=60' : msn == null ? 'no-cache' : 'public, max-age=2';
    return playlist(id === 'c0' ? this.#captions() : this.#list(id, query.get('_HLS_skip') === 'YES'), keep);
  }

  #head(first: number): string {
    return `#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}\n#EXT-X-DISCONTINUITY-SEQUENCE:${this.epochOf(first)}\n`;
  }

  #list(id: string, skip: boolean): string {
    const parts = this.#parts();
    const closed = Math.floor(parts / partsOf);
    const first = this.#first();
    const behind = (msn: number): number => (parts - msn * partsOf) * partSeconds;
    let text = this.#head(first).replace('\n#EXT-X-TARGET', '\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGET');
    text += '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0,PART-HOLD-BACK=1.5\n#EXT-X-PART-INF:PART-TARGET=0.5\n';
    let from = first;
    while (skip && !this.#ended && behind(from) >= this.#options.boundary) from += 1;
    if (from > first) text += `#EXT-X-SKIP:SKIPPED-SEGMENTS=${from - first}\n`;
    for (let msn = from; msn <= closed; msn += 1) {
      text += this.#opening(msn, first, msn === from);
      if (behind(msn - 1) <= 6) text += partLines(id, msn, partsOf);
      text += `#EXTINF:2.000000,\ns-${msn}.m4s\n`;
    }
    if (this.#ended) return `${text}#EXT-X-ENDLIST\n`;
    const open = parts % partsOf;
    if (open > 0) text += this.#opening(closed + 1, first, false) + partLines(id, closed + 1, open);
    text += `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p-${closed + 1}-${open}.m4s"\n`;
    for (const other of tracks) {
      if (other.id === id) continue;
      const last = open > 0 ? `LAST-MSN=${closed + 1},LAST-PART=${open - 1}` : `LAST-MSN=${closed},LAST-PART=${partsOf - 1}`;
      text += `#EXT-X-RENDITION-REPORT:URI="../${other.id}/index.m3u8",${last}\n`;
    }
    if (first <= 10) text += `#EXT-X-DATERANGE:ID="ad",CLASS="ad",START-DATE="${iso(this.#dateOf(10))}",END-DATE="${iso(this.#dateOf(11))}",DURATION=2.000,SCTE35-OUT=0xFC302000000000000000FFF00F\n`;
    return text;
  }

  #opening(msn: number, first: number, map: boolean): string {
    const changed = msn > first && this.epochOf(msn) !== this.epochOf(msn - 1);
    const init = changed || map ? `#EXT-X-MAP:URI="i-${this.epochOf(msn)}.mp4"\n` : '';
    return `${changed ? '#EXT-X-DISCONTINUITY\n' : ''}${init}#EXT-X-PROGRAM-DATE-TIME:${iso(this.#dateOf(msn))}\n`;
  }

  #plain(line: (msn: number) => string): string {
    const closed = Math.floor(this.#parts() / partsOf);
    const first = this.#first();
    let text = '';
    for (let msn = first; msn <= closed; msn += 1) text += line(msn).replace('OPENING\n', this.#opening(msn, first, msn === first));
    return text + (this.#ended ? '#EXT-X-ENDLIST\n' : '');
  }

  #captions(): string {
    const first = this.#first();
    const control = '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0,PART-HOLD-BACK=1.5\n';
    return this.#head(first) + control + this.#plain((msn) => `OPENING\n#EXTINF:2.000000,\nc-${msn}.vtt\n`).replace(/#EXT-X-MAP.*\n/g, '');
  }

  #iframes(): string {
    const first = this.#first();
    return this.#head(first) + '#EXT-X-I-FRAMES-ONLY\n' + this.#plain((msn) => `OPENING\n#EXTINF:2.000000,\nk-${msn}.m4s\n`);
  }

  async #media(id: string, file: string, signal: AbortSignal): Promise<Reply> {
    const [, kind = '', first = '0', second] = /^([a-z])-(\d+)(?:-(\d+))?\./.exec(file) ?? [];
    const track = tracks.find((one) => one.id === id) ?? tracks[0];
    const number = Number(first);
    if (!track) return problem(404);
    if (kind === 'i') return media(initOf({ kind: track.kind, timescale: track.timescale, ...(number > 0 ? { level: 0x1f } : {}) }), track.kind);
    if (kind === 'c') return { ...media(Buffer.from(captionsOf(number)), 'video'), headers: headers('text/vtt', 'public, max-age=31536000, immutable') };
    const index = (number - 1) * partsOf + Number(second ?? 0);
    if (kind === 'p') {
      if (index > this.#parts() || this.#ended && index >= end / partSeconds) return problem(404);
      await this.#time.until(Math.min(this.#availableAt((index + 1) * partSeconds), this.#time.now() + 6000), signal);
      return index < this.#parts() ? media(partOf(track, number, Number(second)), track.kind) : problem(503);
    }
    if (number * partsOf > this.#parts()) return problem(404);
    return media(kind === 'k' ? keyOf(track, number) : segmentOf(track, number), track.kind);
  }
}

const partLines = (id: string, msn: number, count: number): string =>
  Array.from({ length: count }, (_, part) => `#EXT-X-PART:DURATION=0.500000,URI="p-${msn}-${part}.m4s"${id === 'a0' || part === 0 ? ',INDEPENDENT=YES' : ''}\n`).join('');

const ticksOf = ({ timescale, samples }: Track): number => (timescale * partSeconds) / samples;

export const partOf = (track: Track, msn: number, part: number): Buffer => {
  const { samples, timescale, id } = track;
  return fragmentOf({ time: ((msn - 1) * partsOf + part) * partSeconds * timescale, samples, ticks: ticksOf(track), key: part === 0 || id === 'a0', text: `${id} ${msn} ${part};` });
};

export const segmentOf = (track: Track, msn: number): Buffer => Buffer.concat([0, 1, 2, 3].map((part) => partOf(track, msn, part)));

const keyOf = (track: Track, msn: number): Buffer => fragmentOf({ time: (msn - 1) * 2 * track.timescale, samples: 1, ticks: ticksOf(track), key: true, text: 'key' });

const captionsOf = (msn: number): string => {
  const clock = (seconds: number): string => `00:00:${seconds.toFixed(3).padStart(6, '0')}`;
  return `WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n${clock((msn - 1) * 2)} --> ${clock(msn * 2)}\nHello ${msn}\n`;
};

const master = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a0/index.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,URI="c0/index.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="English",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=60000,AVERAGE-BANDWIDTH=30000,CODECS="avc1.64001e,avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=10.000,VIDEO-RANGE=SDR,AUDIO="sound",SUBTITLES="text",CLOSED-CAPTIONS="cc"
v0/index.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=20000,CODECS="avc1.64001e",RESOLUTION=640x360,URI="v0/iframes.m3u8"
`;

export const headers = (type: string, keep: string): Map<string, string> =>
  new Map([
    ['access-control-allow-origin', '*'],
    ['date', 'Thu, 01 Jan 2026 00:00:00 GMT'],
    ['content-type', type],
    ['cache-control', keep],
  ]);

const playlist = (text: string, keep: string): Reply => ({ status: 200, headers: headers('application/vnd.apple.mpegurl', keep).set('content-encoding', 'gzip'), body: Buffer.from(text) });

export const media = (body: Buffer, kind: string): Reply => ({ status: 200, headers: headers(`${kind}/mp4`, 'public, max-age=31536000, immutable').set('content-length', String(body.length)), body });

export const problem = (status: number): Reply => ({ status, headers: headers('application/problem+json', 'no-store'), body: Buffer.from('{}') });
