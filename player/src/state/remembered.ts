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

/** In every tab, for a day: what suits the line of today need not suit that of next week. */
const dayMs = 86_400_000;

export const rememberedForToday = (key: string): string | null => {
  const [until, value = null] = remembered(key)?.split(' ', 2) ?? [];
  return Number(until) > Date.now() ? value : null;
};

/** `value`: one word. */
export const rememberForToday = (key: string, value: string | null): void => remember(key, value === null ? null : `${Date.now() + dayMs} ${value}`);
