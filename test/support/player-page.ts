/**
 * A page apart from the web app that plays a stream by hls.js as it comes from npm, and what it saw as data.
 * It is served from an origin of its own, so that CORS is tested with every playback.
 */
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { readStampSource } from './stamp.ts';

const pages = path.resolve(import.meta.dirname, 'pages');
const hlsJs = path.resolve(import.meta.dirname, '../../node_modules/hls.js/dist/hls.js');

export type ShownPicture = {
  readonly stamp: number | null;
  /** Wall clock of its display, in ms. */
  readonly shownAt: number;
  readonly mediaTime: number;
  /** The compositor's count of pictures: a jump by more than one is a callback that was missed, not a lost frame. */
  readonly presented: number;
};

export type WatchReport = {
  readonly pictures: readonly ShownPicture[];
  readonly stalls: readonly { readonly at: number; readonly ms: number }[];
  readonly errors: readonly { at: number; type: string; details?: string; fatal: boolean; code?: number }[];
  readonly latencies: readonly { at: number; seconds: number; rate: number }[];
  readonly firstPlayingMs: number | null;
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

export type PlayerPages = {
  readonly origin: string;
  /** The address of a page that plays `src`; `hls` is hls.js's configuration (empty: as it comes). */
  url(src: string, options?: { hls?: object; plain?: boolean }): string;
  close(): Promise<void>;
};

/** `files` are served too, by path: a test can play a file without a server of its own. */
export const servePlayerPages = async (files: Record<string, string> = {}): Promise<PlayerPages> => {
  const served: Record<string, { type: string; body: () => Promise<Buffer | string> }> = {
    '/': { type: 'text/html; charset=utf-8', body: () => readFile(path.join(pages, 'watch.html')) },
    '/watch.js': { type: 'text/javascript; charset=utf-8', body: () => readFile(path.join(pages, 'watch.js')) },
    '/hls.js': { type: 'text/javascript; charset=utf-8', body: () => readFile(hlsJs) },
    '/stamp.js': { type: 'text/javascript; charset=utf-8', body: async () => readStampSource },
  };
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
    url(src, { hls = {}, plain = false } = {}) {
      const query = new URLSearchParams({ src, hls: JSON.stringify(hls) });
      if (plain) query.set('plain', '1');
      return `${origin}/?${query}`;
    },
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
