/**
 * Which captions and which sound a viewing begins with: what was chosen in an earlier one, as far as this one has it.
 * Pure. Captions are kept as a language, or as off; who never chose gets none, unless the video says otherwise.
 */
export type Choice = { readonly id: string; readonly language: string; readonly label: string };

export const off = 'off';

/** `ko` and `ko-KR` are the same wish; a video that has both is taken at its word. */
const baseOf = (language: string): string => language.toLowerCase().split('-', 1)[0] ?? '';

const inLanguage = (choices: readonly Choice[], wanted: string): Choice | null =>
  choices.find(({ language }) => language.toLowerCase() === wanted.toLowerCase()) ??
  choices.find(({ language }) => baseOf(language) === baseOf(wanted)) ??
  null;

/** `shownByItself`: what the video itself shows to whoever never chose. */
export const captionsFor = (choices: readonly Choice[], remembered: string | null, shownByItself: string | null): string | null => {
  if (remembered === null) return shownByItself;
  if (remembered === off) return null;
  return inLanguage(choices, remembered)?.id ?? null;
};

/** What the key and the button switch on: the last language, else the reader's own, else the first there is. */
export const captionsToShow = (choices: readonly Choice[], last: string | null, reader: string): string | null =>
  ((last !== null && inLanguage(choices, last)) || inLanguage(choices, reader) || choices[0])?.id ?? null;

export const soundFor = (choices: readonly Choice[], remembered: string | null): string | null =>
  remembered === null ? null : (inLanguage(choices, remembered)?.id ?? null);

/** "한국어", "English"; the label that the video gives where there is no language, or where two would read the same. */
export const choiceNames = (choices: readonly Choice[], reader: string): readonly string[] => {
  const names = new Intl.DisplayNames([reader], { type: 'language', fallback: 'none' });
  const own = ({ language, label }: Choice): string => {
    try {
      return (language === '' || language === 'und' ? undefined : names.of(language)) ?? (label || language);
    } catch {
      return label || language; // not a language tag
    }
  };
  const read = choices.map(own);
  return choices.map(({ label }, index) => {
    const name = read[index] ?? '';
    const twice = read.filter((other) => other === name).length > 1;
    return twice && label !== '' && label !== name ? `${name} (${label})` : name;
  });
};
