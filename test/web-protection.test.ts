/** How a channel and a video are protected, in the forms of a real Chromium; and what whoever watches sees of a change. */
import t from 'tap';
import type { Page } from 'playwright-core';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { enhancedClip, pushEnhanced } from './support/enhanced-push.ts';
import { mustFfmpeg } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { adminPassword, startServer } from './support/server.ts';
import { plays, signIn, unexpected, videoFacts } from './support/web-app.ts';

t.setTimeout(110_000);
const source = await clip({ bframes: 2 });
const modern = await enhancedClip('hevc', 'aac');
const [server, browser] = await Promise.all([startServer(), launchChromium()]);
t.teardown(async () => {
  await browser.close();
  await server.stop();
});
const english = { locale: 'en-US', viewport: { width: 1280, height: 1000 } };
const phone = { locale: 'ko-KR', viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;
const shots = process.env['MILLRACE_TEST_SHOTS'];
const shot = async (page: Page, name: string): Promise<void> => void (shots && (await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })));

const token = await server.login();
type Listed = { readonly items: readonly { readonly id: string; readonly state: string }[] };
const recorded = async (channel: string): Promise<string> => {
  const { items } = await until(() => server.must<Listed>('GET', `videos?channel=@${channel}`, undefined, token), (list) => list.items.some(({ state }) => state === 'ready'));
  return items[0]?.id ?? '';
};
const media = (video: string): RegExp => new RegExp(`/play/-/${video}/[va]0/[a-z0-9]+-\\d+\\.m4s$`);
const code = async (url: string): Promise<string> => {
  const answer = await fetch(url);
  return `${answer.status} ${answer.ok ? '' : ((await answer.json()) as { code: string }).code}`;
};

