/**
 * Small choices kept in this browser (language, theme, whether someone was signed in).
 * Storage may be refused (private mode, a third-party frame): then the choice lasts as long as the page.
 */
const inPage = new Map<string, string>();

const recall = (from: () => Storage, key: string): string | null => {
  try {
    return from().getItem(`millrace.${key}`);
  } catch {
    return inPage.get(key) ?? null;
  }
};

const keep = (where: () => Storage, key: string, value: string | null): void => {
  try {
    if (value === null) where().removeItem(`millrace.${key}`);
    else where().setItem(`millrace.${key}`, value);
  } catch {
    if (value === null) inPage.delete(key);
    else inPage.set(key, value);
  }
};

export const remembered = (key: string): string | null => recall(() => localStorage, key);
export const remember = (key: string, value: string | null): void => keep(() => localStorage, key, value);

/** For as long as this tab is open: what suits the line of today. */
export const rememberedForNow = (key: string): string | null => recall(() => sessionStorage, key);
export const rememberForNow = (key: string, value: string | null): void => keep(() => sessionStorage, key, value);
