/** Every player on every protected view that it is for, beside a server whose keys last for two segments. */
import type { Test } from 'tap';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, openPage } from './chromium.ts';
import type { ClipOptions } from './clips.ts';
import { firstPicture, servePlayerPages, type PlayerName, type PlayerPages, type WatchReport } from './player-page.ts';
import { startServer, type MillraceServer } from './server.ts';
import { dash, shaka } from './viewings.ts';

export type Contestant = { readonly name: string; readonly scheme: 'aes-128' | 'cbcs'; readonly player: PlayerName; readonly file: string; readonly config?: object };

export const contestants: readonly Contestant[] = [
  { name: 'AES-128, hls.js', scheme: 'aes-128', player: 'hls', file: 'master.m3u8' },
  { name: 'AES-128, hls.js, MPEG-TS', scheme: 'aes-128', player: 'hls', file: 'ts/master.m3u8' },
  { name: 'AES-128, Shaka', scheme: 'aes-128', player: 'shaka', file: 'master.m3u8', config: shaka },
  { name: 'cbcs, Shaka, HLS', scheme: 'cbcs', player: 'shaka', file: 'master.m3u8', config: shaka },
  { name: 'cbcs, Shaka, DASH', scheme: 'cbcs', player: 'shaka', file: 'manifest.mpd', config: shaka },
  { name: 'cbcs, dash.js', scheme: 'cbcs', player: 'dash', file: 'manifest.mpd', config: dash },
];

/** hls.js steps once over the few milliseconds by which sound begins earlier than picture, and says so. */
export const faults = ({ errors }: WatchReport): object[] => errors.filter(({ details }) => !/^buffer(?:SeekOverHole|NudgeOnStall)$/.test(details ?? ''));

export const picture = { bframes: 2, width: 320, height: 180, kbps: 300 } as const satisfies ClipOptions;
/** What another encoder, or the same one with other settings, makes of the same pictures. */
export const changed = { bframes: 0, width: 426, height: 240, kbps: 300 } as const satisfies ClipOptions;

/** No page can look into what a browser has decrypted for it: there, only how many pictures were shown is known. */
export const begun = async (page: Page, { scheme }: Contestant): Promise<void> => {
  if (scheme === 'aes-128') await firstPicture(page, 40_000);
  else await page.waitForFunction('watch.report().totalFrames > 5', undefined, { timeout: 40_000, polling: 100 });
};

export type OpenContestant = { readonly page: Page; /** Ids of keys that were asked for. */ readonly keys: ReadonlySet<string>; close(): Promise<void> };

const keyAddress = /\/keys\/([0-9a-z]+)$/;

export class ProtectedStage {
  readonly server: MillraceServer;
  readonly token: string;
  readonly browser: Browser;
  readonly pages: PlayerPages;

  private constructor(server: MillraceServer, token: string, browser: Browser, pages: PlayerPages) {
    this.server = server;
    this.token = token;
    this.browser = browser;
    this.pages = pages;
  }

  static async open(t: Test): Promise<ProtectedStage> {
    const server = await startServer({ env: { MILLRACE_PROTECTION_SEGMENTS_PER_KEY: '2' } });
    t.teardown(() => server.stop());
    const browser = await launchChromium();
    t.teardown(() => browser.close());
    const pages = await servePlayerPages();
    t.teardown(() => pages.close());
    return new ProtectedStage(server, await server.login(), browser, pages);
  }

  async watch({ player, config = {} }: Contestant, url: string, before?: (page: Page) => Promise<void>): Promise<OpenContestant> {
    const { page, context } = await openPage(this.browser);
    const keys = new Set<string>();
    page.on('request', (request) => {
      const name = keyAddress.exec(request.url())?.[1];
      if (name === undefined) return;
      const asked = request.method() === 'POST' ? (request.postDataJSON() as { kids: string[] }).kids : [Buffer.from(name, 'hex').toString('base64url')];
      for (const kid of asked) keys.add(kid);
    });
    await before?.(page);
    await page.goto(this.pages.url(url, { player, config }));
    return { page, keys, close: () => context.close() };
  }
}
