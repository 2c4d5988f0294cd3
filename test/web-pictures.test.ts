/**
 * Pictures and chapters of a video as people meet them in a real Chromium: the storyboard over the bar, chapters, posters and
 * previews on cards. The film has another colour every ten seconds, so that a picture says when it was taken; only the six posters to
 * choose from are drawn, since there are not six in it that differ.
 */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import type { BrowserContext, Page } from 'playwright-core';
import { launchChromium, openPage } from './support/chromium.ts';
import { encoded } from './support/encoded.ts';
import { bar, colourSeen, colours, hover } from './support/over-the-bar.ts';
import { turnHours } from './support/picture-hours.ts';
import { until } from './support/playlists.ts';
import { adminPassword, startServer } from './support/server.ts';
import { untilState, uploadFile } from './support/upload.ts';
import { plays, signIn, unexpected, videoFacts } from './support/web-app.ts';

t.setTimeout(110_000);
const english = { locale: 'en-US', viewport: { width: 1280, height: 1000 } };
const phone = { locale: 'ko-KR', viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, hasTouch: true } as const;
const shots = process.env['MILLRACE_TEST_SHOTS'];
const shot = async (page: Page, name: string): Promise<void> => void (shots && (await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })));

const film = await encoded('mp4', [
  ...colours.flatMap(([name]) => ['-f', 'lavfi', '-i', `color=${name}:size=320x180:rate=30:duration=10`]),
  ...['-f', 'lavfi', '-i', 'sine=440:duration=40:sample_rate=48000', '-filter_complex', '[0][1][2][3]concat=n=4[v]', '-map', '[v]', '-map', '4'],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '60', '-keyint_min', '60', '-sc_threshold', '0', '-bf', '0', '-c:a', 'aac'],
]);
const ownPicture = await encoded('png', ['-f', 'lavfi', '-i', 'color=orange:size=640x360', '-frames:v', '1']);
const [server, browser] = await Promise.all([startServer({ pictures: true }), launchChromium()]);
t.teardown(async () => {
  await browser.close();
  await server.stop();
});
const token = await server.login();
const { id } = await uploadFile(server, token, film, { title: 'At the mill', visibility: 'public' });
await untilState(server, token, id, ['playable', 'ready']);

const chapters = [
  { start: 0, end: 12, title: 'Opening' },
  { start: 12, end: 25, title: 'The wheel, and how the water gets to it from the river above' },
  { start: 25, end: 40, title: '물레방아' },
];
await server.must('PATCH', `videos/${id}`, { chapters }, token);
type Shown = { readonly pictures: { readonly poster: string | null; readonly storyboard: string | null; readonly preview: string | null; readonly chosen: unknown } | null };
await until(() => server.must<Shown>('GET', `videos/${id}`), ({ pictures }) => Boolean(pictures?.poster && pictures.storyboard && pictures.preview), 60_000);

/** What of the pictures a page has asked for. */
const pictureNames = (page: Page): string[] => {
  const names: string[] = [];
  page.on('request', (request) => {
    const [name] = /(poster|storyboard|preview)[^/]*$/.exec(new URL(request.url()).pathname) ?? [];
    if (name !== undefined) names.push(name);
  });
  return names;
};

