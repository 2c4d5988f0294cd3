import type { Page } from 'playwright-core';
import { forget, report } from './player-page.ts';

/** Waits until the page has played so many seconds of media, or fails to: the player's own clock, not ours. */
export const watchFor = async (page: Page, seconds: number, timeoutMs = seconds * 3000 + 20_000): Promise<void> => {
  const from = await page.evaluate<number>('document.querySelector("video").currentTime');
  await page.waitForFunction(`document.querySelector("video").currentTime > ${from + seconds}`, undefined, { timeout: timeoutMs, polling: 250 });
};

/**
 * Waits for a stretch of so many seconds of media in which most of its pictures were shown, and answers how many. A busy
 * machine may swallow some at one moment or another; who shows the first part of each segment alone never gets there, and
 * then it is the last one's number that is answered.
 */
export const evenStretch = async (page: Page, seconds: number, fps: number, timeoutMs?: number): Promise<{ pictures: number; even: boolean; stretches: number }> => {
  for (let stretches = 1; ; stretches += 1) {
    const { totalFrames } = await report(page);
    await watchFor(page, seconds, timeoutMs);
    const pictures = (await report(page)).totalFrames - totalFrames;
    const even = pictures > 0.8 * seconds * fps;
    if (even || stretches === mostStretches) return { pictures, even, stretches };
  }
};
const mostStretches = 5;

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
