/** Going back in a show that is on, and what its page becomes when it ends: in a real Chromium against a whole server. */
import t from 'tap';
import type { Page } from 'playwright-core';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { push, type Push } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { badge, plays, videoFacts } from './support/web-app.ts';

const english = { locale: 'en-US', viewport: { width: 1280, height: 800 } };
const korean = { locale: 'ko-KR', viewport: { width: 390, height: 844 }, hasTouch: true };

const source = await clip({ bframes: 2 });
const server = await startServer();
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());

const send = (t: { teardown: (end: () => unknown) => void }, url: string): Push => {
  const sender = push(source.file, url);
  t.teardown(() => sender.kill());
  return sender;
};

const bar = (page: Page, name: string) => page.getByRole('slider', { name, exact: true });

/** Speeds that the picture was played at, noted whenever they change. */
const noteSpeeds = (page: Page): Promise<unknown> =>
  page.locator('video').evaluate((video: { playbackRate: number; speeds?: number[]; addEventListener(name: string, run: () => void): void }) => {
    video.speeds = [];
    video.addEventListener('ratechange', () => video.speeds?.push(video.playbackRate));
  });
const speeds = (page: Page): Promise<number[]> => page.locator('video').evaluate((video: { speeds?: number[] }) => video.speeds ?? []);

/** A mark on the element and on the page: a second <video>, or a reload, would be without it. */
const mark = (page: Page): Promise<void> =>
  page.locator('video').evaluate((video: { dataset: Record<string, string> }) => {
    video.dataset.mark = 'the same';
    (globalThis as { pageMark?: string }).pageMark = 'the same';
  });
const marks = (page: Page): Promise<unknown[]> =>
  page.locator('video').evaluate((video: { dataset: Record<string, string> }) => [video.dataset.mark, (globalThis as { pageMark?: string }).pageMark]);
const unchanged = ['the same', 'the same'];

t.test('a viewer goes back, pauses, starts over and returns to live; the figure is true whatever clock the machine has', async (t) => {
  const channel = await server.createChannel(await server.login(), { name: 'back', title: 'Back' });
  send(t, server.rtmpUrl(channel));
  await server.live(channel);
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => context.close());
  // This machine's clock is 90 seconds wrong: latency is a difference of dates of the server.
  await page.addInitScript(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + 90_000;
  });
  await page.goto(`${server.origin}/@back`);
  await until(() => videoFacts(page), ({ currentTime }) => currentTime > 12, 40_000);
  await page.mouse.move(400, 300);
  const figure = page.locator('[data-latency]');
  const latency = async (): Promise<number> => Number(await figure.getAttribute('data-latency'));
  const near = await until(latency, (seconds) => seconds > 0 && seconds < 10);
  t.ok(near > 0.4 && near < 4, `${near} s behind`);
  t.equal(await bar(page, 'Time in the broadcast').getAttribute('aria-valuetext'), 'Live');

  const box = await bar(page, 'Time in the broadcast').boundingBox();
  if (!box) return t.fail('no bar');
  const before = (await videoFacts(page)).currentTime;
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2);
  await page.locator('.pointed').getByText(/^-0:0\d/).waitFor();
  await page.locator('.pointed small').getByText(/\d:\d\d:\d\d [AP]M/).waitFor();
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.15, box.y + box.height / 2, { steps: 4 });
  t.ok((await videoFacts(page)).currentTime >= before, 'nothing is seeked before it is let go');
  await noteSpeeds(page);
  await page.mouse.up();
  const back = await until(() => videoFacts(page), (now) => now.currentTime < before - 5);
  await plays(page, 1.5);
  t.same((await speeds(page)).filter((speed) => speed !== 1), [], 'being behind on purpose is nothing to catch up with');
  const goLive = page.getByRole('button', { name: 'Go live' });
  t.match(await goLive.textContent(), /-0:\d\d/);
  t.match(await bar(page, 'Time in the broadcast').getAttribute('aria-valuetext'), /^\d+ seconds behind live$/);
  t.ok((await latency()) > 5, 'and the figure says how old the picture is');

  await bar(page, 'Time in the broadcast').focus();
  const here = (await videoFacts(page)).currentTime;
  await page.keyboard.press('ArrowRight');
  t.ok((await until(() => videoFacts(page), (now) => now.currentTime > here + 4)).currentTime < here + 9, 'an arrow on the bar is five seconds');

  await page.getByRole('button', { name: 'Start over' }).click();
  t.ok((await until(() => videoFacts(page), (now) => now.currentTime < back.currentTime)).currentTime < 2, 'the whole show is listed: its beginning is the first picture');
  await plays(page, 0.5);

  await page.keyboard.press('k');
  const stood = await until(() => videoFacts(page), ({ paused }) => paused);
  const edge = (): Promise<number> => page.locator('video').evaluate(({ seekable }: { seekable: { end(range: number): number } }) => seekable.end(0));
  const later = (await edge()) + 2;
  await until(edge, (end) => end > later);
  await page.keyboard.press('k');
  const resumed = await until(() => videoFacts(page), (now) => !now.paused && now.currentTime > stood.currentTime);
  t.ok(resumed.currentTime < stood.currentTime + 2, 'it plays on from where it was paused');

  await goLive.click();
  await until(() => figure.getAttribute('data-behind'), (behind) => behind === '0');
  await until(latency, (seconds) => seconds > 0 && seconds < 4);
  await plays(page, 1);
  t.equal((await videoFacts(page)).count, 1);
  t.same(complaints, []);
});

