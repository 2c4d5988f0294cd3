/** What tests of the upload page say again and again: files, parts that are held back, cards and what they say. */
import type { Locator, Page } from 'playwright-core';
import { encoded } from './encoded.ts';

const noise = (seconds: number, size: string): string[] => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30:duration=${seconds},noise=alls=40:allf=t`];
const tone = (frequency: number, seconds: number): string[] => ['-f', 'lavfi', '-i', `sine=${frequency}:duration=${seconds}:sample_rate=48000`];
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '60', '-bf', '0', '-b:v', '8M', '-maxrate', '8M', '-bufsize', '8M', '-c:a', 'aac'];

/** 24 s in about 25 MB, so that it goes in several parts; upright, with sounds in two languages, the index at the end. */
export const longFilm = (): Promise<string> =>
  encoded('mp4', [
    ...[...noise(24, '360x640'), ...tone(440, 24), ...tone(880, 24), '-map', '0', '-map', '1', '-map', '2', ...x264],
    ...['-metadata:s:a:0', 'language=kor', '-metadata:s:a:1', 'language=eng', '-disposition:a:1', '0'],
  ]);

export const shortFilm = (): Promise<string> => encoded('mp4', [...noise(4, '320x180'), ...tone(440, 4), ...x264, '-b:v', '1M']);

/** Twenty minutes in few bytes, since they are the same two seconds again and again: it plays as it is, and a smaller size of it takes a while. */
export const tediousFilm = async (): Promise<string> => {
  const short = await encoded('mp4', ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30:duration=2', '-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '60', '-bf', '0', '-crf', '35']);
  return encoded('mp4', ['-stream_loop', '599', '-i', short, '-c', 'copy']);
};

type Gate = { readonly held: () => number; open(): void };

/** Lets parts of so many bytes through, and holds the others until it is opened. */
export const holdParts = async (page: Page, bytes: number): Promise<Gate> => {
  const opened = Promise.withResolvers<void>();
  let [sent, held] = [0, 0];
  await page.route(/\/upload\/[^/]+\/parts\//, async (route) => {
    const size = Number(new URL(route.request().url()).searchParams.get('size') ?? 8 * 2 ** 20);
    if (sent >= bytes) {
      held += 1;
      await opened.promise;
    }
    sent += size;
    // Called off meanwhile: by a pause, or because the page has gone.
    await route.continue().catch(() => {});
  });
  return { held: () => held, open: () => opened.resolve() };
};

export const choose = async (page: Page, button: string | RegExp, files: Parameters<Page['setInputFiles']>[1]): Promise<void> => {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: button }).click()]);
  await chooser.setFiles(files);
};

type Dropped = readonly { readonly name: string; readonly bytes: number }[];

/** Files let go over the middle of the page. */
export const drop = async (page: Page, files: Dropped): Promise<void> => {
  const data = await page.evaluateHandle((wanted: Dropped) => {
    type Transfer = { items: { add(file: unknown): void } };
    const { DataTransfer, File } = globalThis as unknown as { DataTransfer: new () => Transfer; File: new (parts: Uint8Array[], name: string) => unknown };
    const transfer = new DataTransfer();
    for (const { name, bytes } of wanted) transfer.items.add(new File([new Uint8Array(bytes).fill(7)], name));
    return transfer;
  }, files);
  const middle = page.locator('main');
  await middle.dispatchEvent('dragenter', { dataTransfer: data });
  await page.locator('.drop.over').waitFor();
  await middle.dispatchEvent('drop', { dataTransfer: data });
};

export const card = (page: Page, name: string) => page.locator('li.upload').filter({ has: page.getByRole('heading', { name }) });
/** What its badge says; whoever listens hears the same. */
export const state = (one: Locator, words: string): Locator => one.locator('.badge').getByText(words, { exact: true });
