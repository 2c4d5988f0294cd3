/**
 * A real Chromium, driven by playwright-core: the machine's own, else the one that set-up unpacked.
 *
 * `insecureHost` is a name that leads to loopback and is not localhost: there a page has no crypto.subtle, clipboard,
 * service worker or EME, as on the plain-HTTP address of a machine in somebody's network.
 */
import { chromium, type Browser, type BrowserContext, type LaunchOptions, type Page } from 'playwright-core';
import { findBrowser } from '../../scripts/lib/browser.mjs';

export const insecureHost = 'millrace.test';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  '--autoplay-policy=no-user-gesture-required',
  `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`,
];

export const launchChromium = async (options: LaunchOptions = {}): Promise<Browser> => {
  const found = findBrowser();
  if (!found) throw new Error('no Chromium: run `node scripts/setup.mjs --test`');
  return chromium.launch({
    executablePath: found.executable,
    env: { ...definedEnv(), ...found.env },
    headless: true,
    ...options,
    args: [...flags, ...(options.args ?? [])],
  });
};

const definedEnv = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));

export type WatchedPage = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page complained about: exceptions and console errors. A test that does not expect any asserts `[]`. */
  readonly complaints: string[];
};

/** A page in a context of its own, whose complaints are kept. */
export const openPage = async (browser: Browser, options: Parameters<Browser['newContext']>[0] = {}): Promise<WatchedPage> => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()} ${message.location().url}`);
  });
  return { page, context, complaints };
};
