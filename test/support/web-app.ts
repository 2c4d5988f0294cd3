/** What tests of the web app's pages say again and again: which state the channel is in, and whether the picture runs. */
import type { Locator, Page } from 'playwright-core';
import { until } from './playlists.ts';

type Numbers = { readonly currentTime: number; readonly duration: number; readonly muted: boolean; readonly paused: boolean; readonly readyState: number };
type VideoElement = Numbers & { readonly dataset: { readonly state?: string } };
/** `state` is what the page makes of it: the clock is at its place before there is a picture. */
export type VideoFacts = Numbers & { readonly state: string; readonly count: number };

/** Functions, never texts: the page's own policy forbids evaluating texts, and it is in force in these tests. */
export const videoFacts = async (page: Page): Promise<VideoFacts> => {
  const videos = page.locator('video');
  const seen = await videos.first().evaluate(({ currentTime, duration, muted, paused, readyState, dataset }: VideoElement) => ({ currentTime, duration, muted, paused, readyState, state: dataset.state ?? '' }));
  return { ...seen, count: await videos.count() };
};

/** Waits until the picture has run so many seconds from here on: to be put at a place, as at the beginning, is not to run. */
export const plays = async (page: Page, seconds = 1, withinMs = 30_000): Promise<VideoFacts> => {
  await page.locator('video').first().waitFor({ state: 'attached', timeout: withinMs });
  const { currentTime } = await until(() => videoFacts(page), ({ state }) => state === 'playing', withinMs);
  return until(() => videoFacts(page), (now) => !now.paused && now.currentTime > currentTime + seconds, withinMs);
};

export const badge = (page: Page, state: 'offline' | 'starting' | 'live' | 'waiting' | 'ended'): Locator => page.locator(`.badge[data-state=${state}]`);

export const signIn = async (page: Page, origin: string, password: string): Promise<void> => {
  await page.goto(`${origin}/login`);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/studio');
};

/** Browsers write every 404 down as an error: also those that a page asks for, as whether an address is free. */
export const unexpected = (complaints: readonly string[], expected: RegExp): string[] => complaints.filter((complaint) => !expected.test(complaint));
