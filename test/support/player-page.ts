/**
 * A page apart from the web app that plays a stream by a player as it comes from npm, and what it saw as data.
 * It is served from an origin of its own, so that CORS is tested with every playback.
 *
 *     const pages = await servePlayerPages();  t.teardown(() => pages.close());
 *     await page.goto(pages.url(manifest, { player: 'shaka', config: { streaming: { lowLatencyMode: true } } }));
 *     await firstPicture(page);
 *     await seek(page, 12);  await choose(page, 0);  const { errors, stalls } = await report(page);
 */
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { readStampSource } from './stamp.ts';

const pages = path.resolve(import.meta.dirname, 'pages');
const modules = path.resolve(import.meta.dirname, '../../node_modules');

/** `none`: the browser alone. */
export type PlayerName = 'hls' | 'shaka' | 'dash' | 'none';

const libraries: Record<Exclude<PlayerName, 'none'>, string> = {
  hls: 'hls.js/dist/hls.js',
  shaka: 'shaka-player/dist/shaka-player.compiled.js',
  dash: 'dashjs/dist/modern/umd/dash.all.min.js',
};

export type ShownPicture = {
  readonly stamp: number | null;
  /** Wall clock of its display as the browser expects it, in ms. On a busy machine it is not in order. */
  readonly shownAt: number;
  /** Wall clock of when the compositor got it, in ms: in order. */
  readonly submittedAt: number;
  readonly mediaTime: number;
  /** The compositor's count of pictures: a jump by more than one is a callback that was missed, not a lost frame. */
  readonly presented: number;
};

export type WatchReport = {
  readonly pictures: readonly ShownPicture[];
  /** Stops that nobody asked for: not those of a seek. */
  readonly stalls: readonly { readonly at: number; readonly ms: number }[];
  readonly errors: readonly { at: number; type: string; details?: string; fatal: boolean; code?: number }[];
  /** What the player itself believes, four times a second while live. */
  readonly latencies: readonly { at: number; seconds: number; rate: number }[];
  /** Changes of speed. */
  readonly rates: readonly { at: number; rate: number }[];
  readonly firstPlayingMs: number | null;
  /** Wall clock of the display of the very first picture, in ms, whether or not it is among `pictures`. */
  readonly firstShownAt: number | null;
  readonly currentTime: number;
  readonly ended: boolean;
  readonly paused: boolean;
  readonly readyState: number;
  readonly width: number;
  readonly height: number;
  readonly droppedFrames: number;
  readonly totalFrames: number;
  readonly targetLatency: number | null;
};

export type PageOptions = {
  /** hls.js if nothing is said. */
  player?: PlayerName;
  /** The player's own configuration (empty: as it comes). */
  config?: object;
};

export type PlayerPages = {
  readonly origin: string;
  /** The address of a page that plays `src`. */
  url(src: string, options?: PageOptions): string;
  close(): Promise<void>;
};

const pageOf = async (player: PlayerName): Promise<string> => {
  const scripts = [...(player === 'none' ? [] : [`/${player}.js`]), `/drive-${player}.js`];
  const html = await readFile(path.join(pages, 'watch.html'), 'utf8');
  return html.replace('<!-- player -->', scripts.map((script) => `<script src="${script}"></script>`).join('\n  '));
};