t.test('a show ends: its page plays its recording, without a reload; who was behind sees all of it first', async (t) => {
  const token = await server.login();
  const channel = await server.createChannel(token, { name: 'end', title: 'To the end' });
  const sender = send(t, server.rtmpUrl(channel));
  await server.live(channel);
  const { live } = await server.must<{ live: { videoId: string } }>('GET', 'channels/@end', undefined, token);
  const edge = await openPage(browser, korean);
  const behind = await openPage(browser, english);
  t.teardown(() => Promise.all([edge.context.close(), behind.context.close()]));
  await Promise.all([edge.page.goto(`${server.origin}/@end`), behind.page.goto(`${server.origin}/watch/${live.videoId}`)]);
  await until(() => videoFacts(edge.page), ({ currentTime }) => currentTime > 10, 40_000);
  await plays(behind.page, 0.5);
  await badge(behind.page, 'live').waitFor();
  await Promise.all([mark(edge.page), mark(behind.page)]);
  await behind.page.mouse.move(400, 300);
  await behind.page.getByRole('button', { name: 'Start over' }).click();
  const rewound = await until(() => videoFacts(behind.page), ({ currentTime }) => currentTime < 3);
  await sender.stop();

  await edge.page.getByRole('heading', { name: '방송이 끝났습니다' }).waitFor();
  await badge(edge.page, 'ended').waitFor();
  await edge.page.getByRole('button', { name: '처음부터 보기' }).click();
  const replay = await until(() => videoFacts(edge.page), (now) => !now.paused && now.currentTime < 3 && now.currentTime > 0.3 && Number.isFinite(now.duration));
  t.ok(replay.duration > 10);
  await bar(edge.page, '영상 시간').waitFor();
  t.same(await marks(edge.page), unchanged);
  t.equal(replay.count, 1);
  t.match(edge.page.url(), /\/@end$/);

  // It was not torn from where it was: the bar is that of a recording, the badge is gone, the picture goes on.
  await bar(behind.page, 'Time in the video').waitFor();
  await badge(behind.page, 'live').waitFor({ state: 'detached' });
  const on = await videoFacts(behind.page);
  t.ok(on.currentTime < rewound.currentTime + 15 && Number.isFinite(on.duration), `at ${on.currentTime} of ${on.duration}`);
  await until(() => behind.page.locator('video').evaluate((video: { ended: boolean; currentTime: number; duration: number; paused: boolean; readyState: number; dataset: Record<string, string>; buffered: { length: number; start(n: number): number; end(n: number): number } }) => ({ ended: video.ended, at: video.currentTime, of: video.duration, paused: video.paused, ready: video.readyState, state: video.dataset.state, buffered: Array.from({ length: video.buffered.length }, (_, n) => [video.buffered.start(n), video.buffered.end(n)]) })), ({ ended }) => ended, 40_000);
  await behind.page.getByRole('heading', { name: 'The end', exact: true }).waitFor();
  const end = await videoFacts(behind.page);
  t.ok(Math.abs(end.currentTime - end.duration) < 0.2, `to the last picture: ${end.currentTime} of ${end.duration}`);
  await behind.page.getByRole('button', { name: 'Play again' }).click();
  await until(() => videoFacts(behind.page), (now) => now.currentTime < 3 && !now.paused);
  await plays(behind.page, 0.5);
  t.same(await marks(behind.page), unchanged);
  t.equal((await videoFacts(behind.page)).count, 1);
  t.same([...edge.complaints, ...behind.complaints], []);
});

t.test('who watches the recording on the page of the channel is asked, and not torn away, when the next show begins', async (t) => {
  const channel = await server.createChannel(await server.login(), { name: 'next', title: 'One after the other' });
  const first = send(t, server.rtmpUrl(channel));
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => context.close());
  await page.goto(`${server.origin}/@next`);
  await until(() => page.locator('video').count(), (count) => count === 1, 30_000);
  await plays(page, 4);
  await first.stop();
  await page.getByRole('button', { name: 'Watch from the beginning' }).click();
  await until(() => videoFacts(page), (now) => Number.isFinite(now.duration) && now.currentTime > 0.3);
  send(t, server.rtmpUrl(channel));
  await page.getByText('A new broadcast has begun.').waitFor();
  t.ok(Number.isFinite((await videoFacts(page)).duration), 'the recording is still there');
  await page.getByRole('button', { name: 'Watch it live' }).click();
  await until(() => videoFacts(page), (now) => now.duration === Infinity && !now.paused);
  await plays(page, 1);
  t.equal((await videoFacts(page)).count, 1);
  t.equal(await page.getByText('A new broadcast has begun.').count(), 0);
  t.same(complaints, []);
});
