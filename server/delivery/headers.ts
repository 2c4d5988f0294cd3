/**
 * Headers as flat arrays, made once and handed to `writeHead` as they are. Everything under /play/ may be
 * read from any origin, errors too: a player that cannot read an error cannot explain it.
 */
export type RawHeaders = string[];

export const common: RawHeaders = [
  'Access-Control-Allow-Origin',
  '*',
  // Players measure latency by Date, and pick up partial answers by Content-Range.
  'Access-Control-Expose-Headers',
  'Date, Age, Content-Length, Content-Range, Content-Encoding, ETag, Retry-After',
  'Timing-Allow-Origin',
  '*',
  'Cross-Origin-Resource-Policy',
  'cross-origin',
  'X-Content-Type-Options',
  'nosniff',
];

export const preflight: RawHeaders = [
  ...common,
  'Access-Control-Allow-Methods',
  'GET, HEAD, POST, OPTIONS',
  'Access-Control-Allow-Headers',
  'Range, If-None-Match, If-Range, Cache-Control, Content-Type, Authorization',
  'Access-Control-Max-Age',
  '86400',
  'Cache-Control',
  'public, max-age=86400',
  'Content-Length',
  '0',
];

const hour = 3600;

/** How long an answer may be kept, and by whom: only what lies under the grant `-` is anybody's. */
export const cacheControl = {
  media: (shared: boolean): string => (shared ? `public, max-age=${8760 * hour}, immutable` : `private, max-age=${24 * hour}, immutable`),
  /** A playlist that will be another in a moment. Without `private`, a shared cache might keep it all the same, and ask before it gives it to somebody else. */
  changing: (shared: boolean): string => (shared ? 'no-cache' : 'private, no-cache'),
  for: (shared: boolean, seconds: number): string => `${shared ? 'public' : 'private'}, max-age=${Math.max(1, Math.floor(seconds))}`,
  never: 'no-store',
} as const;

/** Section 13.1.2 of RFC 9110: the weak comparison, over a list. */
export const matchesEtag = (header: string | undefined, etag: string): boolean => {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',', 32).some((one) => one.trim().replace(/^W\//, '') === etag);
};

export const acceptsGzip = (header: string | string[] | undefined): boolean => {
  if (typeof header !== 'string' || header.length > 1000) return false;
  return header.split(',').some((one) => {
    const [coding = '', ...parameters] = one.split(';');
    return coding.trim().toLowerCase() === 'gzip' && !parameters.some((parameter) => /^\s*q=0(?:\.0*)?\s*$/i.test(parameter));
  });
};
