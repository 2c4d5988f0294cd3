/**
 * For tests: the same media as `good-stream.ts` as a live DASH presentation that keeps every rule. Two Periods, the
 * segment in progress listed and sent while it is made; it ends with segment 26.
 */
import type { Answer, Fetch } from '../watch/answer.ts';
import { initOf } from './boxes.ts';
import { headers, iso, media, problem, segmentOf, tracks, type Reply, type Tamper } from './good-stream.ts';
import type { VirtualTime } from './virtual-time.ts';

const begin = Date.UTC(2026, 0, 1) - 20_000;
const lastOfFirst = 13;
const last = 26;
const listed = 10;

const closedAt = (now: number): number => Math.min(last, Math.floor((20_000 + now) / 2000));

export const manifestOf = (now: number): string => {
  const closed = closedAt(now);
  const ended = closed === last;
  const to = ended ? last : closed + 1;
  const from = Math.max(1, closed - listed + 1);
  const periods = [
    { id: 'e0', first: Math.max(1, from), last: Math.min(to, lastOfFirst), start: 0 },
    { id: 'e1', first: Math.max(lastOfFirst + 1, from), last: to, start: lastOfFirst * 2 },
  ].filter((one) => one.first <= one.last);
  const attributes = ended
    ? 'type="static" mediaPresentationDuration="PT52S"'
    : `type="dynamic" availabilityStartTime="${iso(begin)}" publishTime="${iso(begin + 20_000 + now)}" minimumUpdatePeriod="PT0.5S" timeShiftBufferDepth="PT20S"`;
  const body = periods.map((period) => `<Period id="${period.id}" start="PT${period.start}S">${tracks.map((track) => set(track, period)).join('')}</Period>`).join('');
  const service = ended ? '' : '<ServiceDescription id="0"><Latency target="2000" min="1500" max="60000"/></ServiceDescription>';
  const clock = ended ? '' : '<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="time"/>';
  return `<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" minBufferTime="PT2S" ${attributes}>${service}${body}${clock}</MPD>`;
};

type Span = { readonly id: string; readonly first: number; readonly last: number; readonly start: number };

const set = ({ id, kind, timescale }: (typeof tracks)[number], period: Span): string => {
  const epoch = period.id === 'e1' ? 1 : 0;
  const about = kind === 'video' ? `codecs="avc1.6400${epoch === 1 ? '1f' : '1e'}" width="640" height="360" frameRate="10"` : 'codecs="mp4a.40.2" audioSamplingRate="48000"';
  const timeline = `<SegmentTimeline><S t="${(period.first - 1) * 2 * timescale}" d="${2 * timescale}" r="${period.last - period.first}"/></SegmentTimeline>`;
  const template = `timescale="${timescale}" presentationTimeOffset="${period.start * timescale}" availabilityTimeOffset="1.5" availabilityTimeComplete="false" initialization="$RepresentationID$/i-${epoch}.mp4" media="$RepresentationID$/s-$Number$.m4s" startNumber="${period.first}"`;
  return `<AdaptationSet id="${id === 'v0' ? 1 : 2}" contentType="${kind}" mimeType="${kind}/mp4"><SegmentTemplate ${template}>${timeline}</SegmentTemplate><Representation id="${id}" bandwidth="40000" ${about}/></AdaptationSet>`;
};

export class GoodManifest {
  readonly #time: VirtualTime;
  readonly #tamper: Tamper;

  constructor(time: VirtualTime, tamper: Tamper = () => undefined) {
    this.#time = time;
    this.#tamper = tamper;
  }

  readonly fetch: Fetch = async (url, { signal = new AbortController().signal }) => {
    const askedAt = this.#time.now();
    const path = new URL(url).pathname.replace('/play/', '');
    const file = path.split('/').at(-1) ?? '';
    const number = Number(/s-(\d+)/.exec(file)?.[1] ?? 0);
    const chunked = number > closedAt(askedAt);
    if (chunked) await this.#time.until(number * 2000 - 20_000, signal);
    const reply = this.#reply(path, file, number);
    const { status, headers, body, trouble = null, wire = body.length } = this.#tamper(reply, { path, file, query: '', now: askedAt }) ?? reply;
    const given: Answer = { url, status, headers, body, wire, chunked: chunked && !headers.has('content-length'), askedAt, beganAt: askedAt, endedAt: this.#time.now(), trouble };
    return given;
  };

  #reply(path: string, file: string, number: number): Reply {
    if (file === 'manifest.mpd') return { status: 200, headers: headers('application/dash+xml', 'no-cache').set('content-encoding', 'gzip'), body: Buffer.from(manifestOf(this.#time.now())) };
    if (file === 'time') return { status: 200, headers: headers('text/plain', 'no-store'), body: Buffer.from(iso(this.#time.wall())) };
    const track = tracks.find(({ id }) => path.startsWith(id));
    if (!track) return problem(404);
    if (file.startsWith('i-')) return media(initOf({ kind: track.kind, timescale: track.timescale, ...(file === 'i-1.mp4' ? { level: 0x1f } : {}) }), track.kind);
    const reply = media(segmentOf(track, number), track.kind);
    reply.headers.delete('content-length');
    return reply;
  }
}
