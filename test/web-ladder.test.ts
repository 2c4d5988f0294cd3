/**
 * A live ladder as people see it in a real Chromium: the form with what it costs, the live room, the menu of viewers by keyboard
 * and by thumb, the admin's page. What is encoded is as small as can be: two rungs below 360p.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import type { Locator, Page } from 'playwright-core';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { push, type Push } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { asLiveMade } from './support/ladder-show.ts';
import { adminPassword, startServer, type Channel } from './support/server.ts';
import { badge, plays, signIn, unexpected } from './support/web-app.ts';

t.setTimeout(110_000);
const english = { locale: 'en-US', viewport: { width: 1280, height: 1000 } };
const phone = { locale: 'ko-KR', viewport: { width: 390, height: 844 }, colorScheme: 'dark', isMobile: true, hasTouch: true } as const;

const ladders = mkdtempSync(path.join(tmpdir(), 'millrace-ladders-'));
writeFileSync(
  path.join(ladders, 'small.yaml'),
  'rungs:\n  - { height: 240, bitrate: 200k, preset: ultrafast, fps: 30 }\n  - { height: 144, bitrate: 90k, preset: ultrafast, fps: 15 }\n',
);
// Whatever machine this is: one core is not enough for all three, and enough for the last.
writeFileSync(path.join(ladders, 'huge.yaml'), 'rungs:\n  - { height: 1060, bitrate: 9M, preset: medium }\n  - { height: 1040, bitrate: 8M, preset: medium }\n  - { height: 144, bitrate: 90k, preset: ultrafast }\n');

const [server, browser, source] = await Promise.all([
  startServer({ env: { MILLRACE_ENCODE_LADDERS: ladders, MILLRACE_ENCODE_CORES: '1', ...asLiveMade, MILLRACE_LIVE_RECONNECT_WINDOW: '60s' } }),
  launchChromium(),
  clip({ bframes: 2 }),
]);
t.teardown(async () => {
  await browser.close();
  await server.stop();
  rmSync(ladders, { recursive: true, force: true });
});
const shots = process.env['MILLRACE_TEST_SHOTS'];
const shot = async (page: Page, name: string): Promise<void> => void (shots && (await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })));

const token = await server.login();
const ladderOf = async (name: string): Promise<string> => (await server.must<{ ladder: string }>('GET', `channels/@${name}`, undefined, token)).ladder;
// What encoding costs here is measured behind the start.
type Listed = { readonly items: readonly { readonly name: string; readonly cores: number | null }[] };
await until(() => server.must<Listed>('GET', 'ladders', undefined, token), ({ items }) => items.every(({ cores }) => cores !== null), 100_000);

const owner = await openPage(browser, english);
t.teardown(() => owner.context.close());
const senders: Push[] = [];
const send = (channel: Channel): Push => {
  const sender = push(source.file, server.rtmpUrl(channel));
  senders.push(sender);
  return sender;
};
t.teardown(() => Promise.all(senders.map((sender) => sender.kill())));

const height = (page: Page): Promise<number> => page.locator('video').evaluate((video: { videoHeight: number }) => video.videoHeight);
const showsHeight = (page: Page, wanted: number): Promise<number> => until(() => height(page), (now) => now === wanted, 40_000);
const focused = (locator: Locator): Promise<boolean> => locator.evaluate((element) => element === (element as unknown as { ownerDocument: { activeElement: unknown } }).ownerDocument.activeElement);
/** What is read out behind the name of a field. */
const description = (field: Locator): Promise<string> =>
  field.evaluate((element) => {
    const { ownerDocument, getAttribute } = element as unknown as { ownerDocument: { getElementById(id: string): { textContent: string } | null }; getAttribute(name: string): string };
    return ownerDocument.getElementById(getAttribute.call(element, 'aria-describedby'))?.textContent ?? '';
  });

