/**
 * Small choices kept in this browser (language, theme, whether someone was signed in).
 * Storage may be refused (private mode, a third-party frame): then the choice lasts as long as the page.
 */
const inPage = new Map<string, string>();

export const remembered = (key: string): string | null => {
  try {
    return localStorage.getItem(`millrace.${key}`);
  } catch {
    return inPage.get(key) ?? null;
  }
};

export const remember = (key: string, value: string | null): void => {
  try {
    if (value === null) localStorage.removeItem(`millrace.${key}`);
    else localStorage.setItem(`millrace.${key}`, value);
  } catch {
    if (value === null) inPage.delete(key);
    else inPage.set(key, value);
  }
};
