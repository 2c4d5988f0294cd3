/** Filling `{name}` places, with the names taken from the English text at compile time. */
import type { en, WordKey } from './en.ts';

type Places<S extends string> = S extends `${string}{${infer P}}${infer Rest}` ? P | Places<Rest> : never;

/** Texts without places take no second argument; texts with places cannot go without. */
export type Fill<K extends WordKey> = [Places<(typeof en)[K]>] extends [never]
  ? []
  : [values: Readonly<Record<Places<(typeof en)[K]>, string | number>>];

export const fill = (text: string, values: Readonly<Record<string, string | number>> = {}): string =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : place));

/** Texts that are whole as they are. */
export type PlainKey = { [K in WordKey]: [Places<(typeof en)[K]>] extends [never] ? K : never }[WordKey];

/** Stems of texts that depend on a number: `live.viewers` has `.one` and `.other`. */
export type CountedStem = WordKey extends infer K ? (K extends `${infer Stem}.one` ? Stem : never) : never;