/** `files` are served too, by path: a test can play a file without a server of its own. */
export const servePlayerPages = async (files: Record<string, string> = {}): Promise<PlayerPages> => {
  const javascript = 'text/javascript; charset=utf-8';
  const served: Record<string, { type: string; body: () => Promise<Buffer | string> }> = {
    '/watch.js': { type: javascript, body: () => readFile(path.join(pages, 'watch.js')) },
    '/stamp.js': { type: javascript, body: async () => readStampSource },
    '/drive-none.js': { type: javascript, body: () => readFile(path.join(pages, 'drive-none.js')) },
    '/none': { type: 'text/html; charset=utf-8', body: () => pageOf('none') },
  };
  for (const [player, library] of Object.entries(libraries) as [keyof typeof libraries, string][]) {
    served[`/${player}`] = { type: 'text/html; charset=utf-8', body: () => pageOf(player) };
    served[`/${player}.js`] = { type: javascript, body: () => readFile(path.join(modules, library)) };
    served[`/drive-${player}.js`] = { type: javascript, body: () => readFile(path.join(pages, `drive-${player}.js`)) };
  }
  for (const [url, file] of Object.entries(files)) served[url] = { type: 'video/mp4', body: () => readFile(file) };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://page');
    const found = served[pathname];
    if (!found) {
      response.writeHead(404).end();
      return;
    }
    found.body().then(
      (body) => response.writeHead(200, { 'content-type': found.type, 'content-length': Buffer.byteLength(body) }).end(body),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    url: (src, { player = 'hls', config = {} } = {}) => `${origin}/${player}?${new URLSearchParams({ src, config: JSON.stringify(config) })}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

// Page code is plain strings: the types of this project know no DOM.
export const report = (page: Page): Promise<WatchReport> => page.evaluate('watch.report()');

export const forget = async (page: Page): Promise<void> => {
  await page.evaluate('watch.forget()');
};

export const pause = async (page: Page): Promise<void> => {
  await page.evaluate('watch.video.pause()');
};

export const play = async (page: Page): Promise<void> => {
  await page.evaluate('watch.video.play()');
};

/** To a media time, as controls do it: by the media element. */
export const seek = async (page: Page, seconds: number): Promise<void> => {
  await page.evaluate(`watch.video.currentTime = ${seconds}`);
};

/** Back to the live edge, as the player itself does it. */
export const goLive = async (page: Page): Promise<void> => {
  await page.evaluate('watch.goLive()');
};

/** Where a viewer can go, in media time; null while nothing is known. */
export const seekable = (page: Page): Promise<{ start: number; end: number } | null> => page.evaluate('watch.seekable()');

// Tracks of text: `watch.texts()`, `watch.chooseText(language)`, `watch.cues()`.

/** The rungs, the cheapest first (Shaka: each with each sound). */
export const qualities = (page: Page): Promise<{ height: number; bandwidth: number }[]> => page.evaluate('watch.qualities()');

/**
 * One rung of `qualities` and no other from now on; null: the player chooses again. What is in the buffer is replaced,
 * or played first.
 */
export const choose = async (page: Page, index: number | null, { keepBuffer = false } = {}): Promise<void> => {
  await page.evaluate(`watch.choose(${index}, ${keepBuffer})`);
};

/** The wall clock of the picture that is shown, as the player derives it from the manifest; ms since 1970. */
export const dateOfPicture = (page: Page): Promise<number | null> => page.evaluate('watch.dateOfPicture()');

/** Waits until the page has shown a first picture with a stamp. */
export const firstPicture = async (page: Page, timeoutMs = 20_000): Promise<void> => {
  await page.waitForFunction('watch.report().pictures.some((picture) => picture.stamp !== null)', undefined, {
    timeout: timeoutMs,
    polling: 100,
  });
};

/**
 * What is wrong with the order of stamps in a clip of `frames` frames that is looped. Callbacks that the compositor
 * skipped are no missing frames, so only numbers that go back (but to a beginning) and unread pictures count.
 */
export const disorder = (pictures: readonly ShownPicture[], frames: number): string[] => {
  const faults: string[] = [];
  let last: ShownPicture | undefined;
  for (const picture of pictures) {
    if (picture.stamp === null) {
      faults.push(`unreadable picture at ${picture.mediaTime.toFixed(3)} s`);
      continue;
    }
    if (last && last.stamp !== null) {
      const forward = (picture.stamp - last.stamp + frames) % frames;
      if (forward > frames / 2) faults.push(`${picture.stamp} after ${last.stamp} at ${picture.mediaTime.toFixed(3)} s`);
    }
    last = picture;
  }
  return faults;
};