t.test('whoever points at the bar, or has it under the keyboard, sees what lies there, when, and in which chapter', async (t) => {
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => context.close());
  const asked = pictureNames(page);
  await page.goto(`${server.origin}/watch/${id}`);
  await plays(page, 0.5);
  await page.locator('video').evaluate((video: { pause(): void }) => video.pause());
  t.notOk(asked.some((name) => name.startsWith('storyboard')), 'nobody has looked for a place: nothing of it is loaded');
  t.match(await page.locator('video').getAttribute('poster'), /^\/play\/-\/[^/]+\/poster\.jpg\?v=/);

  const pointed = page.locator('.time-bar .pointed');
  for (const [share, colour, words] of [
    [0.1, 'red', 'Opening0:04'],
    [0.375, 'green', 'The wheel, and how the water gets to it from the river above0:15'],
    [0.55, 'blue', 'The wheel, and how the water gets to it from the river above0:22'],
    [0.9, 'yellow', '물레방아0:36'],
  ] as const) {
    await hover(page, share);
    await page.locator('.time-bar .cell').waitFor();
    await until(() => colourSeen(page), (seen) => seen === colour);
    t.equal(await pointed.textContent(), words);
  }
  for (const share of [0.001, 0.999]) {
    await hover(page, share);
    const [stage, box] = await Promise.all([page.locator('.stage').boundingBox(), pointed.boundingBox()]);
    t.ok(stage && box && box.x >= stage.x && box.x + box.width <= stage.x + stage.width, `all of it is on the stage at ${share}`);
  }
  await hover(page, 0.5);
  await shot(page, 'watch-en');
  const loaded = asked.filter((name) => name.startsWith('storyboard'));
  t.equal(new Set(loaded).size, loaded.length, 'the track and its images, once each');

  await page.mouse.move(0, 0);
  await pointed.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: /^(Play|Pause)$/ }).or(page.locator('media-play-button')).first().focus();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Home');
  await until(() => pointed.textContent(), (text) => text === 'Opening0:00');
  for (let press = 0; press < 4; press += 1) await page.keyboard.press('ArrowRight');
  await until(() => pointed.textContent(), (text) => text?.endsWith('above0:20') === true);
  await until(() => colourSeen(page), (seen) => seen === 'blue');
  t.match(await bar(page).getAttribute('aria-valuetext'), /20 seconds of .*, The wheel/);
  t.equal(await page.locator('.time-bar .mark').count(), 2, 'the bar is cut where a chapter begins');

  const list = page.getByRole('navigation', { name: 'Chapters' });
  await until(() => list.locator('[aria-current]').textContent(), (text) => text?.startsWith('0:12') === true);
  await list.getByRole('link', { name: '25 seconds: 물레방아' }).focus();
  await page.keyboard.press('Enter');
  await until(() => videoFacts(page), ({ currentTime }) => Math.abs(currentTime - 25) < 0.5);
  await until(() => list.locator('[aria-current]').textContent(), (text) => text === '0:25물레방아');
  const link = await list.getByRole('link', { name: /The wheel/ }).getAttribute('href');
  await page.goto(server.origin + link);
  await until(() => videoFacts(page), ({ currentTime, readyState }) => readyState > 1 && currentTime >= 11.9 && currentTime < 20);
  t.same(unexpected(complaints, /status of 404/), []);
});

t.test('while an image is on its way nothing is shown, and never a piece of the last one', async (t) => {
  const { page, context } = await openPage(browser, english);
  t.teardown(() => context.close());
  const { promise: may, resolve: letGo } = Promise.withResolvers<void>();
  const images = new Set<string>();
  // The film is short, and all of it on one image: its second half is made to look like another.
  await page.route(/\/storyboard\.vtt/, async (route) => {
    const answer = await route.fetch();
    const cues = (await answer.text()).split('\n\n');
    await route.fulfill({ response: answer, body: cues.map((cue, at) => (at > cues.length / 2 ? cue.replace('#xywh', '&second=1#xywh') : cue)).join('\n\n') });
  });
  await page.route(/\/storyboard-\d+\.jpg/, async (route) => {
    const url = route.request().url();
    images.add(url);
    if (url.includes('&second=1')) await may;
    await route.continue({ url: url.replace('&second=1', '') });
  });
  await page.goto(`${server.origin}/watch/${id}`);
  await plays(page, 0.5);
  await page.locator('video').evaluate((video: { pause(): void }) => video.pause());
  await hover(page, 0.1);
  await page.locator('.time-bar .cell').waitFor();
  await until(() => colourSeen(page), (seen) => seen === 'red');
  await hover(page, 0.9);
  await until(async () => images.size, (many) => many === 2);
  const width = (): Promise<number> => page.locator('.time-bar .cell img').evaluate((image: { naturalWidth: number }) => image.naturalWidth);
  t.equal(await width(), 0, 'the one that was there is not shown as another');
  letGo();
  await until(() => colourSeen(page), (seen) => seen === 'yellow');
});

