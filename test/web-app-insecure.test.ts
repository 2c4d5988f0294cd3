/**
 * The same pages under a plain-HTTP name that is not localhost, as on a machine in somebody's network: there a page has
 * no navigator.clipboard and no crypto.subtle. Signing in, copying and playing work all the same.
 */
import t from 'tap';
import { insecureHost, launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { push } from './support/ffmpeg.ts';
import { adminPassword, startServer } from './support/server.ts';
import { badge, plays, signIn } from './support/web-app.ts';

const source = await clip({ bframes: 2 });
const server = await startServer();
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());
const origin = `http://${insecureHost}:${server.ports.http}`;

t.test('on an insecure origin: signing in, copying the key, going live, watching, ending', async (t) => {
  const channel = await server.createChannel(await server.login(), { name: 'plain', title: 'Plain' });
  const { page, context, complaints } = await openPage(browser, { locale: 'en-US' });
  t.teardown(() => context.close());
  await signIn(page, origin, adminPassword);
  type Insecure = { isSecureContext: boolean; crypto: { subtle?: unknown }; navigator: { clipboard?: unknown } };
  const here = await page.evaluate(() => {
    const { isSecureContext, crypto, navigator } = globalThis as unknown as Insecure;
    return { isSecureContext, subtle: crypto.subtle !== undefined, clipboard: navigator.clipboard !== undefined };
  });
  t.same(here, { isSecureContext: false, subtle: false, clipboard: false }, 'the origin is as poor as it should be');

  await page.getByRole('link', { name: 'Plain' }).click();
  t.equal(await page.getByLabel('Server', { exact: true }).inputValue(), `rtmp://${insecureHost}:${server.ports.rtmp}/live`);
  await page.getByRole('button', { name: 'Copy Stream key' }).click();
  await page.getByText('Copied to the clipboard').waitFor();
  // What was copied is what a paste brings.
  const title = page.getByLabel('Title', { exact: true });
  await title.fill('');
  await title.press('ControlOrMeta+v');
  t.equal(await title.inputValue(), channel.ingest.rtmp.key);

  const viewer = await openPage(browser, { locale: 'ko-KR', viewport: { width: 320, height: 640 } });
  t.teardown(() => viewer.context.close());
  await viewer.page.goto(`${origin}/@plain`);
  await viewer.page.getByRole('heading', { name: '아직 방송 전입니다' }).waitFor();
  const sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  t.equal((await plays(viewer.page, 2)).count, 1);
  await badge(page, 'live').waitFor();
  await plays(page);
  await page.getByRole('button', { name: 'End broadcast' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End broadcast' }).click();
  await sender.finished;
  await viewer.page.locator('.stage').getByRole('link', { name: '다시보기' }).click();
  const replay = await plays(viewer.page, 1);
  t.ok(Number.isFinite(replay.duration));

  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('link', { name: 'Sign in' }).waitFor();
  t.same([...complaints, ...viewer.complaints], []);
});
