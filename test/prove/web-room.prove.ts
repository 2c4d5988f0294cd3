/** The live room of a channel with a publisher that does something wrong and mends it: in a real Chromium against a whole server. */
import t from 'tap';
import { launchChromium, openPage } from '../support/chromium.ts';
import { LiveSender } from '../support/live-sender.ts';
import { until } from '../support/playlists.ts';
import { adminPassword, startServer } from '../support/server.ts';
import { flvClip } from '../support/show-sender.ts';
import { badge, plays, signIn } from '../support/web-app.ts';

const english = { locale: 'en-US', viewport: { width: 1280, height: 900 } };
const phone = { locale: 'ko-KR', viewport: { width: 360, height: 740 } };

/** A key frame each eight seconds, as OBS sends them until somebody says otherwise; and each two. */
const wrong = await flvClip({ gop: 240 });
const mended = await flvClip({ gop: 60 });
const server = await startServer();
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());

type Live = { readonly live: { readonly videoId: string } | null };
type Kept = { readonly ingest: { readonly sessions: readonly { readonly end: string | null }[]; readonly findings: readonly { readonly code: string }[] } | null };

t.test('what is wrong is said while it is, with what to do; the title changes while live; the end is kept', async (t) => {
  const token = await server.login();
  const channel = await server.createChannel(token, { name: 'room', title: 'Before' });
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => context.close());
  await signIn(page, server.origin, adminPassword);
  await page.goto(`${server.origin}/studio/channels/${channel.id}`);
  await page.getByText('Nothing is coming in.').waitFor();
  const viewer = await openPage(browser, phone);
  t.teardown(() => viewer.context.close());
  await viewer.page.goto(`${server.origin}/@room`);
  await viewer.page.getByRole('heading', { name: 'Before' }).waitFor();

  const sender = await LiveSender.connect(server, channel, wrong);
  t.teardown(() => sender.vanish());
  const health = page.getByRole('region', { name: 'Stream health' });
  const long = health.locator('[data-finding=gopSizeOver]');
  await long.getByText(/^Key frames are \d+(\.\d)? seconds apart/).waitFor();
  await long.getByText('Set the key frame interval to 2 s.').waitFor();
  await health.getByRole('status').getByText(/thing/).waitFor();
  await badge(page, 'live').waitFor();
  await plays(page);
  await health.getByRole('img', { name: /^Bitrate over the last minute: [\d,.]+ [kM]bps now, between/ }).waitFor();
  await health.getByRole('img', { name: /^Pictures a second over the last minute: [\d.]+ fps now/ }).waitFor();
  await health.getByText('H.264 High · 640×360').waitFor();

  sender.change(mended);
  await long.waitFor({ state: 'detached' });
  await health.getByText('every 2 s').waitFor();

  const title = page.getByLabel('Title', { exact: true });
  await title.fill('At the mill');
  await title.press('Enter');
  await page.getByText('The title has been changed.').waitFor();
  await viewer.page.getByRole('heading', { name: 'At the mill' }).waitFor();

  const { live } = await server.must<Live>('GET', `channels/${channel.id}`, undefined, token);
  if (!live) return t.fail('not live');
  // By keyboard alone, as somebody does whose hands are on it.
  await page.getByRole('button', { name: 'End broadcast' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'End broadcast' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('The recording is ready.').waitFor();
  await health.getByText('Nothing is coming in.').waitFor();

  await page.goto(`${server.origin}/watch/${live.videoId}`);
  await page.getByRole('heading', { name: 'At the mill' }).waitFor();
  const report = page.getByRole('region', { name: 'How the broadcast came in' });
  await report.locator('[data-finding=gopSizeOver]').getByText(/1 time, /).waitFor();
  await report.getByRole('img', { name: /^Bitrate over the whole broadcast/ }).waitFor();
  const { ingest } = await server.must<Kept>('GET', `videos/${live.videoId}/ingest`, undefined, token);
  t.match(ingest?.sessions, [{ end: 'evicted' }]);
  t.same(complaints, []);
  t.same(viewer.complaints, []);
});

t.test('on a phone, in Korean: nothing is wider than the screen, and a stranger hears nothing of it', async (t) => {
  const token = await server.login();
  const channel = await server.createChannel(token, { name: 'phone', title: '물레방아' });
  const { page, context, complaints } = await openPage(browser, phone);
  t.teardown(() => context.close());
  await page.goto(`${server.origin}/login`);
  await page.getByLabel('사용자 이름').fill('admin');
  await page.getByLabel('비밀번호', { exact: true }).fill(adminPassword);
  await page.getByRole('main').getByRole('button', { name: '로그인' }).click();
  await page.waitForURL('**/studio');
  await page.goto(`${server.origin}/studio/channels/${channel.id}`);
  const sender = await LiveSender.connect(server, channel, wrong);
  t.teardown(() => sender.vanish());
  await page.locator('[data-finding=gopSizeOver]').getByText('키프레임 간격을 2초로 바꾸세요.').waitFor();
  await page.getByRole('img', { name: /^최근 1분의 비트레이트: 지금/ }).waitFor();
  const widths = await page.evaluate(() => {
    const { document } = globalThis as unknown as { document: { documentElement: { scrollWidth: number; clientWidth: number } } };
    const { scrollWidth, clientWidth } = document.documentElement;
    return { scrollWidth, clientWidth };
  });
  t.ok(widths.scrollWidth <= widths.clientWidth, JSON.stringify(widths));
  t.equal((await server.api('GET', `channels/${channel.id}/ingest`)).status, 401);
  await sender.end();
  await until(async () => (await server.must<Live>('GET', `channels/${channel.id}`, undefined, token)).live, (live) => live === null);
  t.same(complaints, []);
});
