/**
 * The name of a progressive file, made and parsed in one place: `<run>-<track>.mp4`, `<run>-<picture>-<sound>.mp4`.
 * One file has exactly one name.
 */
export const progressiveFolder = 'mp4';

const longestName = 80;
const pattern = /^([a-z0-9]{8,32})-([a-z][a-z0-9]{0,15})(?:-([a-z][a-z0-9]{0,15}))?\.mp4$/;

export type ProgressiveName = { readonly run: string; readonly tracks: readonly string[] };

export const progressiveName = ({ run, tracks }: ProgressiveName): string => `${[run, ...tracks].join('-')}.mp4`;

export const parseProgressiveName = (name: string): ProgressiveName | null => {
  if (name.length > longestName) return null;
  const [, run, first, second] = pattern.exec(name) ?? [];
  if (run === undefined || first === undefined || first === second) return null;
  return { run, tracks: second === undefined ? [first] : [first, second] };
};
