/**
 * For tests: a manifest as somebody reads it who trusts nothing. A small and strict reader of XML, and on top of it
 * what the manifest says of segments, by the rules of ISO/IEC 23009-1 5.3.9.6; and mpd-parser, which we did not write.
 */
import { parse, type MpdPlaylist, type MpdRead } from 'mpd-parser';

export type XmlNode = { readonly name: string; readonly attributes: Readonly<Record<string, string>>; readonly children: XmlNode[]; text: string };

const nameAt = /[A-Za-z_:][\w:.-]*/y;
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Well-formed or an error: no DOCTYPE, no CDATA, no comments, for manifests have none. */
export const readXml = (text: string): XmlNode => {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!text.startsWith(declaration)) throw new SyntaxError('no declaration');
  let at = declaration.length;
  const fail = (what: string): never => {
    throw new SyntaxError(`${what} at ${at}: ${text.slice(at, at + 40)}`);
  };
  const expect = (token: string): void => {
    if (!text.startsWith(token, at)) fail(`expected ${token}`);
    at += token.length;
  };
  const name = (): string => {
    nameAt.lastIndex = at;
    const found = nameAt.exec(text)?.[0] ?? fail('no name');
    at += found.length;
    return found;
  };
  const decode = (raw: string): string => {
    if (/<|(?![\t\n\r])\p{Cc}|\p{Cs}/u.test(raw)) fail('a character that may not stand here');
    return raw.replace(/&([^;]*);?/g, (whole, entity: string) => {
      const code = /^#(\d+)$/.exec(entity)?.[1];
      const known = code === undefined ? entities[entity] : String.fromCodePoint(Number(code));
      return known !== undefined && whole.endsWith(';') ? known : fail(`an unknown entity ${whole}`);
    });
  };
  const node = (): XmlNode => {
    expect('<');
    const found: XmlNode = { name: name(), attributes: {}, children: [], text: '' };
    const attributes: Record<string, string> = {};
    while (text[at] === ' ') {
      at++;
      const key = name();
      if (key in attributes) fail(`a second ${key}`);
      expect('="');
      const end = text.indexOf('"', at);
      if (end < 0) fail('an open quotation');
      attributes[key] = decode(text.slice(at, end));
      at = end + 1;
    }
    const read = { ...found, attributes };
    if (text.startsWith('/>', at)) {
      at += 2;
      return read;
    }
    expect('>');
    for (;;) {
      const next = text.indexOf('<', at);
      if (next < 0) fail(`${read.name} is not closed`);
      read.text += decode(text.slice(at, next));
      at = next;
      if (text.startsWith('</', at)) break;
      read.children.push(node());
    }
    expect(`</${read.name}>`);
    return read;
  };
  const root = node();
  if (text.slice(at).trim() !== '') fail('something after the end');
  return root;
};

export type SaidSegment = { readonly number: number; readonly start: number; readonly duration: number };
export type SaidTrack = {
  readonly id: string;
  readonly node: XmlNode;
  readonly timescale: number;
  readonly offset: number;
  readonly init: string;
  readonly media: string;
  readonly segments: readonly SaidSegment[];
};
export type SaidPeriod = { readonly id: string; readonly start: number; readonly duration: number | null; readonly tracks: readonly SaidTrack[] };
export type Said = { readonly root: XmlNode; readonly type: string; readonly periods: readonly SaidPeriod[] };

export const childrenOf = (node: XmlNode, name: string): XmlNode[] => node.children.filter((child) => child.name === name);
export const attribute = (node: XmlNode, name: string): string => {
  const value = node.attributes[name];
  if (value === undefined) throw new TypeError(`${node.name} has no @${name}`);
  return value;
};
const only = (node: XmlNode, name: string): XmlNode => {
  const [child, ...more] = childrenOf(node, name);
  if (!child || more.length > 0) throw new TypeError(`${node.name} has ${more.length + (child ? 1 : 0)} ${name}`);
  return child;
};

const wholeNumber = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new TypeError(`${text} is no whole number`);
  return Number(text);
};
export const secondsOf = (text: string): number => {
  const found = /^PT(\d+(?:\.\d{1,6})?)S$/.exec(text)?.[1];
  if (found === undefined) throw new TypeError(`${text} is no duration`);
  return Number(found);
};

export const readManifest = (text: string): Said => {
  const root = readXml(text);
  if (root.name !== 'MPD') throw new TypeError('no MPD');
  const periods = childrenOf(root, 'Period').map((node) => ({
    id: attribute(node, 'id'),
    start: secondsOf(attribute(node, 'start')),
    duration: node.attributes.duration === undefined ? null : secondsOf(node.attributes.duration),
    tracks: childrenOf(node, 'AdaptationSet').flatMap((set) => childrenOf(set, 'Representation').map(readTrack)),
  }));
  return { root, type: attribute(root, 'type'), periods };
};

const readTrack = (node: XmlNode): SaidTrack => {
  const template = only(node, 'SegmentTemplate');
  const segments: SaidSegment[] = [];
  let number = wholeNumber(attribute(template, 'startNumber'));
  let time: number | null = null;
  for (const entry of childrenOf(only(template, 'SegmentTimeline'), 'S')) {
    const start: number | null = entry.attributes.t === undefined ? time : wholeNumber(entry.attributes.t);
    if (start === null) throw new TypeError('the first S has no @t');
    if (time !== null && start < time) throw new TypeError('segments overlap');
    time = start;
    const duration = wholeNumber(attribute(entry, 'd'));
    if (duration === 0) throw new TypeError('a segment without length');
    for (let count = wholeNumber(entry.attributes.r ?? '0'); count >= 0; count--) {
      segments.push({ number: number++, start: time, duration });
      time += duration;
    }
  }
  if (segments.length === 0) throw new TypeError('an empty SegmentTimeline');
  return {
    id: attribute(node, 'id'),
    node,
    timescale: wholeNumber(attribute(template, 'timescale')),
    offset: wholeNumber(template.attributes.presentationTimeOffset ?? '0'),
    init: attribute(template, 'initialization'),
    media: attribute(template, 'media'),
    segments,
  };
};

export const addressOf = (track: SaidTrack, { number }: SaidSegment): string => track.media.replace('$Number$', String(number));

export const readByMpdParser = (text: string, manifestUri: string): { read: MpdRead; video: MpdPlaylist[]; audio: MpdPlaylist[]; complaints: string[] } => {
  const complaints: string[] = [];
  const read = parse(text, { manifestUri, eventHandler: ({ type, message }) => void complaints.push(`${type}: ${message}`) });
  const audio = Object.values(read.mediaGroups.AUDIO).flatMap((group) => Object.values(group).flatMap(({ playlists }) => playlists));
  return { read, video: read.playlists, audio, complaints };
};
