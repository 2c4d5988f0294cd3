/** Where the web app starts: theme and language before the first paint, the engine's download before the page asks. */
import { render } from 'preact';
import { headStart } from './api/head-start.ts';
import { App } from './app.tsx';
import { grantIn, tidied } from './lib/link-grant.ts';
import { loadEngine } from './playback/index.ts';
import { routeOf } from './routes.ts';
import { startTheme } from './state/theme.ts';
import { startLanguage } from './words/index.ts';

startTheme();
startLanguage();

// A link that was made before grants stood in the fragment: not a second time past proxies, and to no other page.
const tidy = tidied(location);
if (tidy !== null) history.replaceState(history.state, '', tidy);
// Another link to the same page, put into the address bar: for a new fragment alone browsers load nothing.
addEventListener('hashchange', ({ oldURL, newURL }) => {
  const [before, after] = [new URL(oldURL), new URL(newURL)];
  if (before.pathname === after.pathname && grantIn(before) !== grantIn(after)) location.reload();
});

const route = routeOf(location.pathname);
headStart(route);

const root = document.getElementById('app');
if (root) render(<App />, root);

// The engine is the largest file: on a page that plays it loads beside the page's own code and data, not after them.
// A failure here is told when the player asks again.
if (['channel', 'watch', 'embed'].includes(route.page)) loadEngine().catch(() => {});
