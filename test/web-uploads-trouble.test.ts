/** Uploads that meet something in their way, and files that are fetched: what the pages say about it, and what helps. */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import t from 'tap';
import { insecureHost, launchChromium, openPage } from './support/chromium.ts';
import { until } from './support/playlists.ts';
import { adminPassword, startServer } from './support/server.ts';
import { plays, signIn, unexpected } from './support/web-app.ts';
import { card, choose, drop, holdParts, shortFilm, state } from './support/web-uploads.ts';

const english = { locale: 'en-US', viewport: { width: 1280, height: 900 } };
const korean = { locale: 'ko-KR', viewport: { width: 390, height: 844 } };

const short = await shortFilm();
const server = await startServer({ env: { MILLRACE_UPLOADS_IMPORT_FROM: '127.0.0.1' } });
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());

t.test('what goes wrong is said with what to do about it, and can be tried again', async (t) => {
  const { page, context, complaints } = await openPage(browser, korean);
  t.teardown(() => context.close());
  await server.must('POST', 'accounts', { username: 'minji', password: adminPassword, role: 'creator' }, await server.login());
  await page.goto(`${server.origin}/login`);
  await page.getByLabel('사용자 이름').fill('minji');
  await page.getByLabel('비밀번호', { exact: true }).fill(adminPassword);
  await page.getByRole('main').getByRole('button', { name: '로그인' }).click();
  await page.waitForURL('**/studio');

  const owner = await openPage(browser, english);
  t.teardown(() => owner.context.close());
  await signIn(owner.page, server.origin, adminPassword);
  const limitTo = async (gigabytes: string, shown: string): Promise<void> => {
    await owner.page.goto(`${server.origin}/admin`);
    await owner.page.getByRole('button', { name: 'Change how much minji may keep' }).click();
    const dialog = owner.page.getByRole('dialog');
    await dialog.getByLabel('Gigabytes').fill('many');
    await dialog.getByText('Write a number').waitFor();
    await dialog.getByLabel('Gigabytes').fill(gigabytes);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await owner.page.getByRole('row', { name: /minji/ }).getByText(shown).waitFor();
  };
  await limitTo('0.001', '1 MB');
  await owner.page.getByText(/ free · enough room$/).waitFor();

  await page.goto(`${server.origin}/studio/upload`);
  await page.getByText('전체 1MB 중 1MB 남았습니다.').waitFor();
  await drop(page, [
    { name: '빈 파일.mp4', bytes: 0 },
    { name: '너무 큰 파일.mp4', bytes: 2_000_000 },
  ]);
  await card(page, '빈 파일.mp4').getByText('빈 파일입니다.').waitFor();
  const large = card(page, '너무 큰 파일.mp4');
  await large.getByText('남은 저장 공간이 모자랍니다.').waitFor();
  await page.getByRole('link', { name: '업로드: 확인이 필요합니다' }).waitFor();
  await page.getByRole('button', { name: '빈 파일 목록에서 빼기' }).click();
  await card(page, '빈 파일.mp4').waitFor({ state: 'detached' });

  await limitTo('0.5', '500 MB');
  const gate = await holdParts(page, 0);
  await page.getByRole('button', { name: '너무 큰 파일 다시 시도' }).click();
  await until(async () => gate.held(), (held) => held > 0);
  await page.getByRole('button', { name: '너무 큰 파일 일시정지' }).click();
  await state(large, '일시정지됨').waitFor();
  await page.getByRole('button', { name: '너무 큰 파일 취소' }).click();
  await page.getByRole('dialog').getByRole('button', { name: '계속 올리기' }).click();
  await page.getByRole('button', { name: '너무 큰 파일 취소' }).click();
  await page.getByRole('dialog').getByRole('button', { name: '업로드 취소' }).click();
  await large.waitFor({ state: 'detached' });
  await page.getByText('업로드를 취소했습니다.').waitFor();
  gate.open();
  await page.getByRole('link', { name: '영상', exact: true }).click();
  await page.getByRole('heading', { name: '아직 영상이 없습니다' }).waitFor();
  t.same(unexpected(complaints, /status of (403|404)/), []);
});

t.test('a file is fetched from an address, and an address that leads nowhere is told', async (t) => {
  let asked = 0;
  const source = createServer((request, response) => {
    const late = request.url === '/films/late.mp4' && (asked += 1) === 1;
    if (late || !request.url?.startsWith('/films/')) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': statSync(short).size });
    createReadStream(short).pipe(response);
  });
  await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve));
  t.teardown(() => source.close());
  const at = `http://127.0.0.1:${(source.address() as AddressInfo).port}`;
  const { page, context, complaints } = await openPage(browser, english);
  t.teardown(() => context.close());
  // As on a machine in somebody's network: no crypto.subtle, no clipboard.
  const origin = `http://${insecureHost}:${server.ports.http}`;
  await signIn(page, origin, adminPassword);
  await page.goto(`${origin}/studio/upload`);
  const fetchIt = async (address: string): Promise<void> => {
    await page.getByLabel('Address of the file (URL)').fill(address);
    await page.getByRole('button', { name: 'Import' }).click();
  };
  await fetchIt('film.mp4');
  await page.getByText('This is no address of a file').waitFor();
  await fetchIt('http://10.1.2.3/film.mp4');
  await page.getByText('The server may not fetch from this address').waitFor();
  await fetchIt(`${at}/nothing/gone.mp4`);
  await card(page, 'gone').getByText('There is no file at this address.').waitFor();
  await fetchIt(`${at}/films/late.mp4`);
  await card(page, 'late').getByText('There is no file at this address.').waitFor();
  await page.getByRole('button', { name: 'Try late again' }).click();
  await card(page, 'late').getByText('It is ready.').waitFor();
  t.equal(await card(page, 'late').count(), 1, 'it stands where it stood');
  await fetchIt(`${at}/films/wheel.mp4`);
  await card(page, 'wheel').getByText('It is ready.').waitFor();
  await card(page, 'wheel').getByRole('button', { name: 'Copy Link to wheel' }).click();
  await page.getByText('Copied to the clipboard').waitFor();
  await card(page, 'wheel').getByRole('button', { name: 'Take wheel off the list' }).click();
  await card(page, 'wheel').waitFor({ state: 'detached' });
  t.equal(await page.locator(':focus').evaluate((focused: { tagName: string }) => focused.tagName), 'H1', 'the focus does not fall off the page');
  await choose(page, 'Choose files', short);
  await card(page, path.basename(short)).getByRole('link', { name: /^Watch/ }).click();
  await plays(page, 0.5);
  t.same(unexpected(complaints, /status of 4\d\d/), []);
});
