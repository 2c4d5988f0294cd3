/** What a language calls itself, for a menu of captions: `ko` is 한국어. */
export const languageName = (tag: string): string => {
  try {
    return new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag;
  } catch {
    // A tag that means nothing to Intl is its own name.
    return tag;
  }
};
