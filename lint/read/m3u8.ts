/**
 * Reads playlists (RFC 8216bis). What cannot be understood becomes a finding, never an exception: the text may come
 * from anybody. It is read line by line, with limits on both.
 */
import { fault, type Fault } from '../finding.ts';
import { isYes, numberOf, readAttributes, textOf, type Attributes } from './attributes.ts';
import { readDate } from './dates.ts';
import { partsLength, type DateRange, type Hint, type MapTag, type MediaPlaylist, type MultivariantPlaylist, type Part, type Rendition, type RenditionReport, type Segment, type ServerControl, type Variant } from './playlist.ts';

const mostLines = 400_000;
const longestLine = 65_536;
const mostFaults = 20;

export const readPlaylist = (text: string): MediaPlaylist | MultivariantPlaylist => {
  const reader = new Reader();
  if (!text.startsWith('#EXTM3U')) reader.complain('the first line is not #EXTM3U');
  let lines = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end).replace(/\r$/, '');
    at = end < 0 ? text.length : end + 1;
    if ((lines += 1) > mostLines) {
      reader.complain(`more than ${mostLines} lines`);
      break;
    }
    if (line.length > longestLine) reader.complain(`a line of ${line.length} characters`);
    else if (line.startsWith('#EXT')) reader.tag(line);
    else if (line !== '' && !line.startsWith('#')) reader.uri(line);
  }
  return reader.done();
};

type Pending = { duration: number | null; discontinuities: number; map: MapTag | null; ownMap: boolean; ownKey: boolean; date: number | null; gap: boolean; byteRange: string | null; encrypted: boolean; parts: Part[]; late: string[] };

const nothing = (map: MapTag | null, encrypted = false): Pending => ({ duration: null, discontinuities: 0, map, ownMap: false, ownKey: false, date: null, gap: false, byteRange: null, encrypted, parts: [], late: [] });

/** Tags that may stand once in a playlist. */
const once = new Set(['VERSION', 'TARGETDURATION', 'MEDIA-SEQUENCE', 'DISCONTINUITY-SEQUENCE', 'PLAYLIST-TYPE', 'I-FRAMES-ONLY', 'SERVER-CONTROL', 'PART-INF', 'SKIP', 'START', 'INDEPENDENT-SEGMENTS', 'ENDLIST'].map((name) => `EXT-X-${name}`));

class Reader {
  readonly #faults: Fault[] = [];
  readonly #seen = new Set<string>();
  readonly #segments: Omit<Segment, 'msn' | 'discontinuitySequence'>[] = [];
  readonly #hints: Hint[] = [];
  readonly #reports: RenditionReport[] = [];
  readonly #dateRanges: DateRange[] = [];
  readonly #variants: Variant[] = [];
  readonly #iframes: Variant[] = [];
  readonly #renditions: Rendition[] = [];
  readonly #numbers = new Map<string, number>();
  #serverControl: ServerControl | null = null;
  #playlistType: string | null = null;
  #stream: Attributes | null = null;
  #start: number | null = null;
  #partTarget: number | null = null;
  #needs = 1;
  #withoutIv = false;
  #next = nothing(null);