t.test('on a phone a thumb that is dragged shows the same, and nothing of the page moves', async (t) => {
  const { page, context, complaints } = await openPage(browser, phone);
  t.teardown(() => context.close());
  await page.goto(`${server.origin}/watch/${id}`);
  await plays(page, 0.5);
  await page.locator('video').tap();
  const box = await bar(page).boundingBox();
  if (!box) return t.fail('there is no bar');
  const touch = await context.newCDPSession(page);
  const at = (share: number) => ({ touchPoints: [{ x: box.x + box.width * share, y: box.y + box.height / 2 }] });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', ...at(0.1) });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', ...at(0.8) });
  await page.locator('.time-bar .cell').waitFor();
  await until(() => colourSeen(page), (seen) => seen === 'yellow');
  t.match(await page.locator('.time-bar .pointed').textContent(), /물레방아0:3\d/);
  const [stage, seen] = await Promise.all([page.locator('.stage').boundingBox(), page.locator('.time-bar .pointed').boundingBox()]);
  t.ok(stage && seen && seen.y >= stage.y && seen.x + seen.width <= phone.viewport.width, 'all of it can be seen');
  await until(() => page.locator('.stage media-controller').getAttribute('userinactive'), (hidden) => hidden !== null);
  const opacity = (): Promise<string> =>
    page.locator('.stage .controls').evaluate((controls) => (globalThis as unknown as { getComputedStyle(of: unknown): { opacity: string } }).getComputedStyle(controls).opacity);
  await until(opacity, (now) => now === '1');
  await shot(page, 'drag-ko-phone');
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await page.locator('.time-bar .pointed').waitFor({ state: 'detached' });
  await until(() => videoFacts(page), ({ currentTime }) => currentTime > 30);
  t.same(unexpected(complaints, /status of 404/), []);
});

t.test('a card has its poster, and moves under the pointer and the keyboard, but not for whoever wants it still', async (t) => {
  const { page, context, complaints } = await openPage(browser, english);
  const still = await openPage(browser, { ...english, colorScheme: 'light', reducedMotion: 'reduce' });
  t.teardown(() => Promise.all([context.close(), still.context.close()]));
  const asked = pictureNames(page);
  const askedStill = pictureNames(still.page);
  await page.goto(server.origin);
  const tile = page.locator('.tile', { hasText: 'At the mill' });
  await tile.locator('img.poster').waitFor();
  await until(() => tile.locator('img.poster').evaluate((image: { naturalWidth: number }) => image.naturalWidth), (width) => width > 0);
  t.notOk(asked.includes('preview.webp'));
  await tile.hover();
  await tile.locator('img.preview.here').waitFor();
  await shot(page, 'home-en');
  await page.mouse.move(0, 0);
  await tile.locator('img.preview').waitFor({ state: 'detached' });
  // Whoever goes by keyboard is seen to: by the last key that was pressed.
  await page.keyboard.press('Tab');
  await tile.getByRole('link').focus();
  await tile.locator('img.preview.here').waitFor();

  await still.page.goto(server.origin);
  const other = still.page.locator('.tile', { hasText: 'At the mill' });
  await other.locator('img.poster').waitFor();
  await other.hover();
  // As long as the other page took to begin moving, and it has loaded a picture meanwhile.
  await page.mouse.move(0, 0);
  await page.locator('.header').getByRole('link').first().focus();
  await tile.locator('img.preview').waitFor({ state: 'detached' });
  await tile.hover();
  await tile.locator('img.preview.here').waitFor();
  await shot(still.page, 'home-light');
  t.equal(await other.locator('img.preview').count(), 0);
  t.notOk(askedStill.includes('preview.webp'));
  t.same([...complaints, ...still.complaints].filter((line) => !/status of 404/.test(line)), []);
});

t.test('on a page that stays open longer than its addresses are good for, pictures of a private video come anew', async (t) => {
  await server.must('PATCH', `videos/${id}`, { visibility: 'private' }, token);
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => Promise.all([context.close(), server.must('PATCH', `videos/${id}`, { visibility: 'public' }, token)]));
  await signIn(page, server.origin, adminPassword);
  const clock = await turnHours(page, id);
  for (const late of ['storyboard.vtt', 'storyboard-0.jpg']) {
    await page.goto(`${server.origin}/watch/${id}`);
    await plays(page, 0);
    await page.locator('video').evaluate((video: { pause(): void }) => video.pause());
    Object.assign(clock, { late, asked: 0 });
    await hover(page, 0.9);
    await page.locator('.time-bar .cell').waitFor();
    await until(() => colourSeen(page), (seen) => seen === 'yellow');
    t.equal(clock.asked, 1, late);
  }
  Object.assign(clock, { late: '/poster', asked: 0 });
  await page.goto(`${server.origin}/studio/videos`);
  const row = page.locator('.video-row', { hasText: 'At the mill' });
  await row.locator('img.poster').waitFor();
  await until(() => row.locator('img.poster').evaluate((image: { naturalWidth: number }) => image.naturalWidth), (width) => width > 0);
  t.equal(clock.asked, 1);
  // The address that it was told of is too old by now, too; the one that came with the poster is not.
  await row.hover();
  await row.locator('img.preview.here').waitFor();
  t.equal(clock.asked, 1);
  t.same(unexpected(complaints, /status of (403|404)/), []);
});

