/** The page of a recording: links to a moment and to a piece, trimming, captions, downloads, deletion; in a real Chromium. */
import t from 'tap';
import type { Page } from 'playwright-core';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { mustFfmpeg } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { adminPassword, startServer } from './support/server.ts';
import { plays, signIn, unexpected, videoFacts, type VideoFacts } from './support/web-app.ts';

const english = { locale: 'en-US', viewport: { width: 1280, height: 1000 } };
const korean = { locale: 'ko-KR', viewport: { width: 390, height: 844 } };

const source = await clip({ bframes: 2 });
const server = await startServer();
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());

/** A show of so many seconds, over and recorded; its id. */
const record = async (name: string, seconds: number, settings: Record<string, unknown> = {}): Promise<string> => {
  const token = await server.login();
  const channel = await server.createChannel(token, { name, title: `The ${name} show`, ...settings });
  // As fast as it is taken: only the stamps of the wire count.
  const loops = String(Math.ceil(seconds / source.seconds));
  const args = ['-stream_loop', loops, '-i', source.file, '-t', String(seconds), '-c', 'copy', '-flvflags', 'no_duration_filesize'];
  await mustFfmpeg([...args, '-f', 'flv', server.rtmpUrl(channel)]);
  type Listed = { items: readonly { id: string; state: string }[] };
  const { items } = await until(
    () => server.must<Listed>('GET', `videos?channel=@${name}`, undefined, token),
    (list) => list.items.some(({ state }) => state === 'ready'),
  );
  return items[0]?.id ?? '';
};

type Track = { language: string; mode: string; activeCues: { length: number; [at: number]: { text: string } } | null };
/** The captions on the picture. */
const shown = (page: Page): Promise<string[]> =>
  page.locator('video').evaluate(({ textTracks }: { textTracks: Iterable<Track> }) =>
    [...textTracks].filter(({ mode }) => mode === 'showing').flatMap(({ activeCues }) => Array.from({ length: activeCues?.length ?? 0 }, (_, at) => activeCues?.[at]?.text ?? '')),
  );

