/** Where the web app starts: theme and language before the first paint, the engine's download before the page asks. */
import { render } from 'preact';
import { App } from './app.tsx';
import { loadEngine } from './playback/index.ts';
import { routeOf } from './routes.ts';
import { startTheme } from './state/theme.ts';
import { startLanguage } from './words/index.ts';

startTheme();
startLanguage();

// The engine is the largest file: on a page that plays it loads beside the page's own code and data, not after them.
if (['channel', 'watch', 'embed'].includes(routeOf(location.pathname).page)) void loadEngine().catch(() => {});

const root = document.getElementById('app');
if (root) render(<App />, root);