const drawnPoster = (index: number): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180" width="1280" height="720"><rect width="320" height="180" fill="hsl(${index * 50} 40% 35%)"/><circle cx="90" cy="100" r="50" fill="hsl(${index * 50 + 60} 60% 60%)"/></svg>`;

/** Which posters were asked for, and what the answers wait for. */
const choosing = { asked: [] as number[], held: Promise.resolve() };

/** In the place of those that were made; what its owner gives is the server's own. */
const sixPosters = async (context: BrowserContext): Promise<void> => {
  let chosen = 0;
  const address = (index: number): string => `${server.origin}/play/-/${id}/poster-${index}.jpg?v=six`;
  const withSix = <Of extends Partial<Shown>>(told: Of): object => {
    const given = told.pictures?.chosen === 'own';
    return { ...told, pictures: { ...told.pictures, posters: [0, 1, 2, 3, 4, 5].map(address), ...(given ? {} : { chosen, poster: address(chosen) }) } };
  };
  await context.route(new RegExp(`/api/v1/videos/${id}(/poster)?$`), async (route) => {
    const request = route.request();
    const wanted = request.method() === 'PATCH' ? (request.postDataJSON() as { poster?: number }).poster : undefined;
    if (wanted !== undefined) {
      choosing.asked.push(wanted);
      await choosing.held;
    }
    chosen = wanted ?? chosen;
    // Its own goes when another is chosen; there the server has fewer to choose from.
    const answer = await (wanted === undefined ? route.fetch() : route.fetch({ postData: JSON.stringify({ poster: 0 }) }));
    await (answer.ok() ? route.fulfill({ response: answer, json: withSix((await answer.json()) as Partial<Shown>) }) : route.fulfill({ response: answer }));
  });
  await context.route(/\/poster-\d\.jpg\?v=six$/, (route) => route.fulfill({ contentType: 'image/svg+xml', body: drawnPoster(Number(/-(\d)\.jpg/.exec(route.request().url())?.[1])) }));
};