t.test('an owner trims, adds captions and forbids downloads; a viewer gets what is left, and takes it back to a friend', async (t) => {
  const id = await record('own', 20, { visibility: 'private' });
  const where = `${server.origin}/watch/${id}`;
  const owner = await openPage(browser, english);
  const viewer = await openPage(browser, korean);
  t.teardown(() => Promise.all([owner.context.close(), viewer.context.close()]));
  const { page } = owner;

  await viewer.page.goto(where);
  await viewer.page.getByRole('heading', { name: '영상을 찾을 수 없습니다' }).waitFor();

  await signIn(page, server.origin, adminPassword);
  await page.goto(`${where}?t=0m5s`);
  const began = await until(() => videoFacts(page), ({ currentTime, paused }) => !paused && currentTime > 5.2);
  t.ok(began.currentTime < 9 && began.duration > 18, `it plays for its owner, and begins where the link says: ${began.currentTime}`);
  await page.getByText('Only you and the administrators can watch this.').waitFor();

  const trim = page.locator('section[aria-labelledby=trim]');
  await trim.getByLabel('From', { exact: true }).fill('eight');
  await trim.getByText('Write it as 1:30 or 1:02:03.').waitFor();
  await trim.getByLabel('From', { exact: true }).fill('0:08');
  await trim.getByLabel('To', { exact: true }).fill('0:04');
  await trim.getByText('The end has to come after the beginning.').waitFor();
  await trim.getByLabel('To', { exact: true }).fill('0:12');
  await trim.getByRole('button', { name: 'Preview' }).click();
  const previewed = await until(() => videoFacts(page), ({ currentTime, paused }) => paused && currentTime > 11.9);
  t.ok(previewed.currentTime < 15, `the preview stops where the piece ends, at ${previewed.currentTime}`);
  await trim.getByRole('button', { name: 'Trim', exact: true }).click();
  await page.getByText('Viewers get the trimmed video now.').waitFor();
  const cut = await until(() => videoFacts(page), ({ duration }) => duration < 8);
  t.ok(cut.duration >= 4, `${cut.duration} s are left`);
  await page.getByText('Viewers see 0:08 to 0:12 of the video.').waitFor();
  await page.getByRole('button', { name: 'Show all of it again' }).click();
  await until(() => videoFacts(page), ({ duration }) => duration > 18);

  const files = page.locator('section[aria-labelledby=captions]');
  await files.getByText('There are no captions yet.').waitFor();
  const upload = async (text: string): Promise<void> =>
    page.getByRole('region', { name: 'Caption files' }).locator('input[type=file]').setInputFiles({ name: 'ko.vtt', mimeType: 'text/vtt', buffer: Buffer.from(text) });
  await files.getByLabel('Language').selectOption('ko');
  const [picker] = await Promise.all([page.waitForEvent('filechooser'), files.getByRole('button', { name: 'Choose a file…' }).click()]);
  await picker.setFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('remember the milk') });
  await files.getByText('This is no WebVTT file').waitFor();
  await upload('WEBVTT\n\n00:00.000 --> 00:20.000\n물레방아가 돕니다\n');
  await page.getByText('The captions are there for viewers now.').waitFor();
  await files.getByText('Korean').waitFor();

  await server.must('PATCH', `videos/${id}`, { visibility: 'unlisted' }, await server.login());
  await viewer.page.goto(where);
  await plays(viewer.page, 0.5);
  t.same(await shown(viewer.page), [], 'nobody is shown captions that he did not ask for');
  await viewer.page.keyboard.press('c');
  await until(() => shown(viewer.page), (texts) => texts.includes('물레방아가 돕니다'));
  await viewer.page.reload();
  await until(() => shown(viewer.page), (texts) => texts.includes('물레방아가 돕니다'), 20_000);
  await viewer.page.locator('.settings-button').click();
  await viewer.page.getByRole('radio', { name: '한국어' }).waitFor();
  t.ok(await viewer.page.getByRole('radio', { name: '한국어' }).isChecked(), 'the choice is remembered');
  await viewer.page.getByRole('radio', { name: '끄기' }).check();
  await viewer.page.getByRole('radio', { name: '2배' }).check();
  t.equal(await viewer.page.locator('video').evaluate(({ playbackRate }: { playbackRate: number }) => playbackRate), 2);
  await viewer.page.keyboard.press('Escape');
  t.equal(await viewer.page.getByRole('radio').count(), 0);
  t.same(await shown(viewer.page), []);

  const download = viewer.page.getByRole('link', { name: '다운로드' });
  const [file] = await Promise.all([viewer.page.waitForEvent('download'), download.click()]);
  t.match(file.suggestedFilename(), /\.mp4$/);
  await file.cancel();
  await page.getByRole('switch', { name: 'Viewers may download' }).uncheck();
  await page.getByText('Saved.').waitFor();
  await viewer.page.reload();
  await viewer.page.getByRole('button', { name: '공유' }).waitFor();
  t.equal(await download.count(), 0);

  await files.getByRole('button', { name: 'Remove Korean' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await files.getByText('There are no captions yet.').waitFor();
  t.same(owner.complaints, []);
  t.same(unexpected(viewer.complaints, /status of 404/), []);
});

const shareDialog = (page: Page) => {
  const dialog = page.getByRole('dialog');
  return { dialog, link: dialog.getByLabel('Link', { exact: true }) };
};

/** Plays on to a place and holds the picture there: what is said of a place that moves on is true for a moment only. */
const heldAfter = async (page: Page, seconds: number): Promise<VideoFacts> => {
  await until(() => videoFacts(page), ({ currentTime, state }) => state === 'playing' && currentTime > seconds, 30_000);
  await page.locator('video').evaluate((video: { pause(): void }) => video.pause());
  return videoFacts(page);
};

