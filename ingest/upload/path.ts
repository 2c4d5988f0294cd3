/**
 * Addresses below /upload/, taken apart by hand. Nothing is decoded, so `%2e`, `%00` and their kin never mean anything, and
 * no part of an address becomes the name of a file.
 *
 *     /upload/<token>                     tus
 *     /upload/<token>/parts/<n>[?size=]   a part
 *     /upload/<token>/status
 *     /upload/<token>/finish
 */
import { largestPart, unit } from './limits.ts';

export type UploadPath =
  | { readonly kind: 'tus'; readonly token: string }
  | { readonly kind: 'part'; readonly token: string; readonly part: number; readonly size: number | null }
  | { readonly kind: 'status'; readonly token: string }
  | { readonly kind: 'finish'; readonly token: string };

export type UploadPathVerdict = UploadPath | { readonly kind: 'unknown' } | { readonly kind: 'bad-part' } | { readonly kind: 'bad-size' };

export const uploadPrefix = '/upload/';

const unknown = { kind: 'unknown' } as const;
const longest = 2048;
const tokenShape = /^[A-Za-z0-9_-]{16,1024}$/;

/** A decimal number as it is written once: no sign, no leading zeros, nothing around it, exact. Null: it is none. */
export const wholeNumber = (text: string | undefined): number | null => {
  if (text === undefined || text.length > 16 || !/^(?:0|[1-9]\d*)$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
};

/** `url` begins with /upload/. */
export const parseUploadPath = (url: string): UploadPathVerdict => {
  if (url.length > longest) return unknown;
  const mark = url.indexOf('?');
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const [token = '', what, part, more] = (mark < 0 ? url : url.slice(0, mark)).slice(uploadPrefix.length).split('/', 4);
  if (!tokenShape.test(token) || more !== undefined) return unknown;
  if (what === 'parts') return partOf(token, part, query);
  if (part !== undefined) return unknown;
  if (what === undefined) return { kind: 'tus', token };
  return what === 'status' || what === 'finish' ? { kind: what, token } : unknown;
};

const partOf = (token: string, text: string | undefined, query: string): UploadPathVerdict => {
  const part = wholeNumber(text);
  if (part === null) return { kind: 'bad-part' };
  const size = query === '' ? null : sizeOf(query);
  return size === 'bad' ? { kind: 'bad-size' } : { kind: 'part', token, part, size };
};

const sizeOf = (query: string): number | 'bad' => {
  const size = query.startsWith('size=') ? wholeNumber(query.slice('size='.length)) : null;
  const fits = size !== null && size >= unit && size <= largestPart && Number.isInteger(Math.log2(size));
  return fits ? size : 'bad';
};
