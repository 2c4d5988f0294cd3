import type { Page } from 'playwright-core';
import { forget, report } from './player-page.ts';

/** Waits until the page has played so many seconds of media, or fails to: the player's own clock, not ours. */
export const watchFor = async (page: Page, seconds: number): Promise<void> => {
  const from = await page.evaluate<number>('document.querySelector("video").currentTime');
  await page.waitForFunction(`document.querySelector("video").currentTime > ${from + seconds}`, undefined, { timeout: seconds * 3000 + 20_000, polling: 250 });
};

/**
 * The first second of a playback. Where sound begins some milliseconds before the picture, hls.js steps over that
 * hole once and says so; from then on nothing may be said. Returns what else went wrong while it began.
 */
export const settleIn = async (page: Page): Promise<string[]> => {
  await watchFor(page, 1);
  const { errors } = await report(page);
  await forget(page);
  return errors.flatMap(({ type, details = '', fatal }) => (!fatal && /^buffer(?:SeekOverHole|NudgeOnStall)$/.test(details) ? [] : [`${type} ${details}`]));
};
