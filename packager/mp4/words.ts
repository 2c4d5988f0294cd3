/** What a file says in words: languages and names. Wrong ones are no reason to refuse a film. */
import { boxesIn, Cursor, firstOf, type Box } from './boxes.ts';
import type { Allowance } from './limits.ts';

const unknown = 'und';

const canonical = (tag: string): string | null => {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
};

/** QuickTime's own codes, of which cameras and old editors use these (QuickTime file format, "Language code values"). */
const macintosh: readonly string[] = [
  'en', 'fr', 'de', 'it', 'nl', 'sv', 'es', 'da', 'pt', 'no', 'he', 'ja', 'ar', 'fi', 'el', 'is', 'mt', 'tr', 'hr',
  'zh-Hant', 'ur', 'hi', 'th', 'ko', 'lt', 'pl', 'hu', 'et', 'lv', 'se', 'fo', 'fa', 'ru', 'zh-Hans',
]; // prettier-ignore

/** mdhd: three letters in five bits each, or a code of QuickTime. English is 0 there, and in MP4 0 is nothing at all. */
export const packedLanguage = (packed: number, quickTime: boolean): string => {
  if (packed < 0x400) return (packed > 0 || quickTime ? macintosh[packed] : null) ?? unknown;
  const letters = String.fromCharCode(...[10, 5, 0].map((shift) => 0x60 + ((packed >> shift) & 0x1f)));
  return letters !== unknown && /^[a-z]{3}$/.test(letters) ? (canonical(letters) ?? unknown) : unknown;
};

const longestText = 256;

/** Text up to its zero byte, without anything that would not be seen. */
const clean = (bytes: Buffer): string | null => {
  const end = bytes.indexOf(0);
  const text = bytes.subarray(0, Math.min(end < 0 ? bytes.length : end, longestText)).toString('utf8');
  return text.replace(/[\p{C}�]+/gu, ' ').trim() || null;
};

/** elng, BCP 47 (ISO 14496-12, 8.4.6). */
export const extendedLanguage = (bytes: Buffer, elng: Box): string | null => {
  const text = clean(bytes.subarray(Math.min(elng.body + 4, elng.end), elng.end));
  return text === null ? null : canonical(text);
};

/** What muxers write where nobody gave a name. */
const boilerplate = /handler|core media|media[ -]?file|^(iso|video|audio|sound|stereo|mono|surround|text|subtitles?|und)\b\W*(media|track)?$/i;

/** hdlr: a string that ends, or QuickTime's with its length ahead. */
const handlerName = (bytes: Buffer, hdlr: Box): string | null => {
  const at = Math.min(hdlr.body + 24, hdlr.end);
  const length = bytes[at] ?? 0;
  const counted = at < hdlr.end && length === hdlr.end - at - 1;
  const name = clean(bytes.subarray(counted ? at + 1 : at, hdlr.end));
  return name === null || boilerplate.test(name) ? null : name;
};

/** `©nam` of QuickTime: strings with a length and a language each. In a list of iTunes: a `data` box. */
const ownName = (bytes: Buffer, box: Box, inside: 'udta' | 'ilst', allowance: Allowance): string | null => {
  if (inside === 'ilst') {
    const data = firstOf(boxesIn(bytes, box.body, box.end, allowance), 'data');
    return data && data.end - data.body > 8 ? clean(bytes.subarray(data.body + 8, data.end)) : null;
  }
  if (box.type === 'name') return clean(bytes.subarray(box.body, box.end));
  const cursor = new Cursor(bytes, box);
  const length = cursor.u16();
  cursor.skip(2);
  return clean(cursor.bytes(Math.min(length, cursor.left)));
};

const titles = new Set(['\u00a9nam', 'name']);

const listOfItunes = (bytes: Buffer, meta: Box, allowance: Allowance): Box[] => {
  // A full box in MP4, a plain one in QuickTime: there its first child, hdlr, begins at once.
  const plain = meta.end - meta.body >= 8 && bytes.toString('latin1', meta.body + 4, meta.body + 8) === 'hdlr';
  const ilst = firstOf(boxesIn(bytes, plain ? meta.body : Math.min(meta.body + 4, meta.end), meta.end, allowance), 'ilst');
  return ilst ? boxesIn(bytes, ilst.body, ilst.end, allowance) : [];
};

/** The track's name for people. */
export const nameOf = (bytes: Buffer, hdlr: Box, udta: Box | undefined, allowance: Allowance): string | null => {
  const inside = udta ? boxesIn(bytes, udta.body, udta.end, allowance) : [];
  const direct = inside.find(({ type }) => titles.has(type));
  if (direct) return ownName(bytes, direct, 'udta', allowance);
  const meta = firstOf(inside, 'meta');
  const listed = meta && listOfItunes(bytes, meta, allowance).find(({ type }) => titles.has(type));
  return (listed && ownName(bytes, listed, 'ilst', allowance)) ?? handlerName(bytes, hdlr);
};
