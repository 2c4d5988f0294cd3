/** A channel's name as it stands in addresses: 1-40 of a-z 0-9 - _. Told while it is typed. */
export type NameFault = 'empty' | 'long' | 'characters' | 'reserved';

export const longestName = 40;

/** Parts of the server, and names that a visitor would take for its owner's. The server has the last word. */
const reserved = new Set(
  (
    'admin administrator api assets docs embed healthz help live login logout me metrics millrace moderator null ' +
    'official play readyz root search security settings setup staff static status studio support system undefined ' +
    'upload watch www'
  ).split(' '),
);

export const nameFault = (name: string): NameFault | null => {
  if (name === '') return 'empty';
  if (!/^[a-z0-9_-]+$/.test(name)) return 'characters';
  if (name.length > longestName) return 'long';
  return reserved.has(name) ? 'reserved' : null;
};

/** A first guess from the title: Latin letters and digits survive; a Korean title leaves nothing, and that is fine. */
export const nameFromTitle = (title: string): string =>
  title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, longestName);
