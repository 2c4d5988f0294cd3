/** EXT-X-DATERANGE (HLS 4.4.5.1): times that agree, SCTE-35 that can be one, and the same thing said for ever. */
import { fault, type Fault } from '../finding.ts';
import { isYes, numberOf, textOf, type Attributes } from '../read/attributes.ts';
import { readDate } from '../read/dates.ts';
import type { MediaPlaylist } from '../read/playlist.ts';

const scte35 = ['SCTE35-CMD', 'SCTE35-OUT', 'SCTE35-IN'] as const;

export function* datesInside({ dateRanges }: MediaPlaylist): Generator<Fault> {
  const known = new Map<string, Attributes>();
  for (const { id, attributes } of dateRanges) {
    if (id === null) {
      yield fault('hls/daterange', 'a DATERANGE without ID');
      continue;
    }
    const before = known.get(id);
    if (before) yield* contradictions(id, before, attributes);
    known.set(id, new Map([...(before ?? []), ...attributes]));
  }
  for (const [id, attributes] of known) yield* oneRange(id, attributes);
}

function* oneRange(id: string, attributes: Attributes): Generator<Fault> {
  const name = `DATERANGE ${id.slice(0, 60)}`;
  const start = readDate(textOf(attributes, 'START-DATE') ?? '');
  if (start === null) yield fault('hls/daterange', `${name} has no START-DATE that is a date`);
  const endText = textOf(attributes, 'END-DATE');
  const end = endText === null ? null : readDate(endText);
  const duration = numberOf(attributes, 'DURATION');
  if (endText !== null && end === null) yield fault('hls/daterange', `${name} has an END-DATE that is no date`);
  if (start !== null && end !== null) {
    if (end < start) yield fault('hls/daterange', `${name} ends before it starts`);
    else if (duration !== null && Math.abs(end - start - duration * 1000) > 2) yield fault('hls/daterange', `${name} lasts ${duration} s and ends ${(end - start) / 1000} s after its start`);
  }
  if ((duration ?? 0) < 0) yield fault('hls/daterange', `${name} lasts ${duration} s`);
  if (isYes(attributes, 'END-ON-NEXT') && (attributes.has('DURATION') || attributes.has('END-DATE') || !attributes.has('CLASS'))) {
    yield fault('hls/daterange', `${name} has END-ON-NEXT, and ${attributes.has('CLASS') ? 'another end as well' : 'no CLASS'}`);
  }
  for (const kind of scte35) {
    const text = textOf(attributes, kind);
    // The first byte of a splice_info_section is its table id, FC.
    if (text !== null && !/^0x(?:FC)(?:[0-9A-F]{2}){10,}$/i.test(text)) yield fault('hls/daterange-scte35', `${kind} of ${name} is "${text.slice(0, 40)}"`);
  }
}

function* contradictions(id: string, before: Attributes, now: Attributes): Generator<Fault> {
  for (const [key, { text }] of now) {
    const was = before.get(key);
    if (was && was.text !== text) return yield fault('hls/daterange-changed', `${key} of DATERANGE ${id.slice(0, 60)} was "${was.text.slice(0, 60)}" and is "${text.slice(0, 60)}"`);
  }
}

export function* dateRangesNext(before: MediaPlaylist, now: MediaPlaylist): Generator<Fault> {
  const known = new Map(before.dateRanges.flatMap(({ id, attributes }) => (id === null ? [] : [[id, attributes] as const])));
  for (const { id, attributes } of now.dateRanges) {
    const was = id === null ? undefined : known.get(id);
    if (id !== null && was) yield* contradictions(id, was, attributes);
  }
}
