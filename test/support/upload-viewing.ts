/**
 * A film that somebody uploads by the page in a browser, over a line as slow as people's are, and that others watch
 * meanwhile. In the middle the line stands still: so long as it is told to, and until all of them have seen pictures move. So
 * it is a fact what had come when they did, however busy the machine is.
 */
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { openPage } from './chromium.ts';
import type { PlayerName, PlayerPages } from './player-page.ts';
import { adminPassword, type MillraceServer } from './server.ts';
import { slowLine } from './slow-line.ts';
import { signIn } from './web-app.ts';

export type UploadPlan = {
  readonly browser: Browser;
  readonly pages: PlayerPages;
  readonly server: MillraceServer;
  readonly file: string;
  readonly players: readonly PlayerName[];
  readonly bytesPerSecond: number;
  /** Where the line stops, as a share of the file. */
  readonly stallAt: number;
  readonly stallMs: number;
  /** For each thing that has to happen: a busy machine opens a page, a player and a decoder for a first picture. */
  readonly patienceMs: number;
};

export type Watched = {
  readonly player: PlayerName;
  readonly page: Page;
  /** Share of the file that had gone over the line, at the most, when the first picture was there; when pictures had been seen to move. */
  readonly firstAt: number;
  readonly playedAt: number;
};

export type UploadViewing = {
  readonly video: string;
  readonly watched: readonly Watched[];
  /** What had landed when the line stood still: ranges, from and up to. */
  readonly atStall: readonly (readonly [from: number, to: number])[];
  /** How often the file went over the line. */
  readonly sent: number;
  readonly uploadMs: number;
};

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Topic = { reaches(...states: readonly string[]): Promise<void>; close(): void };

/** What the server says of a video by itself. */
const follow = async (server: MillraceServer, token: string, { video, patienceMs }: { readonly video: string; readonly patienceMs: number }): Promise<Topic> => {
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/api/v1/ws`, { headers: { authorization: `Bearer ${token}` } });
  const waiting: { readonly states: readonly string[]; readonly reached: () => void }[] = [];
  let last = '';
  socket.on('message', (message) => {
    const { data } = JSON.parse(String(message)) as { data?: { state?: string } };
    last = data?.state ?? last;
    for (const { states, reached } of waiting) if (states.includes(last)) reached();
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ subscribe: `video:${video}` }));
  return {
    reaches: (...states) =>
      new Promise((resolve, reject) => {
        if (states.includes(last)) return resolve();
        const late = setTimeout(() => reject(new Error(`after ${patienceMs} ms it is ${last}, not ${states.join(' or ')}`)), patienceMs);
        waiting.push({ states, reached: () => (clearTimeout(late), resolve()) });
      }),
    close: () => socket.terminate(),
  };
};

const movesOf = (pictures: readonly { readonly mediaTime: number }[]): number => (pictures.at(-1)?.mediaTime ?? 0) - (pictures[0]?.mediaTime ?? 0);

/** The page in which somebody has chosen the file, and the video that is made of it. */
const choose = async (page: Page, { file, patienceMs }: Pick<UploadPlan, 'file' | 'patienceMs'>): Promise<string> => {
  const input = page.locator('.drop input[type=file]');
  await input.waitFor({ state: 'attached' });
  const made = page.waitForResponse((response) => response.request().method() === 'POST' && response.url().endsWith('/api/v1/videos'), { timeout: patienceMs });
  await input.setInputFiles(file);
  const { id } = (await (await made).json()) as { id: string };
  return id;
};

export const uploadAndWatch = async (plan: UploadPlan): Promise<UploadViewing> => {
  const { browser, pages, server, file, players, stallAt, stallMs, patienceMs } = plan;
  const token = await server.login();
  const line = await slowLine(server.ports.http, plan.bytesPerSecond);
  const { size } = await stat(file);
  const { page, context } = await openPage(browser, { locale: 'en-US' });
  let topic: Topic | null = null;
  try {
    const origin = `http://127.0.0.1:${line.port}`;
    await signIn(page, origin, adminPassword);
    await page.goto(`${origin}/studio/upload`);
    const before = line.bytes;
    const share = (): number => (line.bytes - before) / size;
    const beganAt = performance.now();
    const stopped = line.passed(before + stallAt * size).then(() => line.hold());
    const video = await choose(page, plan);
    topic = await follow(server, token, { video, patienceMs });
    // For whom it is can be said while it is on its way.
    await server.must('PATCH', `videos/${video}`, { visibility: 'public' }, token);
    const { upload } = await server.must<{ upload: { parts: { status: string } } }>('POST', `videos/${video}/upload`, undefined, token);
    const status = new URL(upload.parts.status).pathname;
    await topic.reaches('playable');
    const watching = Promise.all(
      players.map(async (player): Promise<Watched> => {
        const { page } = await openPage(browser);
        await page.goto(pages.url(`${server.origin}/play/-/${video}/master.m3u8`, { player }));
        await page.waitForFunction('watch.report().pictures.length > 0', undefined, { timeout: patienceMs, polling: 20 });
        const firstAt = share();
        await page.waitForFunction(`(${movesOf.toString()})(watch.report().pictures) > 0.5`, undefined, { timeout: patienceMs, polling: 50 });
        return { player, page, firstAt, playedAt: share() };
      }),
    );
    const standing = stopped.then(async () => {
      const { landed } = await server.must<{ landed: [number, number][] }>('GET', status);
      await wait(stallMs);
      return landed;
    });
    const [watched, atStall] = await Promise.all([watching, standing]);
    line.release();
    await topic.reaches('ready', 'failed');
    return { video, watched, atStall, sent: share(), uploadMs: performance.now() - beganAt };
  } finally {
    topic?.close();
    await context.close();
    await line.close();
  }
};
