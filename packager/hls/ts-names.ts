/**
 * Names below `/play/<grant>/<video>/ts/`, made and parsed in one place:
 *
 *     master.m3u8 · <track>/index.m3u8 · <track>/whole.m3u8 · <track>/<run>-<msn>.ts
 */
export const transportFolder = 'ts';

export type TsName = { readonly run: string; readonly msn: number };

export const tsSegmentName = (run: string, msn: number): string => `${run}-${msn}.ts`;

const longestName = 64;
// As for all media names: one segment has exactly one name.
const pattern = /^([a-z0-9]{8,32})-(0|[1-9]\d{0,9})\.ts$/;

export const parseTsName = (name: string): TsName | null => {
  if (name.length > longestName) return null;
  const [, run, msn] = pattern.exec(name) ?? [];
  return run === undefined || msn === undefined ? null : { run, msn: Number(msn) };
};
