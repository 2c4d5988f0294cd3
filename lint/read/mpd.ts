/** Reads manifests of DASH (ISO/IEC 23009-1) with SegmentTemplate and SegmentTimeline. Faults are findings, never exceptions. */
import type { RuleId } from '../catalogue.ts';
import { fault, type Fault } from '../finding.ts';
import { readDate, readDuration } from './dates.ts';
import { attributeOf, childrenOf, readXml, type Element } from './xml.ts';

export type TimedSegment = { readonly number: number; readonly time: number; readonly duration: number };

export type Representation = {
  /** Of the adaptation set and its own. */
  readonly key: string;
  readonly id: string;
  readonly contentType: string;
  readonly mimeType: string;
  readonly codecs: string | null;
  readonly bandwidth: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly timescale: number;
  readonly presentationTimeOffset: number;
  /** Seconds. */
  readonly availabilityTimeOffset: number;
  readonly availabilityTimeComplete: boolean;
  readonly initialization: string | null;
  readonly media: string;
  readonly startNumber: number;
  readonly segments: readonly TimedSegment[];
  readonly base: readonly string[];
};

export type Period = {
  readonly id: string | null;
  /** Seconds; null: neither said nor to be worked out. */
  readonly start: number | null;
  readonly duration: number | null;
  readonly representations: readonly Representation[];
};

export type Mpd = {
  readonly type: 'static' | 'dynamic';
  readonly attributes: ReadonlyMap<string, string>;
  readonly availabilityStartTime: number | null;
  readonly publishTime: number | null;
  readonly minimumUpdatePeriod: number | null;
  readonly timeShiftBufferDepth: number | null;
  readonly mediaPresentationDuration: number | null;
  readonly location: string | null;
  readonly base: readonly string[];
  readonly periods: readonly Period[];
  readonly clocks: readonly { readonly scheme: string; readonly value: string }[];
  readonly latency: { readonly target: number | null; readonly min: number | null; readonly max: number | null } | null;
  readonly faults: readonly Fault[];
};

const mostSegments = 300_000;

export const readMpd = (text: string): { readonly mpd: Mpd | null; readonly faults: readonly Fault[] } => {
  const { root, complaint } = readXml(text);
  if (!root) return { mpd: null, faults: [fault('dash/xml', complaint ?? 'no XML')] };
  if (root.name !== 'MPD') return { mpd: null, faults: [fault('dash/xml', `the root element is ${root.name.slice(0, 40)}, not MPD`)] };
  const mpd = new Reader(root).read();
  return { mpd, faults: mpd.faults };
};

class Reader {
  readonly #root: Element;
  readonly #faults: Fault[] = [];
  #segments = 0;

  constructor(root: Element) {
    this.#root = root;
  }

  #say(rule: RuleId, says: string): void {
    if (this.#faults.length < 20) this.#faults.push(fault(rule, says));
  }