  complain(says: string): void {
    if (this.#faults.length < mostFaults) this.#faults.push(fault('hls/syntax', says));
  }

  tag(line: string): void {
    const colon = line.indexOf(':');
    const name = line.slice(1, colon < 0 ? line.length : colon);
    const value = colon < 0 ? '' : line.slice(colon + 1);
    if (once.has(name) && this.#seen.has(name)) this.complain(`${name} stands twice`);
    this.#seen.add(name);
    // RFC 8216bis, 4.4.4.9: what a segment is must be known before its first part is.
    if (this.#next.parts.length > 0 && /^EXT-X-(?:DISCONTINUITY|MAP|KEY|PROGRAM-DATE-TIME)$/.test(name)) this.#next.late.push(name);
    switch (name) {
      case 'EXT-X-VERSION':
      case 'EXT-X-TARGETDURATION':
      case 'EXT-X-MEDIA-SEQUENCE':
      case 'EXT-X-DISCONTINUITY-SEQUENCE':
        if (!/^\d{1,15}$/.test(value)) return this.complain(`${name} is no whole number: "${value.slice(0, 40)}"`);
        if (this.#segments.length > 0 && name.endsWith('SEQUENCE')) this.complain(`${name} stands behind the first segment`);
        this.#numbers.set(name, Number(value));
        return;
      case 'EXT-X-PLAYLIST-TYPE':
        if (value !== 'EVENT' && value !== 'VOD') this.complain(`a PLAYLIST-TYPE of "${value.slice(0, 20)}"`);
        this.#playlistType = value;
        return;
      case 'EXTINF':
        return this.#extinf(value);
      case 'EXT-X-DISCONTINUITY':
        this.#next.discontinuities += 1;
        return;
      case 'EXT-X-GAP':
        this.#needs = Math.max(this.#needs, 8);
        this.#next.gap = true;
        return;
      case 'EXT-X-BYTERANGE':
        this.#needs = Math.max(this.#needs, 4);
        this.#next.byteRange = value;
        return;
      case 'EXT-X-PROGRAM-DATE-TIME':
        this.#next.date = readDate(value);
        if (this.#next.date === null) this.complain(`a PROGRAM-DATE-TIME of "${value.slice(0, 40)}"`);
        return;
      case 'EXT-X-KEY':
        this.#next.ownKey = /\bMETHOD=SAMPLE-AES/.test(value);
        this.#next.encrypted = !/\bMETHOD=NONE\b/.test(value);
        this.#withoutIv = /\bMETHOD=AES-128\b/.test(value) && !/\bIV=0x/i.test(value);
        return;
      case 'EXT-X-I-FRAMES-ONLY':
        this.#needs = Math.max(this.#needs, 4);
        return;
      default:
        if (/^EXT-X-(?:MAP|PART|PART-INF|SERVER-CONTROL|SKIP|PRELOAD-HINT|RENDITION-REPORT|DATERANGE|START|MEDIA|STREAM-INF|I-FRAME-STREAM-INF)$/.test(name)) this.#listed(name, value);
    }
  }

  #extinf(value: string): void {
    const [, seconds] = /^(\d{1,10}(?:\.\d{1,20})?),/.exec(value) ?? /^(\d{1,10}(?:\.\d{1,20})?)$/.exec(value) ?? [];
    if (seconds === undefined) this.complain(`an EXTINF of "${value.slice(0, 40)}"`);
    if (this.#next.duration !== null) this.complain('two EXTINF for one segment');
    if (seconds?.includes('.') === true) this.#needs = Math.max(this.#needs, 3);
    this.#next.duration = Number(seconds ?? 0);
  }

  #listed(name: string, value: string): void {
    const { attributes, complaint } = readAttributes(value);
    if (complaint) this.complain(`${name}: ${complaint}`);
    const uri = textOf(attributes, 'URI');
    const need = (missing: string): void => this.complain(`${name} without ${missing}`);
    switch (name) {
      case 'EXT-X-MAP':
        if (uri === null) return need('URI');
        this.#next.map = { uri, byteRange: textOf(attributes, 'BYTERANGE'), unreadable: this.#withoutIv };
        this.#next.ownMap = true;
        this.#needs = Math.max(this.#needs, this.#seen.has('EXT-X-I-FRAMES-ONLY') ? 5 : 6);
        return;
      case 'EXT-X-PART': {
        const duration = numberOf(attributes, 'DURATION');
        if (uri === null || duration === null) return need(uri === null ? 'URI' : 'DURATION');
        const byteRange = textOf(attributes, 'BYTERANGE');
        this.#next.parts.push({ uri, duration, independent: isYes(attributes, 'INDEPENDENT'), gap: isYes(attributes, 'GAP'), byteRange });
        return;
      }
      case 'EXT-X-PART-INF':
        this.#partTarget = numberOf(attributes, 'PART-TARGET');
        if (this.#partTarget === null) need('PART-TARGET');
        return;
      case 'EXT-X-SERVER-CONTROL':
        this.#serverControl = {
          text: value,
          canBlockReload: isYes(attributes, 'CAN-BLOCK-RELOAD'),
          canSkipUntil: numberOf(attributes, 'CAN-SKIP-UNTIL'),
          holdBack: numberOf(attributes, 'HOLD-BACK'),
          partHoldBack: numberOf(attributes, 'PART-HOLD-BACK'),
        };
        return;
      case 'EXT-X-SKIP': {
        const skipped = numberOf(attributes, 'SKIPPED-SEGMENTS');
        if (skipped === null || skipped < 1 || !Number.isInteger(skipped)) return need('a SKIPPED-SEGMENTS of at least 1');
        if (this.#segments.length > 0) this.complain('SKIP stands behind a segment');
        this.#needs = Math.max(this.#needs, 9);
        this.#numbers.set(name, skipped);
        return;
      }
      case 'EXT-X-PRELOAD-HINT':
        if (uri === null) return need('URI');
        this.#hints.push({ type: textOf(attributes, 'TYPE') ?? '', uri });
        return;
      case 'EXT-X-RENDITION-REPORT':
        if (uri === null) return need('URI');
        this.#reports.push({ uri, lastMsn: numberOf(attributes, 'LAST-MSN'), lastPart: numberOf(attributes, 'LAST-PART') });
        return;
      case 'EXT-X-DATERANGE':
        this.#dateRanges.push({ id: textOf(attributes, 'ID'), attributes });
        return;
      case 'EXT-X-START':
        this.#start = numberOf(attributes, 'TIME-OFFSET');
        if (this.#start === null) need('TIME-OFFSET');
        return;
      case 'EXT-X-STREAM-INF':
        if (this.#stream) this.complain('a STREAM-INF without an address');
        this.#stream = attributes;
        return;
      case 'EXT-X-I-FRAME-STREAM-INF':
        if (uri === null) return need('URI');
        this.#iframes.push({ uri, attributes });
        return;
      case 'EXT-X-MEDIA': {
        const [type, group, title] = ['TYPE', 'GROUP-ID', 'NAME'].map((key) => textOf(attributes, key));
        if (!type || !group || title == null) return need('TYPE, GROUP-ID and NAME');
        this.#renditions.push({ type, group, name: title, uri, attributes });
      }
    }
  }

  uri(line: string): void {
    if (this.#stream) {
      this.#variants.push({ uri: line, attributes: this.#stream });
      this.#stream = null;
      return;
    }
    if (this.#next.duration === null) this.complain(`no EXTINF before ${line.slice(0, 80)}`);
    this.#segments.push({ ...this.#next, uri: line, duration: this.#next.duration ?? 0 });
    this.#next = nothing(this.#next.map, this.#next.encrypted);
  }

  done(): MediaPlaylist | MultivariantPlaylist {
    if (this.#stream) this.complain('a STREAM-INF without an address');
    const multivariant = this.#variants.length > 0 || this.#renditions.length > 0 || this.#iframes.length > 0;
    const version = this.#numbers.get('EXT-X-VERSION') ?? null;
    if (multivariant) {
      if (this.#segments.length > 0 || this.#seen.has('EXT-X-TARGETDURATION')) this.complain('both a multivariant and a media playlist');
      return { kind: 'multivariant', version, variants: this.#variants, renditions: this.#renditions, iframes: this.#iframes, start: this.#start, faults: this.#faults };
    }
    return this.#media(version);
  }

  #media(version: number | null): MediaPlaylist {
    const mediaSequence = this.#numbers.get('EXT-X-MEDIA-SEQUENCE') ?? 0;
    const discontinuitySequence = this.#numbers.get('EXT-X-DISCONTINUITY-SEQUENCE') ?? 0;
    const skipped = this.#numbers.get('EXT-X-SKIP') ?? null;
    let sequence = discontinuitySequence;
    const numbered = (one: Omit<Segment, 'msn' | 'discontinuitySequence'>, index: number): Segment => {
      sequence += one.discontinuities;
      return { ...one, msn: mediaSequence + (skipped ?? 0) + index, discontinuitySequence: sequence };
    };
    const segments = this.#segments.map(numbered);
    const { parts } = this.#next;
    const begun = parts.length > 0 || this.#next.discontinuities > 0 || this.#next.ownMap;
    const open = begun ? numbered({ ...this.#next, uri: null, duration: partsLength(parts) }, segments.length) : null;
    return {
      kind: 'media',
      version,
      targetDuration: this.#numbers.get('EXT-X-TARGETDURATION') ?? null,
      partTarget: this.#partTarget,
      serverControl: this.#serverControl,
      mediaSequence,
      discontinuitySequence,
      independentSegments: this.#seen.has('EXT-X-INDEPENDENT-SEGMENTS'),
      iframesOnly: this.#seen.has('EXT-X-I-FRAMES-ONLY'),
      playlistType: this.#playlistType,
      endList: this.#seen.has('EXT-X-ENDLIST'),
      start: this.#start,
      skipped,
      segments,
      open,
      hints: this.#hints,
      reports: this.#reports,
      dateRanges: this.#dateRanges,
      needsVersion: this.#needs,
      faults: this.#faults,
    };
  }
}
