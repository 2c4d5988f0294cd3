/**
 * Whether a request comes from our own pages. A browser attaches our cookie to requests that other sites make
 * it send; it cannot be made to lie in these two headers.
 */

export type OriginFacts = {
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  /** Host and port that the request was sent to. */
  readonly host: string;
  readonly publicUrl: string | null;
};

/** `unknown`: no browser said anything, so this is a program, or a very old browser. */
export type OriginVerdict = 'same' | 'foreign' | 'unknown';

const hostOf = (url: string): string | null => (URL.canParse(url) ? new URL(url).host : null);

/** `Host: example.org:80` and `Origin: http://example.org` are the same place. */
const sameHost = (origin: string, host: string): boolean => {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  return hostOf(`${protocol}//${host}`) === from;
};

export const judgeOrigin = ({ origin, secFetchSite, host, publicUrl }: OriginFacts): OriginVerdict => {
  // Fetch metadata is the browser's own judgement; plain-http origins do not get it, there Origin decides.
  if (secFetchSite !== undefined) return secFetchSite === 'same-origin' || secFetchSite === 'none' ? 'same' : 'foreign';
  if (origin === undefined) return 'unknown';
  if (sameHost(origin, host)) return 'same';
  return publicUrl !== null && URL.canParse(publicUrl) && new URL(publicUrl).origin === origin ? 'same' : 'foreign';
};