t.test('a link leads to a moment, or to a piece alone', async (t) => {
  const id = await record('share', 20);
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => context.close());
  const { dialog, link } = shareDialog(page);
  await page.goto(`${server.origin}/watch/${id}?start=6`);
  const { currentTime } = await heldAfter(page, 6);
  await page.getByRole('button', { name: 'Share' }).click();
  t.equal(await link.inputValue(), `${server.origin}/watch/${id}?t=${Math.floor(currentTime)}`);
  await dialog.getByLabel('From the beginning').check();
  t.equal(await link.inputValue(), `${server.origin}/watch/${id}`);
  await dialog.getByLabel('Only a part').check();
  await dialog.getByLabel('From', { exact: true }).fill('0:04');
  await dialog.getByLabel('To', { exact: true }).fill('0:10');
  const piece = await link.inputValue();
  t.equal(piece, `${server.origin}/watch/${id}?in=4&out=10`);
  await page.goto(piece);
  await page.getByText('This is a part of the video.').waitFor();
  const seen = await plays(page, 0.5);
  t.ok(seen.duration >= 6 && seen.duration < 10, `${seen.duration} s`);
  await page.getByRole('link', { name: 'Watch the whole video' }).click();
  t.ok((await plays(page, 0.5)).duration > 18);
  t.same(complaints, []);
});

t.test('in a trimmed recording a link counts from where viewers see it begin, a piece in the time of the whole', async (t) => {
  const id = await record('shorter', 20);
  await server.must('PATCH', `videos/${id}`, { trim: { in: 8, out: null } }, await server.login());
  // Whoever had watched all of it would be shown all of it for another minute: so long a browser keeps the list of a recording.
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => context.close());
  const { dialog, link } = shareDialog(page);
  await page.goto(`${server.origin}/watch/${id}?t=3`);
  const { currentTime, duration } = await heldAfter(page, 3);
  t.ok(duration < 14, `${duration} s are left`);
  await page.getByRole('button', { name: 'Share' }).click();
  const at = Math.floor(currentTime);
  t.equal(await link.inputValue(), `${server.origin}/watch/${id}?t=${at}`);
  await dialog.getByLabel('Only a part').check();
  const [, begins] = /^0:(\d\d)$/.exec(await dialog.getByLabel('From', { exact: true }).inputValue()) ?? [];
  t.ok(Math.abs(Number(begins) - (8 + at)) <= 1, `${begins} s for ${currentTime} s after 8 s`);
  t.same(complaints, []);
});

t.test('before there is a picture, a link leads to where the page is to begin', async (t) => {
  const id = await record('early', 10);
  const { page, context } = await openPage(browser, english);
  t.teardown(() => context.close());
  await page.route(/\.m4s/, () => {}); // no media ever comes
  await page.goto(`${server.origin}/watch/${id}?t=0m5s`);
  await page.getByRole('button', { name: 'Share' }).click();
  const { dialog, link } = shareDialog(page);
  t.equal(await link.inputValue(), `${server.origin}/watch/${id}?t=5`);
  await dialog.getByLabel('Only a part').check();
  t.equal(await dialog.getByLabel('From', { exact: true }).inputValue(), '0:05');
  t.equal((await videoFacts(page)).state, 'loading');
});

t.test('a video that is removed while it is watched plays what is here, and then the page says what happened', async (t) => {
  const id = await record('gone', 60);
  const { page, context } = await openPage(browser, english);
  t.teardown(() => context.close());
  // A player on a quick line has all of a minute at once: what comes later is held back until there is nothing more.
  const removed = Promise.withResolvers<void>();
  await page.route(/-(?:[6-9]|\d\d)\.m4s/, async (route) => {
    await removed.promise;
    await route.continue();
  });
  await page.goto(`${server.origin}/watch/${id}`);
  await plays(page, 0.5);
  await server.must('DELETE', `videos/${id}`, undefined, await server.login());
  removed.resolve();
  await page.getByRole('heading', { name: 'This video is not there any more' }).waitFor();
  t.equal(await page.locator('video').count(), 1);
});
