/** The sentence and the fix of a finding in the reader's language; a code that this page does not know yet is its own word. */
import { enFindings } from '../../../words/en-findings.ts';
import { fill } from '../../../words/fill.ts';
import { koFindings } from '../../../words/ko-findings.ts';
import { language } from '../../../words/index.ts';

type Words = { readonly what: string; readonly fix: string };

const catalogues: Readonly<Record<'en' | 'ko', Readonly<Record<string, Words>>>> = { en: enFindings, ko: koFindings };

export const findingWords = (code: string, params: Readonly<Record<string, string | number>>): Words => {
  const words = Object.hasOwn(enFindings, code) ? catalogues[language.get()][code] : undefined;
  return { what: fill(words?.what ?? code, params), fix: fill(words?.fix ?? '', params) };
};
