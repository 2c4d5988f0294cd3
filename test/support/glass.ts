/**
 * Glass to glass: how old the pictures are that a player shows. The sender stamps them with the wall clock
 * (publisher.ts), so encoder, RTMP, server, player and display are all in it.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openPage, type WatchedPage } from './chromium.ts';
import { percentile } from './figures.ts';
import { firstPicture, forget, report, type PlayerName, type PlayerPages, type WatchReport } from './player-page.ts';
import { ageOf } from './publisher.ts';
import { readStampSource } from './stamp.ts';
import type { Channel, MillraceServer } from './server.ts';

export type Viewing = {
  /** As it is printed. */
  readonly name: string;
  /** `app`: the page of the channel in the web app. */
  readonly player: Exclude<PlayerName, 'none'> | 'app';
  readonly manifest?: 'master.m3u8' | 'manifest.mpd';
  readonly config?: object;
};

export type Glass = {
  /** Milliseconds. */
  readonly ages: readonly number[];
  readonly p50: number;
  readonly p95: number;
  readonly worst: number;
  readonly stalls: WatchReport['stalls'];
  readonly rates: WatchReport['rates'];
  readonly errors: WatchReport['errors'];
  readonly shown: number;
  readonly firstPlayingMs: number | null;
  /** Median of what the player itself believes, ms. */
  readonly believed: number;
};

const scripts = path.resolve(import.meta.dirname, 'pages');

/** The web app's page is looked at by the same script, which its policy would not let in. */
const openApp = async (browser: Browser, url: string): Promise<WatchedPage> => {
  const opened = await openPage(browser, { locale: 'en-US', bypassCSP: true });
  await opened.page.goto(url);
  await opened.page.locator('video').first().waitFor({ state: 'attached' });
  await opened.page.addScriptTag({ content: readStampSource });
  for (const script of ['drive-app.js', 'watch.js']) await opened.page.addScriptTag({ content: await readFile(path.join(scripts, script), 'utf8') });
  return opened;
};

/** A page that watches a channel that is live. Whether it shows anything is the caller's to wait for. */
export const openViewing = async (
  browser: Browser,
  pages: PlayerPages,
  server: MillraceServer,
  channel: Pick<Channel, 'name'>,
  { player, manifest = 'master.m3u8', config = {} }: Viewing,
): Promise<WatchedPage> => {
  if (player === 'app') return openApp(browser, `${server.origin}/@${channel.name}`);
  const opened = await openPage(browser);
  await opened.page.goto(pages.url(server.liveUrl(channel, manifest), { player, config }));
  return opened;
};

/** Lets a viewing settle, and looks at it from then on. */
export const lookThrough = async (page: Page, { settleSeconds, seconds }: { settleSeconds: number; seconds: number }): Promise<Glass> => {
  await firstPicture(page);
  await page.waitForTimeout(settleSeconds * 1000);
  await forget(page);
  await page.waitForTimeout(seconds * 1000);
  return glassOf(await report(page));
};

const glassOf = ({ pictures, stalls, rates, errors, firstPlayingMs, latencies }: WatchReport): Glass => {
  const ages = pictures.flatMap(({ stamp, shownAt }) => (stamp === null ? [] : [ageOf(stamp, shownAt)]));
  return {
    ages,
    p50: percentile(ages, 0.5),
    p95: percentile(ages, 0.95),
    worst: Math.max(...ages),
    stalls,
    rates,
    errors,
    shown: pictures.length,
    firstPlayingMs,
    believed: percentile(latencies.map(({ seconds }) => seconds * 1000), 0.5),
  };
};
