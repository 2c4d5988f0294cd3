/** Dark or light: what was chosen here, else what the system says. CSS reads it from <html data-theme>. */
import { remember, remembered } from './remembered.ts';
import { createStore } from './store.ts';

export type ThemeChoice = 'system' | 'dark' | 'light';

const isChoice = (text: string | null): text is ThemeChoice => text === 'dark' || text === 'light' || text === 'system';
const stored = remembered('theme');
export const themeChoice = createStore<ThemeChoice>(isChoice(stored) ? stored : 'system');

const systemLight = matchMedia('(prefers-color-scheme: light)');

const apply = (): void => {
  const choice = themeChoice.get();
  const theme = choice === 'system' ? (systemLight.matches ? 'light' : 'dark') : choice;
  document.documentElement.dataset.theme = theme;
};

export const startTheme = (): void => {
  apply();
  systemLight.addEventListener('change', apply);
  themeChoice.subscribe(() => {
    remember('theme', themeChoice.get());
    apply();
  });
};
