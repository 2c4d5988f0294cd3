/**
 * The grant of a link that was handed on, as it stands in the address of a page: in its fragment, which no server, no proxy
 * and no log ever sees. Links that were made before have it in the query. Pure.
 */
type Place = { readonly pathname: string; readonly search: string; readonly hash: string };

const name = 'grant';

const inHash = (hash: string): string | undefined => new URLSearchParams(hash.replace(/^#/, '')).get(name) || undefined;

export const grantIn = ({ search, hash }: Pick<Place, 'search' | 'hash'>): string | undefined =>
  inHash(hash) ?? (new URLSearchParams(search).get(name) || undefined);

export const withGrant = (path: string, grant: string | undefined): string =>
  grant === undefined ? path : `${path}#${name}=${encodeURIComponent(grant)}`;

/** The same address with the grant out of the query, so that a reload sends it to nobody; null: it is not there. */
export const tidied = ({ pathname, search, hash }: Place): string | null => {
  const query = new URLSearchParams(search);
  if (!query.has(name)) return null;
  const grant = grantIn({ search, hash });
  query.delete(name);
  const rest = query.toString();
  return withGrant(pathname + (rest === '' ? '' : `?${rest}`), grant);
};