t.test('a channel is made and changed: each choice says what it means, in both languages', async (t) => {
  const owner = await openPage(browser, english);
  const { page } = owner;
  t.teardown(() => owner.context.close());
  await signIn(page, server.origin, adminPassword);
  await page.getByRole('button', { name: 'New channel' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill('Sealed');
  await dialog.getByLabel('Encryption').selectOption('aes-128');
  await dialog.getByText('Every file is encrypted, whatever its codec.').waitFor();
  await shot(page, 'create-en');
  await dialog.getByRole('button', { name: 'Create channel' }).click();
  await page.waitForURL(/\/studio\/channels\//);
  const now = async (): Promise<string> => (await server.must<{ protection: string }>('GET', 'channels/@sealed', undefined, token)).protection;
  t.equal(await now(), 'aes-128');
  const field = page.locator('section[aria-labelledby=details]').getByLabel('Encryption');
  t.equal(await field.inputValue(), 'aes-128');
  await field.selectOption('cbcs');
  await page.getByText('Takes effect with the next broadcast.', { exact: false }).last().waitFor();
  await page.locator('section[aria-labelledby=details]').getByRole('button', { name: 'Save' }).click();
  await until(now, (protection) => protection === 'cbcs');
  await page.setViewportSize(phone.viewport);
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot(page, 'channel-en-phone-dark');
  t.same(unexpected(owner.complaints, /status of 404/), []);
});

t.test('a public video is protected while somebody watches: the old addresses open nothing, he goes on, and so does whoever loads the page anew', async (t) => {
  const channel = await server.createChannel(token, { name: 'open', title: 'Open' });
  await mustFfmpeg(['-stream_loop', '5', '-i', source.file, '-t', '30', '-c', 'copy', '-flvflags', 'no_duration_filesize', '-f', 'flv', server.rtmpUrl(channel)]);
  const video = await recorded('open');
  const where = `${server.origin}/watch/${video}`;
  const owner = await openPage(browser, english);
  const viewer = await openPage(browser, phone);
  const reader = await openPage(browser, english);
  t.teardown(() => Promise.all([owner, viewer, reader].map(({ context }) => context.close())));

  const asked: string[] = [];
  const keys: string[] = [];
  viewer.page.on('request', (request) => {
    if (media(video).test(request.url())) asked.push(request.url());
    if (request.url().includes('/keys/')) keys.push(request.url());
  });
  // A player may have all of it in a moment: what lies behind the first segments waits until it is asked for.
  const gate = Promise.withResolvers<void>();
  await viewer.page.route(
    (url) => media(video).test(url.pathname) && Number(/-(\d+)\.m4s$/.exec(url.pathname)?.[1]) > 3,
    async (route) => {
      await gate.promise;
      await route.continue();
    },
  );
  await viewer.page.goto(where);
  await plays(viewer.page);
  // Its lists are in this browser's cache now, and good for a minute.
  await reader.page.goto(where);
  await plays(reader.page);

  await signIn(owner.page, server.origin, adminPassword);
  await owner.page.goto(where);
  await owner.page.getByRole('button', { name: 'Edit' }).click();
  const dialog = owner.page.getByRole('dialog');
  await dialog.getByLabel('Encryption').selectOption('aes-128');
  await dialog.getByText('A change takes effect at once').waitFor();
  await shot(owner.page, 'edit-en');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  const before = [...new Set(asked)];
  t.ok(before.length > 3);
  t.same(new Set(await Promise.all(before.map(code))), new Set(['404 other-run']), 'what was clear is not reachable any more');
  t.match(await code(`${server.origin}/play/-/${video}/manifest.mpd`), '404 dash-not-protected');

  gate.resolve();
  await until(() => videoFacts(viewer.page), ({ currentTime }) => currentTime > 9, 45_000);
  await plays(viewer.page);
  t.ok(keys.length > 0, 'under keys');
  t.ok(asked.some((url) => !before.includes(url) && Number(/-(\d+)\.m4s$/.exec(url)?.[1]) > 3));
  await shot(viewer.page, 'viewer-ko-phone-dark');

  await reader.page.reload();
  await plays(reader.page);
  t.same(unexpected([...owner.complaints, ...viewer.complaints, ...reader.complaints], /status of 404/), []);
});

t.test('what the server refuses is said at the field, and to who sends what cbcs cannot carry', async (t) => {
  const owner = await openPage(browser, { ...phone, colorScheme: 'light' });
  const { page } = owner;
  t.teardown(() => owner.context.close());
  await page.goto(`${server.origin}/login`);
  await page.getByLabel('사용자 이름').fill('admin');
  await page.getByLabel('비밀번호', { exact: true }).fill(adminPassword);
  await page.getByRole('main').getByRole('button', { name: '로그인' }).click();
  await page.waitForURL('**/studio');
  const channel = await server.createChannel(token, { name: 'modern', title: 'Modern', protection: 'cbcs' });
  const sender = pushEnhanced('hevc', modern, server.rtmpUrl(channel));
  t.teardown(sender.kill);
  await page.goto(`${server.origin}/studio/channels/${channel.id}`);
  await page.getByText('이 채널의 보호 방식 cbcs는 H.264만 암호화합니다', { exact: false }).waitFor({ timeout: 40_000 });
  await shot(page, 'finding-ko-phone');
  t.match(await code(server.liveUrl(channel)), '404 cbcs-not-carried');

  const { live } = await server.must<{ live: { videoId: string } }>('GET', 'channels/@modern', undefined, token);
  const edit = async (protection: string): Promise<void> => {
    await page.goto(`${server.origin}/watch/${live.videoId}`);
    await page.getByRole('button', { name: '편집' }).click();
    await page.getByLabel('암호화').selectOption(protection);
    await page.getByRole('dialog').getByRole('button', { name: '저장' }).click();
  };
  await edit('none');
  await page.locator('.fault', { hasText: '방송 중에는 시작할 때의 방식 그대로입니다.' }).waitFor();
  t.equal(await page.getByRole('dialog').getByRole('alert').count(), 0, 'said once');
  await shot(page, 'live-ko-phone');
  await sender.stop();
  await recorded('modern');
  await edit('none');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await edit('cbcs');
  await page.locator('.fault', { hasText: 'cbcs는 H.264와 AAC만 암호화하는데' }).waitFor();
  await shot(page, 'refused-ko-phone');
  await page.getByLabel('암호화').selectOption('aes-128');
  t.equal(await page.locator('.fault').count(), 0, 'another choice is another question');
  t.same(unexpected(owner.complaints, /status of 4(?:04|09|22)/), []);
});
