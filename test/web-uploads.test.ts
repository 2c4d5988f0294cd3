/** The pages of uploads as people use them: a real server, a real Chromium, real files, in both languages. */
import path from 'node:path';
import t from 'tap';
import { launchChromium, openPage } from './support/chromium.ts';
import { until } from './support/playlists.ts';
import { adminPassword, startServer } from './support/server.ts';
import { nothingBehind } from './support/upload.ts';
import { plays, signIn, unexpected, videoFacts } from './support/web-app.ts';
import { card, choose, holdParts, longFilm, shortFilm, state } from './support/web-uploads.ts';

const english = { locale: 'en-US', viewport: { width: 1280, height: 900 } };
const korean = { locale: 'ko-KR', viewport: { width: 390, height: 844 } };

const [film, short] = await Promise.all([longFilm(), shortFilm()]);
const filmName = path.basename(film);
const server = await startServer({ env: nothingBehind });
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());

t.test('a film is sent, named, watched before it is whole, found again and removed', async (t) => {
  const { page, context, complaints } = await openPage(browser, english);
  const viewer = await openPage(browser, korean);
  t.teardown(() => Promise.all([context.close(), viewer.context.close()]));
  await signIn(page, server.origin, adminPassword);
  await page.getByRole('link', { name: 'Videos', exact: true }).click();
  await page.getByRole('heading', { name: 'No videos yet' }).waitFor();
  await page.getByRole('main').getByRole('link', { name: 'Upload' }).last().click();
  await page.getByText('Up to 20 GB for each file.').waitFor();

  const gate = await holdParts(page, 6_000_000);
  await choose(page, 'Choose files', film);
  const mine = card(page, filmName);
  await state(mine, 'Uploading').waitFor();
  await mine.getByLabel('Title').fill('At the mill');
  await mine.getByLabel('Who can watch').selectOption('unlisted');
  await mine.getByText('Saved', { exact: true }).waitFor();
  await mine.getByText('It already plays').waitFor();
  const share = Number(await mine.getByRole('progressbar').getAttribute('aria-valuenow'));
  t.ok(share > 0 && share < 100, `${share} % has been sent`);
  t.match(await mine.getByRole('progressbar').getAttribute('aria-valuetext'), /MB of 2\d MB/);
  await page.getByText('You can go on using these pages').waitFor();

  await mine.getByRole('link', { name: 'Watch At the mill' }).click();
  await page.waitForURL('**/watch/*');
  const link = page.url();
  const growing = await plays(page, 1);
  t.ok(growing.duration > 2 && growing.duration < 20, `${growing.duration} s are there`);
  t.equal(growing.count, 1);
  await page.getByText(/^Still being uploaded · \d+%$/).waitFor();
  t.equal(await page.locator('.live-edge, .badge.live').count(), 0, 'nothing says that it is live');
  t.equal(await page.locator('video').evaluate(({ playbackRate }: { playbackRate: number }) => playbackRate), 1);
  const shape = await page.locator('video').evaluate((video: { videoWidth: number; videoHeight: number }) => video.videoWidth / video.videoHeight);
  t.ok(shape < 0.6, 'it stands upright');
  const header = page.getByRole('banner').getByRole('link', { name: /^Upload: 1 file is on its way, \d+%$/ });
  await header.waitFor();

  await viewer.page.goto(link);
  await viewer.page.getByRole('heading', { name: 'At the mill' }).waitFor();
  await viewer.page.getByText(/^아직 올리는 중 · \d+%$/).waitFor();
  await plays(viewer.page, 0.5);

  gate.open();
  for (const watching of [page, viewer.page]) {
    const whole = await until(() => videoFacts(watching), ({ duration }) => duration > 23.5, 30_000);
    t.ok(whole.currentTime > 0.5, 'it goes on, it does not begin again');
  }
  await page.getByText(/^Still being uploaded/).waitFor({ state: 'detached' });
  await header.waitFor({ state: 'detached' });
  await page.locator('.settings-button').click();
  await page.getByRole('group', { name: 'Sound' }).getByRole('radio', { name: 'English' }).check();
  t.ok(await page.getByRole('radio', { name: 'English' }).isChecked());
  t.notOk(await page.getByRole('radio', { name: 'Korean' }).isChecked(), 'both sounds are there to choose from');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Download' }).waitFor();
  const trim = page.locator('section[aria-labelledby=trim]');
  await trim.getByLabel('From', { exact: true }).fill('0:04');
  await trim.getByLabel('To', { exact: true }).fill('0:10');
  await trim.getByRole('button', { name: 'Trim', exact: true }).click();
  await until(() => videoFacts(page), ({ duration }) => duration < 12);
  await page.getByRole('button', { name: 'Show all of it again' }).click();
  await until(() => videoFacts(page), ({ duration }) => duration > 23.5);

  await page.getByRole('banner').getByRole('link', { name: 'Studio' }).click();
  await page.getByRole('link', { name: 'Videos', exact: true }).click();
  const row = page.locator('.video-row');
  await row.getByText('Ready').waitFor();
  await row.getByText('0:24').waitFor();
  await row.getByRole('button', { name: 'Edit At the mill' }).click();
  await page.getByRole('dialog').getByLabel('Description').fill('Water over a wheel.');
  await page.getByRole('dialog').getByLabel('Who can watch').selectOption('private');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await row.getByText('Only you').waitFor();
  await page.getByLabel('Search by title').fill('nothing like it');
  await page.getByRole('heading', { name: 'Nothing fits' }).waitFor();
  t.match(page.url(), /\?q=nothing\+like\+it$/);
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.getByLabel('State').selectOption('ready');
  await row.getByRole('link', { name: 'At the mill' }).click();
  await page.getByText('Water over a wheel.').waitFor();
  await plays(page, 0.5);

  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('heading', { name: 'No videos yet' }).waitFor();
  // What is trimmed away is refused at once, also to the player that was about to buffer it.
  t.same(unexpected(complaints, /status of 404[^]*\/play\/-\/[^/]+\/[av]\d\/[^/]+\.m4s/), []);
  t.same(unexpected(viewer.complaints, /status of 404/), []);
});