t.test('an owner chooses the poster, gives one of his own, takes it back, and writes chapters', async (t) => {
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => context.close());
  await sixPosters(context);
  await signIn(page, server.origin, adminPassword);
  await page.goto(`${server.origin}/watch/${id}`);
  const card = page.locator('section[aria-labelledby=posters]');
  const choices = card.getByRole('radio');
  await until(() => choices.count(), (many) => many === 6);
  t.ok(await choices.first().isChecked());
  await choices.first().focus();
  await page.keyboard.press('ArrowRight');
  await page.getByText('The poster has been changed.').waitFor();
  t.ok(await card.getByRole('radio', { name: 'Picture 2 of the video' }).isChecked());
  await until(() => page.locator('video').getAttribute('poster'), (address) => address === `/play/-/${id}/poster-1.jpg?v=six`);

  // Each press of an arrow is a choice: those in between are passed over, and the last one counts.
  const { promise, resolve } = Promise.withResolvers<void>();
  choosing.held = promise;
  choosing.asked.length = 0;
  for (const number of [3, 4, 5]) {
    await page.keyboard.press('ArrowRight');
    await until(() => card.getByRole('radio', { name: `Picture ${number} of the video` }).isChecked(), (on) => on);
  }
  await until(async () => choosing.asked, ({ length }) => length > 0);
  resolve();
  await until(() => page.locator('video').getAttribute('poster'), (address) => address === `/play/-/${id}/poster-4.jpg?v=six`);
  t.same(choosing.asked, [2, 4]);
  t.ok(await card.getByRole('radio', { name: 'Picture 5 of the video' }).isChecked());

  const give = async (name: string, mimeType: string, buffer: Buffer): Promise<void> => {
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), card.getByRole('button', { name: /^Use / }).click()]);
    await chooser.setFiles({ name, mimeType, buffer });
  };
  await give('a.gif', 'image/gif', Buffer.from('GIF89a'));
  await card.getByRole('alert').getByText('This is no picture that works here.', { exact: false }).waitFor();
  await give('a.jpg', 'image/jpeg', Buffer.alloc(10_000_001));
  await card.getByRole('alert').getByText('larger than 10 MB', { exact: false }).waitFor();
  await give('a.png', 'image/png', Buffer.from('no picture at all'));
  await card.getByRole('alert').getByText('This picture cannot be read.', { exact: false }).waitFor();
  await give('own.png', 'image/png', await readFile(ownPicture));
  const own = card.getByRole('radio', { name: 'Your own picture' });
  await own.waitFor();
  t.ok(await own.isChecked());
  await until(() => card.locator('.poster-choice').last().locator('img').evaluate((image: { naturalWidth: number }) => image.naturalWidth), (width) => width > 0);
  t.match(await page.locator('video').getAttribute('poster'), /\/poster\.jpg\?v=(?!six$)/);
  await shot(page, 'owner-en');
  await card.getByRole('button', { name: 'Remove your picture' }).click();
  await own.waitFor({ state: 'detached' });
  t.ok(await card.getByRole('radio', { name: 'Picture 5 of the video' }).isChecked());

  const editor = page.locator('section[aria-labelledby=chapters-edit]');
  const lines = editor.getByLabel('One chapter a line', { exact: false });
  await lines.fill('0:00 Opening\nThe wheel\n0:20\n0:10 Water\n5:00 Late');
  await editor.getByRole('button', { name: 'Save' }).click();
  const fault = editor.locator('.fault');
  await until(() => fault.textContent(), (text) => text?.includes('Line 2: begin with a time') === true && text.includes('Line 3: give it a title') && text.includes('Line 5: the video is over'));
  await shot(page, 'chapters-faults');
  await lines.fill('0:00 Opening\n0:20 The wheel');
  await fault.waitFor({ state: 'detached' });
  await editor.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The chapters are there for viewers now.').waitFor();
  await page.getByRole('navigation', { name: 'Chapters' }).getByRole('link', { name: '20 seconds: The wheel' }).waitFor();
  const told = await server.must<{ chapters: object[] }>('GET', `videos/${id}`);
  t.match(told.chapters, [{ start: 0, end: 20, title: 'Opening' }, { start: 20, title: 'The wheel' }]);

  const trim = page.locator('section[aria-labelledby=trim]');
  const save = editor.getByRole('button', { name: 'Save' });
  await trim.getByLabel('From', { exact: true }).fill('0:15');
  await trim.getByRole('button', { name: 'Trim', exact: true }).click();
  await until(() => lines.inputValue(), (text) => text === '0:00 Opening\n0:05 The wheel');
  t.equal(await save.getAttribute('aria-disabled'), 'true', 'they are what is saved');
  await lines.fill('0:00 Opening\n0:05 The wheel\n0:30 Late');
  await save.click();
  await until(() => fault.textContent(), (text) => text?.includes('Line 3: the video is over') === true);
  await lines.fill('0:00 Opening\n0:05 The mill');
  await trim.getByRole('button', { name: 'Show all of it again' }).click();
  await editor.getByText('The saved chapters have changed meanwhile', { exact: false }).waitFor();
  t.equal(await lines.inputValue(), '0:00 Opening\n0:05 The mill', 'nothing that somebody typed is taken away');
  await shot(page, 'chapters-changed');
  await editor.getByRole('button', { name: 'Show the saved ones' }).click();
  t.equal(await lines.inputValue(), '0:00 Opening\n0:20 The wheel');
  t.equal(await save.getAttribute('aria-disabled'), 'true');
  t.match(await server.must('GET', `videos/${id}`), { chapters: told.chapters });

  await page.evaluate(() => (globalThis as unknown as { localStorage: { setItem(key: string, value: string): void } }).localStorage.setItem('millrace.language', 'ko'));
  await page.setViewportSize(phone.viewport);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.reload();
  await page.getByRole('heading', { name: '대표 사진' }).waitFor();
  await until(() => choices.count(), (many) => many === 6);
  await shot(page, 'owner-ko-phone');
  t.same(unexpected(complaints, /status of (404|422)/), []);
});
