/** The pages as people use them, in a real Chromium against a whole server: first run, every state of a show, both languages. */
import t from 'tap';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { push, type Push } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { badge, plays, unexpected, videoFacts } from './support/web-app.ts';

const password = 'water over the wheel';
const english = { locale: 'en-US', viewport: { width: 1440, height: 900 } };
const korean = { locale: 'ko-KR', viewport: { width: 390, height: 844 } };

const source = await clip({ bframes: 2 });
const server = await startServer({ env: { MILLRACE_ADMIN_PASSWORD: '', MILLRACE_LIVE_RECONNECT_WINDOW: '40s' } });
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());

const send = (t: { teardown: (end: () => unknown) => void }, url: string): Push => {
  const sender = push(source.file, url);
  t.teardown(() => sender.kill());
  return sender;
};

t.test('from the link in the terminal to a replay, with nothing but what the pages say', async (t) => {
  const printed = await until(async () => /http:\/\/localhost:\d+\/setup#\S+/.exec(server.log)?.[0] ?? '', (link) => link !== '');
  const origin = new URL(printed).origin;
  const { page, context, complaints } = await openPage(browser, { ...english, permissions: ['clipboard-read', 'clipboard-write'] });
  t.teardown(() => context.close());

  await page.goto(origin);
  await page.getByText('This server has no administrator yet.').waitFor();
  await page.goto(printed);
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.getByRole('button', { name: /^Finish/ }).click();
  await page.getByText('Use at least 8 characters.').waitFor();
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: /^Finish/ }).click();
  await page.waitForURL('**/studio');

  await page.getByRole('button', { name: 'New channel' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill('First Light');
  t.equal(await dialog.getByLabel('Address').inputValue(), 'first-light', 'the address follows the title');
  await dialog.getByLabel('Address').fill('no spaces');
  await dialog.getByText('Only a-z, 0-9, - and _ work in an address.').waitFor();
  await dialog.getByLabel('Address').fill('admin');
  await dialog.getByText('This address is reserved.').waitFor();
  await dialog.getByLabel('Address').fill('first');
  await dialog.getByText('This address is free.').waitFor();
  await dialog.getByRole('button', { name: 'Create channel' }).click();
  await page.waitForURL('**/studio/channels/*');

  const copied = (): Promise<string> =>
    page.evaluate(() => (globalThis as unknown as { navigator: { clipboard: { readText(): Promise<string> } } }).navigator.clipboard.readText());
  const rtmp = await page.getByLabel('Server', { exact: true }).inputValue();
  t.equal(rtmp, `rtmp://localhost:${server.ports.rtmp}/live`);
  t.match(await page.getByLabel('Stream key', { exact: true }).inputValue(), /^•+$/, 'the key is hidden until it is asked for');
  await page.getByRole('button', { name: 'Copy Server' }).click();
  await until(copied, (text) => text === rtmp);
  await page.getByRole('button', { name: 'Copy Stream key' }).click();
  const key = await until(copied, (text) => text !== rtmp);
  t.match(await page.getByLabel('Stream key', { exact: true }).inputValue(), /^•+$/, 'copying does not show it');

  const viewer = await openPage(browser, korean);
  t.teardown(() => viewer.context.close());
  await viewer.page.goto(`${origin}/@first`);
  await viewer.page.getByRole('heading', { name: '아직 방송 전입니다' }).waitFor();
  t.equal(await viewer.page.locator('html').getAttribute('lang'), 'ko');

  const sender = send(t, `${rtmp}/${key}`);
  const live = await plays(viewer.page, 2);
  t.equal(live.count, 1, 'one <video>');
  t.equal(live.duration, Infinity);
  await plays(page);
  t.ok((await videoFacts(page)).muted, 'the preview of the host is silent');

  await page.getByRole('button', { name: 'End broadcast' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End broadcast' }).click();
  t.not((await sender.finished).code, 0, 'the encoder is sent away');
  await page.getByText('The recording is ready.').waitFor();
  await viewer.page.getByRole('heading', { name: '방송이 끝났습니다' }).waitFor();
  await viewer.page.locator('.stage').getByRole('link', { name: '다시보기' }).click();
  await viewer.page.waitForURL('**/watch/*');
  const replay = await plays(viewer.page, 1);
  t.ok(replay.duration > 2 && replay.duration < 60, `the recording lasts ${replay.duration} s`);
  t.equal(replay.count, 1);
  await viewer.page.goto(origin);
  await viewer.page.getByRole('link', { name: 'First Light' }).waitFor();
  t.same(viewer.complaints, []);
  t.same(unexpected(complaints, /status of 404.*\/channels\/@/), []);
});

t.test('the page of a channel has words for each state, and the picture comes back with the host', async (t) => {
  const channel = await server.createChannel(await server.login('admin', password), { name: 'states', title: 'All the states' });
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => context.close());
  await page.goto(`${server.origin}/@states`);
  await page.getByRole('heading', { name: 'Not live yet' }).waitFor();
  t.equal(await page.locator('html').getAttribute('lang'), 'en');
  t.equal(await page.locator('video').count(), 0);

  const first = send(t, server.rtmpUrl(channel));
  await badge(page, 'starting').waitFor();
  await page.getByRole('heading', { name: 'Getting ready to broadcast' }).waitFor();
  await badge(page, 'live').waitFor();
  const before = await plays(page, 1);
  await first.kill();
  await badge(page, 'waiting').waitFor();
  await page.getByRole('heading', { name: 'The host lost the connection' }).waitFor();
  await page.getByText(/^Waiting \d+ more seconds/).waitFor();

  const second = send(t, server.rtmpUrl(channel));
  await badge(page, 'live').waitFor();
  const after = await plays(page, 2);
  t.equal(after.count, 1);
  t.ok(after.currentTime > before.currentTime, 'it goes on, it does not begin again');
  t.equal(await page.locator('.stage .words').count(), 0, 'no words over a running picture');
  await second.stop();
  await page.getByRole('heading', { name: 'The broadcast has ended' }).waitFor();
  await page.getByRole('link', { name: 'Watch the replay' }).waitFor();
  t.same(complaints, []);
});

t.test('cards show what is live, a new picture takes the place of the one before, and nothing moves', async (t) => {
  const token = await server.login('admin', password);
  const channel = await server.createChannel(token, { name: 'card', title: 'On the card' });
  const sender = send(t, server.rtmpUrl(channel));
  await server.live(channel);
  const { page, context, complaints } = await openPage(browser, english);
  const phone = await openPage(browser, korean);
  t.teardown(() => Promise.all([context.close(), phone.context.close()]));
  type Image = { readonly src: string; readonly complete: boolean; readonly naturalWidth: number };
  const shown = (seenBy: typeof page, words: string) => seenBy.getByRole('img', { name: words }).evaluate(({ src, complete, naturalWidth }: Image) => ({ src, complete, naturalWidth }));
  await page.goto(server.origin);
  const card = page.locator('.tile', { hasText: 'On the card' });
  const box = async (): Promise<unknown> => [await card.boundingBox(), await card.locator('.cover').boundingBox()];
  await card.waitFor();
  const before = await box();
  const first = await shown(page, 'On the card: the picture right now');
  t.match(first, { complete: true, naturalWidth: 640, src: /\/play\/-\/[a-z0-9]+\/picture\.jpg\?v=/ });
  await phone.page.goto(server.origin);
  t.match(await shown(phone.page, 'On the card: 지금 방송 화면'), { complete: true, naturalWidth: 640 });
  await until(() => shown(page, 'On the card: the picture right now'), ({ src, naturalWidth }) => src !== first.src && naturalWidth === 640, 40_000);
  t.same(await box(), before);
  await badge(page, 'live').first().waitFor();
  await sender.stop();
  await card.getByRole('img').waitFor({ state: 'detached' });
  t.same([...complaints, ...phone.complaints], []);
});

t.test('a page opened in the middle of a show plays by itself, muted where the browser insists', async (t) => {
  const channel = await server.createChannel(await server.login('admin', password), { name: 'late', title: 'Late' });
  send(t, server.rtmpUrl(channel));
  await server.live(channel);
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => context.close());
  // A driven page counts as touched by a person, so Chromium would refuse nothing: its refusal is played here.
  await page.addInitScript(() => {
    type Media = { play(): Promise<void>; muted: boolean };
    const { HTMLMediaElement, DOMException } = globalThis as unknown as { HTMLMediaElement: { prototype: Media }; DOMException: new (text: string, name: string) => Error };
    const allowed = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function play(this: Media) {
      return this.muted ? allowed.call(this) : Promise.reject(new DOMException('touch the page first', 'NotAllowedError'));
    };
  });
  await page.goto(`${server.origin}/@late`);
  const seen = await plays(page, 1);
  t.ok(seen.muted);
  t.equal(seen.count, 1);
  await page.getByRole('button', { name: 'Tap for sound' }).waitFor();
  await page.mouse.move(400, 400);
  await page.locator('[data-latency]').waitFor();
  const latency = await until(async () => Number(await page.locator('[data-latency]').getAttribute('data-latency')), (seconds) => seconds > 0);
  t.ok(latency < 5, `${latency} s behind`);
  t.same(complaints, []);
});

t.test('the language can be changed on any page, and stays', async (t) => {
  const { page, context } = await openPage(browser, english);
  t.teardown(() => context.close());
  await page.goto(`${server.origin}/nothing/here`);
  await page.getByRole('heading', { name: 'This page does not exist' }).waitFor();
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: '한국어' }).click();
  await page.getByRole('heading', { name: '없는 페이지입니다' }).waitFor();
  t.equal(await page.locator('html').getAttribute('lang'), 'ko');
  await page.goto(`${server.origin}/watch/nothinghere`);
  await page.getByRole('heading', { name: '영상을 찾을 수 없습니다' }).waitFor();
  t.equal(await page.locator('html').getAttribute('lang'), 'ko', 'after a load as well');
});
