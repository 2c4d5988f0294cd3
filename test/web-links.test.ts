/** Links to a private video that expire and are taken back, and too many screens, on the pages in a real Chromium. */
import t from 'tap';
import type { Page } from 'playwright-core';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { mustFfmpeg } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { adminPassword, startServer } from './support/server.ts';
import { plays, signIn, unexpected } from './support/web-app.ts';

const source = await clip({ bframes: 2 });
const server = await startServer({ env: { MILLRACE_STREAMS_PER_ACCOUNT: '1' } });
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());
const english = { locale: 'en-US', viewport: { width: 1280, height: 1000 } };
const korean = { locale: 'ko-KR', viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;
const shots = process.env['MILLRACE_TEST_SHOTS'];
const shot = async (page: Page, name: string): Promise<void> => void (shots && (await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })));

const token = await server.login();
const channel = await server.createChannel(token, { name: 'family', title: 'At home', visibility: 'private' });
await mustFfmpeg(['-stream_loop', '12', '-i', source.file, '-t', '40', '-c', 'copy', '-flvflags', 'no_duration_filesize', '-f', 'flv', server.rtmpUrl(channel)]);
type Listed = { items: readonly { id: string; state: string }[] };
const { items } = await until(() => server.must<Listed>('GET', 'videos?channel=@family', undefined, token), (list) => list.items.some(({ state }) => state === 'ready'));
const where = `${server.origin}/watch/${items[0]?.id}`;

t.test('an owner makes a link, whoever has it watches, and it is taken back', async (t) => {
  const owner = await openPage(browser, english);
  const friend = await openPage(browser, korean);
  t.teardown(() => Promise.all([owner.context.close(), friend.context.close()]));
  const { page } = owner;
  await signIn(page, server.origin, adminPassword);
  await page.goto(where);
  const card = page.locator('section[aria-labelledby=links]');
  await card.getByLabel('For whom').fill('Grandmother');
  await card.getByLabel('Works for').selectOption('day');
  await card.getByRole('button', { name: 'Make a link' }).focus();
  await page.keyboard.press('Enter');
  const field = card.getByLabel('Grandmother', { exact: true });
  await field.waitFor();
  await shot(page, 'links');
  const address = await field.inputValue();
  t.match(address, new RegExp(`^${where}\\?grant=[A-Za-z0-9_-]{108}$`));

  await friend.page.goto(where);
  await friend.page.getByRole('heading', { name: '영상을 찾을 수 없습니다' }).waitFor();
  await friend.page.goto(address);
  await plays(friend.page, 1);
  t.equal(await friend.page.getByText('나와 관리자만').count(), 0, 'that is for its owner to know');
  await shot(friend.page, 'friend');
  await friend.page.goto(`${address.slice(0, -2)}AA`);
  await friend.page.getByText('링크가 온전하지 않거나').waitFor();

  await card.getByRole('button', { name: 'Take back the link: Grandmother' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
  await page.getByText('The link does not work any more.').waitFor();
  t.equal(await field.count(), 0);
  await friend.page.goto(address);
  await friend.page.getByRole('heading', { name: '링크가 열리지 않습니다' }).waitFor();
  await friend.page.getByText('이 링크는 거두어졌습니다.').waitFor();
  await shot(friend.page, 'taken-back');
  t.same(unexpected([...owner.complaints, ...friend.complaints], /status of 40[34]/), []);
});

t.test('too many screens: the page lists the devices, one is stopped, and it goes on here; the other one says why and comes back', async (t) => {
  // What was watched before has been silent for a minute, or is stopped here.
  const { items: before } = await server.must<{ items: readonly { id: string }[] }>('GET', 'streams', undefined, token);
  for (const { id } of before) await server.must('DELETE', `streams/${id}`, undefined, token);
  const first = await openPage(browser, english);
  const second = await openPage(browser, { ...korean, userAgent: 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36' });
  t.teardown(() => Promise.all([first.context.close(), second.context.close()]));
  await signIn(first.page, server.origin, adminPassword);
  await second.page.goto(`${server.origin}/login`);
  await second.page.getByLabel('사용자 이름').fill('admin');
  await second.page.getByLabel('비밀번호', { exact: true }).fill(adminPassword);
  await second.page.getByRole('main').getByRole('button', { name: '로그인' }).click();
  await second.page.waitForURL('**/studio');

  await first.page.goto(where);
  await plays(first.page, 1);
  await second.page.goto(where);
  await second.page.getByRole('heading', { name: '화면이 너무 많습니다' }).waitFor();
  const stop = second.page.getByRole('button', { name: /^기기에서 재생 멈추기: Chrome/ });
  await stop.waitFor();
  await shot(second.page, 'too-many');
  t.equal(await stop.count(), 1);
  await stop.focus();
  await second.page.keyboard.press('Enter');
  await second.page.getByRole('heading', { name: '화면이 너무 많습니다' }).waitFor({ state: 'detached' });
  // At once: who was stopped and asks for nothing is forgotten after a minute.
  await first.page.reload();
  await first.page.getByRole('heading', { name: 'Stopped here' }).waitFor();
  await plays(second.page, 1);
  await shot(first.page, 'stopped');
  await first.page.getByRole('button', { name: 'Watch here' }).click();
  await first.page.getByRole('heading', { name: 'Too many screens' }).waitFor();
  await first.page.getByRole('button', { name: 'Stop watching on Chrome · Android' }).click();
  await plays(first.page, 1);
  t.same(unexpected([...first.complaints, ...second.complaints], /status of 40[34]/), []);
});
