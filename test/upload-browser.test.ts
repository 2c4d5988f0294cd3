/**
 * Files sent by the upload page in a real Chromium to a whole server, while everything goes wrong that can: what arrives
 * is the file, byte for byte, and nothing is left of how it came.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import type { Page } from 'playwright-core';
import { insecureHost, launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { until } from './support/playlists.ts';
import { Random } from './support/random.ts';
import { adminPassword, freePorts, startServer } from './support/server.ts';
import { slowLine } from './support/slow-line.ts';
import { nothingBehind } from './support/upload.ts';
import { signIn, unexpected } from './support/web-app.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-upload-'));
const data = path.join(folder, 'data');
const ports = await freePorts();
let server = await startServer({ data, ports, env: nothingBehind });
t.teardown(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
const token = await server.login();
const browser = await launchChromium();
t.teardown(() => browser.close());

type Test = Pick<typeof t, 'equal' | 'ok' | 'same'>;
type Video = { readonly id: string; readonly title: string; readonly state: string; readonly upload: { readonly received: number } | null };

/** A film, and behind it a box of so much noise that no player looks into. */
const film = async (name: string, noise: number, seed: number): Promise<{ file: string; bytes: Buffer }> => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(noise + 8);
  head.write('free', 4);
  const bytes = Buffer.concat([await readFile((await clip()).file), head, new Random(seed).bytes(noise)]);
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return { file, bytes };
};
const titled = async (title: string): Promise<Video[]> => (await server.must<{ items: Video[] }>('GET', `videos?mine=true&query=${title}`, undefined, token)).items;

const uploadPage = async (page: Page, origin: string): Promise<void> => {
  await page.goto(`${origin}/studio/upload`);
  await page.locator('.drop input[type=file]').waitFor({ state: 'attached' });
};
const choose = (page: Page, file: string): Promise<void> => page.locator('.drop input[type=file]').setInputFiles(file);

/** Only one video is made of it, it is what was sent, and nothing stands beside it. */
const isWhole = async (t: Test, title: string, bytes: Buffer): Promise<void> => {
  const videos = await until(
    () => titled(title),
    (found) => found.some(({ state }) => state === 'ready' || state === 'failed'),
    40_000,
  );
  t.same(videos.map(({ state, upload }) => ({ state, upload })), [{ state: 'ready', upload: null }]);
  const place = path.join(data, 'videos', videos[0]?.id ?? '');
  t.ok((await readFile(path.join(place, 'original'))).equals(bytes), 'byte for byte');
  t.same(readdirSync(place).filter((name) => name.startsWith('original')), ['original']);
};

/** What a browser says of connections that break under it. */
const broken = /net::ERR_|WebSocket connection|status of 50[0-9]|status of 404/;

t.test('cut ten times, the server killed three times, the page closed in the middle: the same file chosen again goes on', async (t) => {
  const { file, bytes } = await film('storm.mp4', 20e6, 1);
  const line = await slowLine(ports.http, 6_000_000);
  t.teardown(() => line.close());
  const origin = `http://127.0.0.1:${line.port}`;
  const { page, context, complaints } = await openPage(browser, { locale: 'en-US' });
  t.teardown(() => context.close());
  await signIn(page, origin, adminPassword);
  await uploadPage(page, origin);
  const before = line.bytes;
  const at = (share: number): Promise<void> => line.passed(before + share * bytes.length);
  await choose(page, file);
  let cuts = 0;
  let deaths = 0;
  for (const step of ['cut', 'cut', 'kill', 'cut', 'cut', 'reload', 'cut', 'kill', 'cut', 'cut', 'kill', 'cut', 'cut', 'cut'].entries()) {
    const [index, what] = step;
    await at((index + 1) / 15);
    if (what === 'cut') {
      // The page may be waiting before it connects again.
      await until(async () => line.cut(), (connections) => connections > 0, 30_000);
      cuts += 1;
    } else if (what === 'kill') {
      deaths += 1;
      await server.kill9();
      server = await startServer({ data, ports, env: nothingBehind });
    } else {
      await page.reload();
      await page.locator('.drop input[type=file]').waitFor({ state: 'attached' });
      await choose(page, file);
    }
  }
  t.same([cuts, deaths], [10, 3]);
  await isWhole(t, 'storm', bytes);
  const sent = (line.bytes - before) / bytes.length;
  t.ok(sent < 3, `${sent.toFixed(2)} times the file went over the line`);
  t.comment(`${sent.toFixed(2)} times the file`);
  await page.locator('.uploads').getByText('storm.mp4').first().waitFor();
  t.same(unexpected(complaints, broken), []);
});

t.test('begun on one machine, ended on another, on an insecure origin and without crypto.subtle', async (t) => {
  const { file, bytes } = await film('moved.mp4', 8e6, 2);
  const line = await slowLine(ports.http, 8_000_000);
  t.teardown(() => line.close());
  const one = await openPage(browser, { locale: 'en-US' });
  await signIn(one.page, `http://127.0.0.1:${line.port}`, adminPassword);
  await uploadPage(one.page, `http://127.0.0.1:${line.port}`);
  await choose(one.page, file);
  await line.passed(line.bytes + bytes.length / 2);
  await one.context.close();
  const [begun] = await until(
    () => titled('moved'),
    ([video]) => (video?.upload?.received ?? 0) > 1e6,
  );
  const origin = `http://${insecureHost}:${line.port}`;
  const other = await openPage(browser, { locale: 'en-US' });
  t.teardown(() => other.context.close());
  await signIn(other.page, origin, adminPassword);
  await uploadPage(other.page, origin);
  type Insecure = { isSecureContext: boolean; crypto: { subtle?: unknown } };
  const here = await other.page.evaluate(() => {
    const { isSecureContext, crypto } = globalThis as unknown as Insecure;
    return { isSecureContext, subtle: crypto.subtle !== undefined };
  });
  t.same(here, { isSecureContext: false, subtle: false });
  const renamed = path.join(folder, 'copy of moved.mp4');
  writeFileSync(renamed, bytes);
  const before = line.bytes;
  await choose(other.page, renamed);
  await line.passed(before + 1e6);
  line.cut();
  await isWhole(t, 'moved', bytes);
  const sent = (line.bytes - before) / (bytes.length - (begun?.upload?.received ?? 0));
  t.ok(sent < 1.7, `${sent.toFixed(2)} times what was missing went over the line`);
  t.same(unexpected(other.complaints, broken), []);
});
