/**
 * What a client says of the bytes that it sends: `Content-Digest` (RFC 9530, a dictionary as in RFC 9651) of parts, and
 * `Upload-Checksum` of tus.
 */
import { digestBytes, type DigestName } from './digest.ts';

export type Expected = { readonly name: DigestName; readonly value: Buffer };
/** 'malformed': it cannot be read. 'unsupported': it can, and names nothing that is known here. */
export type DigestVerdict = Expected | 'malformed' | 'unsupported';

const longest = 1024;
const mostMembers = 8;
/** Best first: of several digests the first of these is checked. */
const ofParts: readonly DigestName[] = ['sha-256', 'crc32c'];

const key = '[a-z*][a-z0-9_.*-]*';
const bytes = ':[A-Za-z0-9+/]*={0,2}:';
// Parameters mean nothing here. They are read as RFC 9651 writes them, and passed over.
const bare = `(?:${bytes}|"(?:[ !#-\\[\\]-~]|\\\\["\\\\])*"|-?\\d{1,15}(?:\\.\\d{1,3})?|[A-Za-z*][A-Za-z0-9!#$%&'*+.^_\`|~:/-]*|\\?[01])`;
const member = new RegExp(`^(${key})(?:=(${bare}))?((?:; *${key}(?:=${bare})?)*)`);

export const parseContentDigest = (field: string): DigestVerdict => {
  if (field.length > longest) return 'malformed';
  const found = new Map<string, string>();
  let rest = field.replace(/^ +| +$/g, '');
  if (rest === '') return 'malformed';
  for (let count = 0; ; count += 1) {
    const match = member.exec(rest);
    if (!match || count === mostMembers) return 'malformed';
    // RFC 9651, 4.2.2: of a key that comes again, the last one counts.
    found.set(match[1] ?? '', match[2] ?? '');
    rest = rest.slice(match[0].length);
    if (rest === '') break;
    const comma = /^[ \t]*,[ \t]*(?=[^ \t])/.exec(rest);
    if (!comma) return 'malformed';
    rest = rest.slice(comma[0].length);
  }
  for (const name of ofParts) {
    const value = found.get(name);
    if (value === undefined) continue;
    // RFC 9530, 2: the value is a byte sequence.
    return value.startsWith(':') ? expected(name, value.slice(1, -1)) : 'malformed';
  }
  return 'unsupported';
};

const ofTus: ReadonlyMap<string, DigestName> = new Map([
  ['sha1', 'sha-1'],
  ['sha256', 'sha-256'],
  ['crc32c', 'crc32c'],
]);
export const tusAlgorithms = [...ofTus.keys()].join(',');

/** `sha1 <base64>` */
export const parseUploadChecksum = (field: string): DigestVerdict => {
  const match = field.length <= longest ? /^([a-z0-9-]{1,32}) ([A-Za-z0-9+/]+={0,2})$/.exec(field) : null;
  if (!match) return 'malformed';
  const name = ofTus.get(match[1] ?? '');
  return name ? expected(name, match[2] ?? '') : 'unsupported';
};

const expected = (name: DigestName, base64: string): DigestVerdict => {
  const value = Buffer.from(base64, 'base64');
  // One digest has one text: what does not read back as it was written is not meant.
  const exact = value.length === digestBytes[name] && value.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
  return exact ? { name, value } : 'malformed';
};
