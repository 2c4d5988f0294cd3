import type { Page } from 'playwright-core';

/** Waits until the page has played so many seconds of media, or fails to: the player's own clock, not ours. */
export const watchFor = async (page: Page, seconds: number): Promise<void> => {
  const from = await page.evaluate<number>('document.querySelector("video").currentTime');
  await page.waitForFunction(`document.querySelector("video").currentTime > ${from + seconds}`, undefined, { timeout: seconds * 3000 + 10_000, polling: 250 });
};