  #whole(of: Element, name: string, missing: number): number {
    const text = attributeOf(of, name);
    if (text === null) return missing;
    if (/^-?\d{1,16}$/.test(text)) return Number(text);
    this.#say('dash/xml', `@${name} of ${of.name} is "${text.slice(0, 30)}"`);
    return missing;
  }

  #seconds(of: Element, name: string): number | null {
    const text = attributeOf(of, name);
    if (text === null) return null;
    const seconds = readDuration(text);
    if (seconds === null) this.#say('dash/xml', `@${name} of ${of.name} is no duration: "${text.slice(0, 30)}"`);
    return seconds;
  }

  #date(name: string): number | null {
    const text = attributeOf(this.#root, name);
    if (text === null) return null;
    const date = readDate(text);
    if (date === null) this.#say('dash/xml', `@${name} is no date: "${text.slice(0, 40)}"`);
    return date;
  }

  read(): Mpd {
    const root = this.#root;
    const type = attributeOf(root, 'type') ?? 'static';
    if (type !== 'static' && type !== 'dynamic') this.#say('dash/xml', `a type of "${type.slice(0, 30)}"`);
    const [service] = childrenOf(root, 'ServiceDescription');
    const latency = service && childrenOf(service, 'Latency')[0];
    const ms = (name: string): number | null => (latency && attributeOf(latency, name) !== null ? this.#whole(latency, name, 0) : null);
    return {
      type: type === 'dynamic' ? 'dynamic' : 'static',
      attributes: root.attributes,
      availabilityStartTime: this.#date('availabilityStartTime'),
      publishTime: this.#date('publishTime'),
      minimumUpdatePeriod: this.#seconds(root, 'minimumUpdatePeriod'),
      timeShiftBufferDepth: this.#seconds(root, 'timeShiftBufferDepth'),
      mediaPresentationDuration: this.#seconds(root, 'mediaPresentationDuration'),
      location: childrenOf(root, 'Location')[0]?.text.trim() ?? null,
      base: baseOf(root),
      periods: this.#periods(),
      clocks: childrenOf(root, 'UTCTiming').map((one) => ({ scheme: attributeOf(one, 'schemeIdUri') ?? '', value: attributeOf(one, 'value') ?? '' })),
      latency: latency ? { target: ms('target'), min: ms('min'), max: ms('max') } : null,
      faults: this.#faults,
    };
  }

  #periods(): Period[] {
    const periods: Period[] = [];
    for (const element of childrenOf(this.#root, 'Period')) {
      const before = periods.at(-1);
      const said = this.#seconds(element, 'start');
      const follows = before ? (before.start === null || before.duration === null ? null : before.start + before.duration) : 0;
      const representations = childrenOf(element, 'AdaptationSet').flatMap((set, index) =>
        childrenOf(set, 'Representation').flatMap((one) => this.#representation([element, set, one], index) ?? []),
      );
      periods.push({ id: attributeOf(element, 'id'), start: said ?? follows, duration: this.#seconds(element, 'duration'), representations });
    }
    return periods;
  }

  /** What is not said by a representation is said by its set, or by the Period (5.3.9.2.2). */
  #representation(path: readonly [Element, Element, Element], index: number): Representation | null {
    const [period, set, one] = path;
    const templates = [one, set, period].flatMap((element) => childrenOf(element, 'SegmentTemplate').slice(0, 1));
    const said = (name: string): string | null => templates.map((template) => attributeOf(template, name)).find((text) => text !== null) ?? null;
    const owner = (name: string): Element => templates.find((template) => template.attributes.has(name)) ?? one;
    const either = (name: string): string | null => attributeOf(one, name) ?? attributeOf(set, name);
    const id = attributeOf(one, 'id');
    const media = said('media');
    if (id === null || !/^\d{1,12}$/.test(attributeOf(one, 'bandwidth') ?? '')) this.#say('dash/required', 'a Representation without id and bandwidth');
    const mimeType = either('mimeType');
    if (mimeType === null) this.#say('dash/required', `no mimeType for ${id}`);
    const [timeline] = templates.flatMap((template) => childrenOf(template, 'SegmentTimeline'));
    if (media === null || !timeline) return null;
    const timescale = this.#whole(owner('timescale'), 'timescale', 1);
    const startNumber = this.#whole(owner('startNumber'), 'startNumber', 1);
    const offset = said('availabilityTimeOffset');
    const size = (name: string): number | null => {
      const text = either(name);
      return text === null ? null : Number(text);
    };
    return {
      key: `${attributeOf(set, 'id') ?? index}/${id}`,
      id: id ?? '',
      contentType: attributeOf(set, 'contentType') ?? (mimeType ?? '').split('/')[0] ?? '',
      mimeType: mimeType ?? '',
      codecs: either('codecs'),
      bandwidth: Number(attributeOf(one, 'bandwidth') ?? 0),
      width: size('width'),
      height: size('height'),
      timescale: Math.max(1, timescale),
      presentationTimeOffset: this.#whole(owner('presentationTimeOffset'), 'presentationTimeOffset', 0),
      availabilityTimeOffset: offset !== null && Number.isFinite(Number(offset)) ? Number(offset) : 0,
      availabilityTimeComplete: said('availabilityTimeComplete') !== 'false',
      initialization: said('initialization'),
      media,
      startNumber,
      segments: this.#timeline(timeline, startNumber, id ?? ''),
      base: [period, set, one].flatMap(baseOf),
    };
  }

  #timeline(timeline: Element, startNumber: number, id: string): TimedSegment[] {
    const segments: TimedSegment[] = [];
    let [time, number] = [0, startNumber];
    const entries = childrenOf(timeline, 'S');
    entries.forEach((entry, index) => {
      const start = this.#whole(entry, 't', time);
      const duration = this.#whole(entry, 'd', 0);
      let repeat = this.#whole(entry, 'r', 0);
      if (duration <= 0) return this.#say('dash/timeline', `an S of ${id} without a length`);
      if (start < time) this.#say('dash/timeline', `${id}: an S at ${start} begins before the one ahead of it has ended at ${time}`);
      time = start;
      const next = entries[index + 1];
      if (repeat < 0) repeat = next ? Math.max(0, Math.ceil((this.#whole(next, 't', time) - time) / duration) - 1) : 0;
      for (let count = 0; count <= repeat; count += 1) {
        if ((this.#segments += 1) > mostSegments) return this.#say('dash/timeline', `more than ${mostSegments} segments`);
        segments.push({ number, time, duration });
        time += duration;
        number += 1;
      }
    });
    return segments;
  }
}

const baseOf = (element: Element): string[] => childrenOf(element, 'BaseURL').slice(0, 1).map(({ text }) => text.trim());

/** 5.3.9.4.4: identifiers between dollars, perhaps with a width. */
export const fillTemplate = (template: string, values: { readonly id: string; readonly bandwidth: number; readonly number?: number; readonly time?: number }): string =>
  template.replace(/\$(?:(RepresentationID|Number|Bandwidth|Time)(?:%0(\d{1,2})d)?)?\$/g, (whole, name: string | undefined, width: string | undefined) => {
    if (name === undefined) return '$';
    const value = { RepresentationID: values.id, Number: values.number, Bandwidth: values.bandwidth, Time: values.time }[name];
    return value === undefined ? whole : String(value).padStart(Number(width ?? 0), '0');
  });
