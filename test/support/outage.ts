/**
 * An outage: the publisher dies without a word, is away, and comes back inside the reconnect window. Players watch
 * all along, one joins while it lasts, and one after it. What each saw comes back as data.
 */
import type { Browser, Page } from 'playwright-core';
import type { Clip } from './clips.ts';
import { push } from './ffmpeg.ts';
import { openViewing, type Viewing } from './glass.ts';
import { firstPicture, forget, report, type PlayerPages, type WatchReport } from './player-page.ts';
import { until } from './playlists.ts';
import type { Channel, MillraceServer } from './server.ts';

export type Joined = 'before' | 'during' | 'after';

export type Seen = {
  readonly name: string;
  readonly joined: Joined;
  /** From the first byte of the publisher that came back (or from its own beginning) to a picture that moves, ms; Infinity: never. */
  readonly resumedAfterMs: number;
  /** After it went on, until it was even. */
  readonly settling: WatchReport;
  /** Then. */
  readonly even: WatchReport;
  /** The page was not loaded again, and the element is the same. */
  readonly sameElement: boolean;
};

export type OutagePlan = {
  readonly browser: Browser;
  readonly pages: PlayerPages;
  readonly server: MillraceServer;
  readonly channel: Channel;
  readonly source: Clip;
  readonly viewings: readonly Viewing[];
  readonly beforeSeconds: number;
  readonly outageSeconds: number;
  readonly settleSeconds: number;
  readonly evenSeconds: number;
};

type Watcher = { readonly viewing: Viewing; readonly joined: Joined; readonly page: Page };

/** Besides the length of the outage: dash.js waits before a hole for as long as the hole is. */
const resumesWithinMs = 20_000;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Whether a second of new pictures is shown in time: a clock that jumps is not enough. */
const moves = async (page: Page, outageSeconds: number): Promise<boolean> => {
  const since = Date.now();
  const fresh = async (): Promise<number> => (await report(page)).pictures.filter(({ stamp, shownAt }) => stamp !== null && shownAt > since).length;
  return until(fresh, (pictures) => pictures >= 20, resumesWithinMs + outageSeconds * 1000).then(
    () => true,
    () => false,
  );
};

export const outage = async (plan: OutagePlan): Promise<Seen[]> => {
  const { browser, pages, server, channel, source, viewings } = plan;
  const join = (joined: Joined): Promise<Watcher[]> =>
    Promise.all(
      viewings.map(async (viewing) => {
        const { page } = await openViewing(browser, pages, server, channel, viewing);
        await page.evaluate('watch.video.marked = true');
        return { viewing, joined, page };
      }),
    );

  const first = push(source.file, server.rtmpUrl(channel));
  let second: ReturnType<typeof push> | null = null;
  try {
    await server.live(channel);
    const watchers = await join('before');
    await Promise.all(watchers.map(({ page }) => firstPicture(page)));
    await wait(plan.beforeSeconds * 1000);

    await first.kill();
    const goneAt = performance.now();
    await wait((plan.outageSeconds * 1000) / 2);
    watchers.push(...(await join('during')));
    await wait(Math.max(0, goneAt + plan.outageSeconds * 1000 - performance.now()));
    second = push(source.file, server.rtmpUrl(channel));
    const backAt = performance.now();
    const resumed = await Promise.all(watchers.map(async ({ page }) => ((await moves(page, plan.outageSeconds)) ? performance.now() - backAt : Number.POSITIVE_INFINITY)));
    const joinsAt = performance.now();
    watchers.push(...(await join('after')));
    const late = watchers.slice(resumed.length);
    resumed.push(...(await Promise.all(late.map(async ({ page }) => ((await moves(page, plan.outageSeconds)) ? performance.now() - joinsAt : Number.POSITIVE_INFINITY)))));

    await wait(plan.settleSeconds * 1000);
    const settling = await Promise.all(watchers.map(({ page }) => report(page)));
    await Promise.all(watchers.map(({ page }) => forget(page)));
    await wait(plan.evenSeconds * 1000);
    return await Promise.all(
      watchers.map(async ({ viewing, joined, page }, index) => ({
        name: viewing.name,
        joined,
        resumedAfterMs: resumed[index] ?? Number.NaN,
        settling: settling[index] ?? (await report(page)),
        even: await report(page),
        sameElement: await page.evaluate<boolean>('watch.video.marked === true && watch.video.isConnected'),
      })),
    );
  } finally {
    await first.kill();
    await second?.stop();
  }
};
