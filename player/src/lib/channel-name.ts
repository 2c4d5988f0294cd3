/** A channel's name as it stands in addresses: 1-40 of a-z 0-9 - _. Told while it is typed. */
export type NameFault = 'empty' | 'long' | 'characters';

export const longestName = 40;

export const nameFault = (name: string): NameFault | null => {
  if (name === '') return 'empty';
  if (!/^[a-z0-9_-]+$/.test(name)) return 'characters';
  return name.length > longestName ? 'long' : null;
};

/** A first guess from the title: Latin letters and digits survive; a Korean title leaves nothing, and that is fine. */
export const nameFromTitle = (title: string): string =>
  title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, longestName);
