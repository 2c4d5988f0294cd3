/** Links to a private video that expire and are taken back, and too many screens, on the pages in a real Chromium. */
import t from 'tap';
import type { Page } from 'playwright-core';
import { launchChromium, openPage, type WatchedPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { mustFfmpeg, push } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { adminPassword, startServer } from './support/server.ts';
import { badge, plays, signIn, unexpected } from './support/web-app.ts';

const source = await clip({ bframes: 2 });
const server = await startServer({ env: { MILLRACE_STREAMS_PER_ACCOUNT: '1', MILLRACE_LOG_LEVEL: 'trace' } });
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
const phone = { ...korean, userAgent: 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36' };

/** As somebody who logged in a while ago: the form has tests of its own. */
const logIn = async ({ context }: WatchedPage): Promise<void> => {
  await context.addCookies([{ name: 'millrace_session', value: await server.login(), url: server.origin }]);
  await context.addInitScript(() => localStorage.setItem('millrace.signed-in', 'yes'));
};
/** What was watched before has been silent for a minute, or is stopped here. */
const stopAll = async (): Promise<void> => {
  const { items } = await server.must<{ items: readonly { id: string }[] }>('GET', 'streams', undefined, token);
  for (const { id } of items) await server.must('DELETE', `streams/${id}`, undefined, token);
};

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
  t.match(address, new RegExp(`^${where}#grant=[A-Za-z0-9_-]{108}$`));

  const asked: { readonly url: string; readonly referer: string }[] = [];
  friend.page.on('request', (request) => void asked.push({ url: request.url(), referer: request.headers()['referer'] ?? '' }));
  await friend.page.goto(where);
  await friend.page.getByRole('heading', { name: '영상을 찾을 수 없습니다' }).waitFor();
  // The same page but for what stands after the #: browsers load nothing for that.
  await friend.page.goto(address);
  await plays(friend.page, 1);
  // A link from before grants stood there. It goes on working, and is sent this once.
  const old = address.replace('#', '?');
  await friend.page.goto(old);
  await plays(friend.page, 0.2);
  t.equal(friend.page.url(), address, 'the page has put the grant where nobody is sent it');
  await friend.page.reload();
  await plays(friend.page, 0.2);
  await friend.page.keyboard.press('Tab');
  await friend.page.keyboard.press('Enter');
  t.equal(friend.page.url(), address, 'and leading to the content keeps it');
  t.same(asked.filter(({ url }) => url.includes('grant=') && url !== old && !url.startsWith(`${where}#`)), [], 'it is in no other request’s address');
  t.same(asked.filter(({ referer }) => referer !== ''), [], 'and no request says where it comes from');
  const grant = new URL(address).hash.slice('#grant='.length);
  const metrics = await (await fetch(`${server.origin}/metrics`)).text();
  const page404 = await (await fetch(`${server.origin}/watch/${items[0]?.id}?grant=${grant}`)).text();
  for (const said of [server.log, metrics, page404]) t.notOk(said.includes(grant.slice(0, 40)), 'nor does the server print it');
  t.equal(await friend.page.getByText('나와 관리자만').count(), 0, 'that is for its owner to know');
  await shot(friend.page, 'friend');
  await friend.page.goto(`${address.slice(0, -2)}AA`);
  await friend.page.getByText('링크가 온전하지 않거나').waitFor();

  await card.getByRole('button', { name: 'Take back the link: Grandmother' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
  await page.getByText('The link does not work any more.').waitFor();
  await field.waitFor({ state: 'detached' });
  await friend.page.goto(address);
  await friend.page.getByRole('heading', { name: '링크가 열리지 않습니다' }).waitFor();
  await friend.page.getByText('이 링크는 거두어졌습니다.').waitFor();
  await shot(friend.page, 'taken-back');
  t.same(unexpected([...owner.complaints, ...friend.complaints], /status of 40[34]/), []);
});

t.test('too many screens: the page lists the devices, one is stopped, and it goes on here; the other one says why and comes back', async (t) => {
  await stopAll();
  const first = await openPage(browser, english);
  const second = await openPage(browser, phone);
  t.teardown(() => Promise.all([first.context.close(), second.context.close()]));
  await logIn(first);
  await logIn(second);

  await first.page.goto(where);
  await plays(first.page, 1);
  // What the list of them says where it cannot come, and where there is none.
  const answers = [{ status: 503, body: '' }, { json: { items: [] } }];
  await second.page.route('**/api/v1/streams', (route) => route.fulfill(answers.shift() ?? {}), { times: answers.length });
  await second.page.goto(where);
  await second.page.getByRole('heading', { name: '화면이 너무 많습니다' }).waitFor();
  await second.page.getByRole('alert').getByRole('button', { name: '다시 시도' }).click();
  await second.page.getByText('지금 보고 있는 기기가 없습니다.').waitFor();
  await second.page.reload();
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
  t.same(unexpected([...first.complaints, ...second.complaints], /status of (?:40[34]|503)/), []);
});

t.test('a link to a channel shows what is live there as soon as something is, and is taken back while it is watched', async (t) => {
  const owner = await openPage(browser, english);
  const friend = await openPage(browser, korean);
  t.teardown(() => Promise.all([owner.context.close(), friend.context.close()]));
  await logIn(owner);
  await owner.page.goto(`${server.origin}/studio/channels/${channel.id}`);
  const card = owner.page.locator('section[aria-labelledby=links]');
  await card.getByLabel('For whom').fill('Aunt');
  await card.getByRole('button', { name: 'Make a link' }).click();
  const field = card.getByLabel('Aunt', { exact: true });
  await field.waitFor();
  await shot(owner.page, 'channel-links');
  const address = await field.inputValue();
  t.match(address, new RegExp(`^${server.origin}/@family#grant=[A-Za-z0-9_-]{108}$`));
  await owner.page.goto(`${server.origin}/studio`);

  await friend.page.goto(`${server.origin}/@family`);
  await friend.page.getByRole('heading', { name: '채널을 찾을 수 없습니다' }).waitFor();
  await friend.page.goto(address);
  await badge(friend.page, 'offline').waitFor();
  const sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  await badge(friend.page, 'live').waitFor();
  await plays(friend.page, 0.5);
  t.equal(await friend.page.getByRole('heading', { name: '다시보기' }).count(), 0, 'what was before is not for him');
  await shot(friend.page, 'channel-friend');

  await owner.page.goto(`${server.origin}/studio/channels/${channel.id}`);
  await card.getByRole('button', { name: 'Take back the link: Aunt' }).click();
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
  await friend.page.getByText('이 링크는 거두어졌습니다.').waitFor();
  await shot(friend.page, 'channel-taken-back');
  await friend.page.reload();
  await friend.page.getByRole('heading', { name: '링크가 열리지 않습니다' }).waitFor();
  t.same(unexpected([...owner.complaints, ...friend.complaints], /status of 40[34]/), []);
  await owner.page.goto(`${server.origin}/studio`);
  await stopAll();

  // The same show, on two devices of its owner.
  await owner.page.goto(`${server.origin}/@family`);
  await plays(owner.page, 0.5);
  const second = await openPage(browser, phone);
  t.teardown(() => second.context.close());
  await logIn(second);
  await second.page.goto(`${server.origin}/@family`);
  await second.page.getByRole('heading', { name: '화면이 너무 많습니다' }).waitFor();
  const stop = second.page.getByRole('button', { name: /^기기에서 재생 멈추기: Chrome/ });
  await stop.waitFor();
  await shot(second.page, 'channel-too-many');
  await stop.click();
  await plays(second.page, 0.5);
  await owner.page.getByRole('heading', { name: 'Stopped here' }).waitFor();
  await shot(owner.page, 'channel-stopped');
  await owner.page.getByRole('button', { name: 'Watch here' }).click();
  await owner.page.getByRole('heading', { name: 'Too many screens' }).waitFor();
  await owner.page.getByRole('button', { name: 'Stop watching on Chrome · Android' }).click();
  await plays(owner.page, 0.5);
  t.same(unexpected(second.complaints, /status of 40[34]/), []);
});
