/** Files that cannot be played as they are, in the pages: what is said while they are prepared, and what comes of them. */
import path from 'node:path';
import t from 'tap';
import { awkward } from './support/awkward.ts';
import { launchChromium, openPage } from './support/chromium.ts';
import { until } from './support/playlists.ts';
import { adminPassword, startServer } from './support/server.ts';
import { plays, signIn, unexpected } from './support/web-app.ts';
import { card, choose, state } from './support/web-uploads.ts';

const files = await awkward(['VP9 and Opus', 'Matroska with subtitles', 'sound alone']);
const fileOf = (name: string): string => files.find((one) => one.name === name)?.file ?? '';
const film = fileOf('VP9 and Opus');
const captioned = fileOf('Matroska with subtitles');
const sound = fileOf('sound alone');
const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();
const browser = await launchChromium();
t.teardown(() => browser.close());

t.test('a film is converted, plays by itself on the page that waited for it, and what is no film is told', async (t) => {
  const { page, context, complaints } = await openPage(browser, { locale: 'en-US', viewport: { width: 1280, height: 900 } });
  t.teardown(() => context.close());
  await signIn(page, server.origin, adminPassword);
  await page.goto(`${server.origin}/studio/upload`);
  const text = { name: 'notes.mp4', mimeType: 'video/mp4', buffer: Buffer.from('This is some text. '.repeat(100)) };
  await choose(page, 'Choose files', film);
  const mine = card(page, path.basename(film));
  await mine.and(page.locator('[data-video]:not([data-video=""])')).waitFor();
  const id = await mine.getAttribute('data-video');
  const waiting = await context.newPage();
  await waiting.goto(`${server.origin}/watch/${id}`);
  const played = plays(waiting, 0.5, 60_000);

  await choose(page, 'Choose more files', [sound]);
  await choose(page, 'Choose more files', text);
  const failed = card(page, 'notes.mp4');
  await state(failed, 'Failed').waitFor();
  await failed.getByText('This file is neither a video nor a sound recording.').waitFor();
  t.equal(await failed.getByRole('link').count(), 0, 'there is nothing to watch');
  await state(mine, 'Ready').waitFor({ timeout: 60_000 });
  await mine.getByText('It is ready.').waitFor();
  t.equal(await mine.getByRole('progressbar').count(), 0, 'nothing is under way any more');
  const { duration } = await played;
  t.ok(duration > 7 && duration < 9, `all of it is there: ${duration} s`);
  await waiting.getByRole('heading', { name: 'Caption files' }).waitFor();
  await waiting.close();

  await card(page, path.basename(sound)).getByRole('link', { name: /^Watch/ }).click();
  await plays(page, 0.5);
  await page.getByText('Sound only', { exact: true }).waitFor();
  await page.goto(`${server.origin}/studio/videos`);
  const rows = page.locator('.video-row');
  await rows.filter({ hasText: 'neither a video' }).getByText('Failed', { exact: true }).waitFor();
  t.equal(await rows.locator('.badge').getByText('Ready', { exact: true }).count(), 2);
  t.equal(await rows.locator('.badge').count(), 3);
  // A video that has failed plays nowhere, and the page that asks is told so.
  await rows.getByRole('link', { name: 'notes' }).click();
  await page.getByRole('heading', { name: 'This video could not be prepared' }).waitFor();
  await page.getByText('This file is neither a video nor a sound recording.').waitFor();
  t.same(unexpected(complaints, /status of 409/), []);
});

type Track = { readonly mode: string; readonly cues: { readonly length: number; readonly [at: number]: { readonly text: string } } | null };

t.test('subtitles that lie in a file stand in the menu of the player', async (t) => {
  const { page, context, complaints } = await openPage(browser, { locale: 'en-US', viewport: { width: 1280, height: 900 } });
  t.teardown(() => context.close());
  await signIn(page, server.origin, adminPassword);
  await page.goto(`${server.origin}/studio/upload`);
  await choose(page, 'Choose files', captioned);
  const mine = card(page, path.basename(captioned));
  await state(mine, 'Ready').waitFor({ timeout: 60_000 });
  const id = await mine.getAttribute('data-video');
  await until(() => server.must<{ items: unknown[] }>('GET', `videos/${id}/captions`, undefined, token), ({ items }) => items.length === 1, 30_000);
  await mine.getByRole('link', { name: /^Watch/ }).click();
  await plays(page, 0.5);
  await page.locator('section[aria-labelledby=captions]').getByText('Korean').first().waitFor();
  await page.locator('.settings-button').click();
  await page.getByRole('group', { name: 'Captions' }).getByRole('radio', { name: 'Korean' }).check();
  const shown = (): Promise<string[]> =>
    page.locator('video').evaluate(({ textTracks }: { textTracks: Iterable<Track> }) =>
      [...textTracks].filter(({ mode }) => mode === 'showing').flatMap(({ cues }) => Array.from({ length: cues?.length ?? 0 }, (_, at) => cues?.[at]?.text ?? '')),
    );
  await until(shown, (texts) => texts.includes('Hello'), 20_000);
  t.same(complaints, []);
});
