/**
 * The words of the page in the language that was chosen, else the browser's.
 * The root renders again when the language changes, so that plain calls of `t` anywhere below are enough.
 */
import { remember, remembered } from '../state/remembered.ts';
import { createStore } from '../state/store.ts';
import { en } from './en.ts';
import type { WordKey } from './en.ts';
import { fill } from './fill.ts';
import type { CountedStem, Fill } from './fill.ts';
import { ko } from './ko.ts';

export type { WordKey };

/** Each language under its own name, as its readers look for it. */
export const languages = { en: 'English', ko: '한국어' } as const;
export type Language = keyof typeof languages;

const catalogues: Readonly<Record<Language, Readonly<Record<WordKey, string>>>> = { en, ko };

const isLanguage = (text: string | null): text is Language => text !== null && Object.hasOwn(languages, text);

const firstLanguage = (): Language => {
  const stored = remembered('language');
  if (isLanguage(stored)) return stored;
  for (const wanted of navigator.languages) {
    const [base] = wanted.toLowerCase().split('-');
    if (isLanguage(base ?? null)) return base as Language;
  }
  return 'en';
};

export const language = createStore<Language>(firstLanguage());

export const startLanguage = (): void => {
  const apply = (): void => {
    document.documentElement.lang = language.get();
  };
  apply();
  language.subscribe(() => {
    remember('language', language.get());
    apply();
  });
};

export const t = <K extends WordKey>(key: K, ...values: Fill<K>): string =>
  fill(catalogues[language.get()][key], values[0]);

/** A text that depends on a number; `shown` is the number as it is written (1.2만). */
export const tCount = (stem: CountedStem, number: number, shown: string = String(number)): string => {
  const form = new Intl.PluralRules(language.get()).select(number) === 'one' ? 'one' : 'other';
  return fill(catalogues[language.get()][`${stem}.${form}`], { count: shown });
};