t.test('a ladder is chosen by what it gives and takes, and nothing else of the channel is touched by it', async (t) => {
  const { page } = owner;
  await signIn(page, server.origin, adminPassword);
  await page.goto(`${server.origin}/admin`);
  await page.getByText('No broadcast has smaller pictures made just now.', { exact: false }).waitFor();

  await page.goto(`${server.origin}/studio`);
  await page.getByRole('button', { name: 'New channel' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill('Rungs');
  const field = dialog.getByLabel('Smaller pictures for bad lines');
  t.same(await field.locator('option').allTextContents(), ['None: only what you send', 'Automatic', 'huge: 1060p, 1040p, 144p', 'small: 240p, 144p']);
  t.equal(await field.inputValue(), 'source', 'nothing is encoded unasked');
  await field.selectOption('huge');
  t.match(await description(field), /1060p.*9 Mbps.*does not fit.*144p.*90 kbps.*processor cores busy\. This server has 1 for encoding, 1 of them free now\..*goes without 1060p/s);
  await shot(page, 'create-en');
  await field.selectOption('small');
  t.match(await description(field), /240p30.*200 kbps.*144p15.*90 kbps/);
  t.notMatch(await description(field), /does not fit|more than/);
  await dialog.getByRole('button', { name: 'Create channel' }).click();
  await page.waitForURL(/\/studio\/channels\//);
  t.equal(await ladderOf('rungs'), 'small');

  const details = page.locator('section[aria-labelledby=details]');
  const asked: string[] = [];
  page.on('request', (request) => void (request.method() === 'PATCH' && asked.push(request.postData() ?? '')));
  const saved = page.getByText('Saved', { exact: false });
  await details.getByLabel('Latency').selectOption('standard');
  await details.getByRole('button', { name: 'Save' }).click();
  await saved.last().waitFor();
  await details.getByLabel('Latency').selectOption('low');
  await details.getByLabel('Smaller pictures for bad lines').selectOption('huge');
  await details.getByText('Takes effect with the next broadcast.', { exact: true }).waitFor();
  await details.getByRole('button', { name: 'Save' }).click();
  await until(() => ladderOf('rungs'), (name) => name === 'huge');
  t.same(asked.map((body) => (JSON.parse(body) as { ladder?: string }).ladder), [undefined, 'huge'], 'it is sent where it was changed');
  await server.must('PATCH', 'channels/@rungs', { ladder: 'small' }, token);
  t.same(unexpected(owner.complaints, /status of 404/), []);
});

t.test('the streamer sees what is made, the admin what it takes, and viewers choose by keyboard and by thumb', async (t) => {
  const channel = await server.createChannel(token, { name: 'show', title: 'Evening show', ladder: 'small' });
  const first = send(channel);
  await server.live(channel);
  const viewer = await openPage(browser, english);
  const thumb = await openPage(browser, phone);
  t.teardown(() => Promise.all([viewer, thumb].map(({ context }) => context.close())));

  const { page } = owner;
  await page.goto(`${server.origin}/studio/channels/${channel.id}`);
  const health = page.locator('section[aria-labelledby=health]');
  await health.getByText('240p, 144p', { exact: true }).waitFor();
  await health.getByText('Good', { exact: true }).waitFor();
  t.equal(await health.locator('[data-finding^=ladder]').count(), 0);
  await shot(page, 'room-en');
  // What an encoder keeps busy is told from one look to the next: the page looks while others are tried.
  await page.goto(`${server.origin}/admin`);

  await viewer.page.goto(`${server.origin}/@show`);
  await plays(viewer.page);
  const button = viewer.page.getByRole('button', { name: 'Settings' });
  const menu = viewer.page.getByRole('dialog', { name: 'Settings' });
  await button.focus();
  await viewer.page.keyboard.press('Enter');
  t.same(await menu.locator('label > span').allTextContents().then((names) => names.map((name) => name.replace(/\(\d+p\)/, '(now)').replace(/\d+ kbps|[\d.]+ Mbps/, 'rate'))), ['Automatic (now)', '360p · rate', '240p · rate', '144p · rate']);
  t.ok(await focused(menu.getByLabel(/^Automatic/)), 'the menu begins with what is chosen');
  await viewer.page.keyboard.press('ArrowUp');
  await showsHeight(viewer.page, 144);
  await viewer.page.keyboard.press('Escape');
  await menu.waitFor({ state: 'detached' });
  t.ok(await focused(button), 'whoever came by keyboard is back where he came from');
  await shot(viewer.page, 'viewer-en');

  const again = await viewer.context.newPage();
  await again.goto(`${server.origin}/@show`);
  await plays(again, 1);
  t.equal(await height(again), 144, 'in another tab of this browser too, from its first picture on');
  await again.close();

  await thumb.page.goto(`${server.origin}/@show`);
  await plays(thumb.page);
  await thumb.page.locator('video').tap();
  await thumb.page.locator('.settings-button').tap();
  const sheet = thumb.page.getByRole('dialog', { name: '설정' });
  const choice = sheet.locator('label', { hasText: '240p ·' });
  const places = await Promise.all((await sheet.locator('label').all()).map((label) => label.boundingBox()));
  t.ok(places.every((place) => place && place.height >= 44 && place.y >= 0 && place.y + place.height <= phone.viewport.height), 'each as large as a thumb, and on the screen');
  await choice.tap();
  await showsHeight(thumb.page, 240);
  t.ok(await choice.getByRole('radio').isChecked());
  await shot(thumb.page, 'menu-ko-phone');

  const row = page.getByRole('row', { name: /Evening show/ });
  await row.getByText('240p, 144p', { exact: true }).waitFor();
  await row.getByText(/ busy of .* reserved/).waitFor({ timeout: 20_000 });
  t.match(await row.textContent(), '@show · small');
  await shot(page, 'admin-en');

  await first.kill();
  await badge(viewer.page, 'waiting').waitFor();
  const second = send(channel);
  await badge(viewer.page, 'live').waitFor();
  await plays(viewer.page, 2);
  await showsHeight(viewer.page, 144);
  await button.click();
  t.ok(await menu.getByLabel(/^144p/).isChecked(), 'a streamer who came back changes nothing of it');
  await menu.getByText(/^Automatic/).click();
  await until(() => menu.getByLabel(/^Automatic \(\d+p\)$/).isChecked(), (chosen) => chosen);
  await second.stop();

  await page.evaluate(() => (globalThis as unknown as { localStorage: { setItem(key: string, value: string): void } }).localStorage.setItem('millrace.language', 'ko'));
  await page.setViewportSize(phone.viewport);
  await page.goto(`${server.origin}/admin`);
  await page.getByText('지금 낮은 화질을 만드는 방송이 없습니다.', { exact: false }).waitFor();
  await page.goto(`${server.origin}/studio/channels/${channel.id}`);
  await page.getByLabel('느린 회선을 위한 낮은 화질').selectOption('auto');
  t.match(await description(page.getByLabel('느린 회선을 위한 낮은 화질')), '방송이 시작될 때 서버가 감당할 수 있는 만큼 고릅니다.');
  await shot(page, 'room-ko-phone');
  t.same([owner, viewer, thumb].flatMap(({ complaints }) => unexpected(complaints, /status of 404/)), []);
});
