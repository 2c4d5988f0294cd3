/**
 * A film that somebody uploads by the page in a browser, over a line as slow as people's are, and that others watch
 * meanwhile: the line stops carrying anything in the middle, and what was seen comes back as data.
 */
import { stat } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { openPage } from './chromium.ts';
import { firstPicture, report, type PlayerName, type PlayerPages, type WatchReport } from './player-page.ts';
import { until } from './playlists.ts';
import { adminPassword, type MillraceServer } from './server.ts';
import { slowLine } from './slow-line.ts';
import { signIn } from './web-app.ts';

export type UploadPlan = {
  readonly browser: Browser;
  readonly pages: PlayerPages;
  readonly server: MillraceServer;
  readonly file: string;
  /** What the page calls it: the file's name without its ending. */
  readonly title: string;
  readonly players: readonly PlayerName[];
  readonly bytesPerSecond: number;
  /** Where the line stops, as a share of the file. */
  readonly stallAt: number;
  readonly stallMs: number;
};

export type Watched = {
  readonly player: PlayerName;
  readonly page: Page;
  /** Share of the file that had arrived when the first picture was shown. */
  readonly firstPictureAt: number;
  /** And how long after the file was chosen, ms. */
  readonly firstPictureMs: number;
  /** Seen until the line carried again. */
  readonly early: WatchReport;
};

export type UploadViewing = { readonly video: string; readonly watched: readonly Watched[]; readonly uploadMs: number };

type Video = { readonly id: string; readonly state: string; readonly upload: { readonly received: number; readonly size: number } | null };

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const uploadAndWatch = async (plan: UploadPlan): Promise<UploadViewing> => {
  const { browser, pages, server, file, title, players, stallAt, stallMs } = plan;
  const token = await server.login();
  const line = await slowLine(server.ports.http, plan.bytesPerSecond);
  const { size } = await stat(file);
  const { page, context } = await openPage(browser, { locale: 'en-US' });
  const find = async (): Promise<Video | undefined> => (await server.must<{ items: Video[] }>('GET', `videos?mine=true&query=${title}`, undefined, token)).items[0];
  try {
    const origin = `http://127.0.0.1:${line.port}`;
    await signIn(page, origin, adminPassword);
    await page.goto(`${origin}/studio/upload`);
    const before = line.bytes;
    const input = page.locator('.drop input[type=file]');
    await input.waitFor({ state: 'attached' });
    await input.setInputFiles(file);
    const beganAt = performance.now();
    // It ends by itself, whatever is there by then: several parts are on their way at once, and one of the first may be among those that wait.
    const stalled = line.passed(before + stallAt * size).then(async () => {
      line.hold();
      await wait(stallMs);
      line.release();
    });
    const video = (await until(find, (found) => found !== undefined, 20_000))?.id ?? '';
    // What it is called, and for whom, can be said while it is on its way.
    await server.must('PATCH', `videos/${video}`, { visibility: 'public' }, token);
    await until(find, (found) => found?.state === 'playable', 60_000);
    const watching = await Promise.all(
      players.map(async (player) => {
        const { page } = await openPage(browser);
        await page.goto(pages.url(`${server.origin}/play/-/${video}/master.m3u8`, { player }));
        await firstPicture(page, 60_000);
        const firstPictureMs = performance.now() - beganAt;
        const { received = size } = (await find())?.upload ?? {};
        return { player, page, firstPictureAt: received / size, firstPictureMs };
      }),
    );
    await stalled;
    const watched = await Promise.all(watching.map(async (one) => ({ ...one, early: await report(one.page) })));
    await until(find, (found) => found?.state === 'ready', 30_000 + (size / plan.bytesPerSecond) * 3_000);
    return { video, watched, uploadMs: performance.now() - beganAt };
  } finally {
    await context.close();
    await line.close();
  }
};
