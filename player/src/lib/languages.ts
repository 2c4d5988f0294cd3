/** Languages that captions are offered in, and their names in the reader's own. The API takes any BCP 47 tag. */
export const captionLanguages: readonly string[] = (
  'ko en ja zh-Hans zh-Hant es fr de pt it ru vi th id hi ar tr pl nl uk sv mn uz fil'
).split(' ');

export const languageName = (tag: string, reader: string): string => {
  try {
    return new Intl.DisplayNames([reader], { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag; // not a tag, however it came here
  }
};