t.test('a page that is loaded again, or another machine, goes on with the same file', async (t) => {
  const { page, context } = await openPage(browser, english);
  const other = await openPage(browser, english);
  t.teardown(() => Promise.all([context.close(), other.context.close()]));
  await signIn(page, server.origin, adminPassword);
  await page.goto(`${server.origin}/studio/upload`);
  await holdParts(page, 6_000_000);
  await choose(page, 'Choose files', film);
  await card(page, filmName).getByText('It already plays').waitFor();
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  await page.reload();
  t.same(asked, ['beforeunload'], 'the page asks before bytes are left behind');
  const waiting = page.locator('.unfinished > li');
  await waiting.getByText(/\d+% of 2\d MB has arrived/).waitFor();

  await signIn(other.page, server.origin, adminPassword);
  await other.page.goto(`${server.origin}/studio/upload`);
  const there = other.page.locator('.unfinished > li');
  await choose(other.page, /^Choose the file for/, short);
  await there.getByText('That is another file: this upload is of').waitFor();
  await choose(other.page, /^Choose the file for/, film);
  const mine = card(other.page, filmName);
  await state(mine, 'Ready').waitFor();
  t.equal(await there.count(), 0, 'what goes on is not waiting any more');
  await waiting.waitFor({ state: 'detached' });
  type Listed = { items: readonly { id: string; title: string; state: string }[] };
  const { items } = await server.must<Listed>('GET', 'videos?mine=true', undefined, await server.login());
  t.same(items.filter(({ title }) => filmName.startsWith(title)).map(({ state }) => state), ['ready'], 'one video, and no second one');
});
