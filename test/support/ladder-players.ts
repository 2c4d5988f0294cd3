/** Players on a ladder of two or three rungs that are told again and again to play another one. */
import type { Browser, Page } from 'playwright-core';
import { FakeClock } from '../../packager/clock.ts';
import { openPage } from './chromium.ts';
import { interruptions } from './continuity.ts';
import { Ladder, ladderVideo } from './ladder.ts';
import { serveLadder, type LadderServer } from './ladder-server.ts';
import { choose, firstPicture, forget, report, type PlayerName, type PlayerPages } from './player-page.ts';
import { flvClip } from './show-sender.ts';
import { watchFor } from './watching.ts';

const sizes = [
  { width: 640, height: 360, kbps: 800 },
  { width: 448, height: 252, kbps: 400 },
  { width: 320, height: 180, kbps: 200 },
] as const;
const grid = { frames: 240, fps: 30 };
const clipMs = 8000;

const clips = () => Promise.all(sizes.map((size) => flvClip({ ...size, bframes: 2, busy: true })));

/** What is switched between: below `base` lie the manifests, and the lowest stands first. */
export type Rungs = { readonly base: string; readonly heights: readonly number[] };
export type Stage = Rungs & { readonly ladder: Ladder; readonly server: LadderServer; close(): Promise<void> };

/** So many seconds of a show in no time, and its end. */
export const recordedLadder = async (seconds: number): Promise<Stage> => {
  const clock = new FakeClock();
  const ladder = new Ladder(clock, await clips(), clipMs);
  for (let at = 0; at < seconds * 1000; at += 20) {
    clock.advance(20);
    ladder.feed(clock.now());
    // The logs take what was written in turns of their own.
    if (at % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await ladder.finish();
  const server = await serveLadder(ladderVideo, ladder);
  return { ladder, server, base: server.base, heights: sizes.map(({ height }) => height).toReversed(), close: () => server.close() };
};

export type Switcher = {
  readonly name: string;
  readonly player: Exclude<PlayerName, 'none'>;
  readonly file: 'master.m3u8' | 'manifest.mpd';
  /**
   * What is in the buffer is played first; otherwise it is replaced. hls.js and dash.js replace also what is playing at the
   * moment, and Chromium then shows nothing before the next key picture; Shaka seeks to where it is, which makes it decode.
   */
  readonly keepBuffer: boolean;
  readonly switches: number;
  /** Seconds that it keeps from the live edge; null: as low as it comes. */
  readonly behind?: number | null;
};

// With a short buffer, so that a switch behind it is seen soon; while live at the distance that is asked for.
const dashBuffer = { bufferTimeDefault: 4, bufferTimeAtTopQuality: 4, bufferTimeAtTopQualityLongForm: 4 };
const configs = {
  hls: (behind: number | null) => ({ maxBufferLength: 1, maxMaxBufferLength: 1, ...(behind !== null && { lowLatencyMode: false, liveSyncDuration: behind }) }),
  shaka: (behind: number | null) =>
    behind === null ? { streaming: { lowLatencyMode: true, bufferingGoal: 4 } } : { streaming: { lowLatencyMode: false, bufferingGoal: behind }, manifest: { defaultPresentationDelay: behind } },
  dash: (behind: number | null) => ({ streaming: { buffer: dashBuffer, ...(behind !== null && { applyServiceDescription: false, delay: { liveDelay: behind } }) } }),
} as const;

/** Up and down by one and by two; each is another rung than the one before it. Where there are two, from one to the other. */
const orderOf = (rungs: number): readonly number[] => (rungs > 2 ? [0, 1, 2, 0, 2, 1] : [0, 1]);

export type Switched = {
  /** What was wrong with the pictures. */
  readonly faults: string[];
  readonly errors: readonly object[];
  readonly stalls: readonly number[];
  /** Heights that were seen, a switch each. */
  readonly heights: readonly number[];
  readonly complaints: readonly string[];
  readonly pictures: number;
  readonly seconds: number;
};

/** What a machine does that is busy with encoding as well: a picture stands still for a moment, and the next one is the next one. */
export const isStandstill = (fault: string): boolean => /^no picture for [01]\.\d+ s/.test(fault);

/**
 * A second without a stop. Shaka 5.2 has stood still for as much as twenty when it was told of a rung in its first second of
 * LL-HLS on a busy machine: it went on reading the playlist, asked for no part until its window had left it behind, and
 * then went to where that begins.
 */
const even = async (page: Page): Promise<void> => {
  for (let second = 0; second < 5; second += 1) {
    await watchFor(page, 1, 60_000);
    await page.waitForFunction('!watch.video.seeking && watch.video.readyState > 2', undefined, { timeout: 30_000, polling: 50 });
    if ((await report(page)).stalls.length === 0) return;
    await forget(page);
  }
};

export const switchRungs = async (browser: Browser, pages: PlayerPages, { base, heights }: Rungs, switcher: Switcher): Promise<Switched> => {
  const { player, file, keepBuffer, switches, behind = null } = switcher;
  const { page, context, complaints } = await openPage(browser);
  await page.goto(pages.url(`${base}/${file}`, { player, config: configs[player](behind) }));
  await firstPicture(page);
  await page.waitForFunction(`watch.qualities().length === ${heights.length}`);
  const shown = (height: number) => page.waitForFunction(`watch.video.videoHeight === ${height}`, undefined, { timeout: 20_000, polling: 50 });
  // From the top, so that the first switch is one; and where live players have found their distance.
  await choose(page, heights.length - 1, { keepBuffer });
  await shown(heights.at(-1) ?? 0);
  await even(page);
  await forget(page);
  const from = (await report(page)).currentTime;
  const seen: number[] = [];
  const order = orderOf(heights.length);
  for (let count = 0; count < switches; count += 1) {
    const next = order[count % order.length] ?? 0;
    const height = heights[next] ?? 0;
    await choose(page, next, { keepBuffer });
    await shown(height);
    seen.push(height);
    await watchFor(page, 0.3);
  }
  await watchFor(page, 1);
  const { pictures, errors, stalls, currentTime } = await report(page);
  await context.close();
  // Shaka shows the pictures at which it replaces the others once more, in their new size; how many, the machine says.
  const faults = interruptions(pictures, grid, { back: player === 'shaka' && !keepBuffer ? grid.fps : 0 });
  return { faults, errors, stalls: stalls.map(({ ms }) => ms), heights: seen, complaints, pictures: pictures.length, seconds: currentTime - from };
};

/**
 * hls.js asks for the last part of the next segment and waits for four fifths of a segment, then asks again. Where encoder
 * and browser share two cores, a rung's playlist may come later than that, and so may the sound's where the player began
 * early in a segment. What a viewer would see of it are stalls.
 */
export const errorsButLate = ({ errors }: Pick<Switched, 'errors'>): object[] => errors.filter((error) => !isLate(error));

const isLate = (error: object): boolean =>
  'details' in error && (error.details === 'levelLoadTimeOut' || error.details === 'audioTrackLoadTimeOut') && 'fatal' in error && error.fatal === false;
