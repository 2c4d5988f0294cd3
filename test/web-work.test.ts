/**
 * Work behind videos as people see it in a real Chromium: the administrator's page with its queue, what runs and where, a job that
 * is cancelled, tried again, put first; the owner's card with progress that moves. The work itself stands in.
 */
import t from 'tap';
import type { Page } from 'playwright-core';
import { launchChromium, openPage } from './support/chromium.ts';
import { until } from './support/playlists.ts';
import { adminPassword, startServer } from './support/server.ts';
import { untilState, uploadFile } from './support/upload.ts';
import { signIn, unexpected } from './support/web-app.ts';
import { shortFilm, tediousFilm } from './support/web-uploads.ts';
import { WorkStandIn } from './support/work-stand-in.ts';

t.setTimeout(110_000);
const english = { locale: 'en-US', viewport: { width: 1280, height: 1000 } };
const phone = { width: 390, height: 844 };
const shots = process.env['MILLRACE_TEST_SHOTS'];
const shot = async (page: Page, name: string): Promise<void> => void (shots && (await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })));

// One at a time, so that there is something to look at for a while on any machine.
const [server, browser, film, tedious] = await Promise.all([startServer({ env: { MILLRACE_ENCODE_JOBS: '1' } }), launchChromium(), shortFilm(), tediousFilm()]);
t.teardown(async () => {
  await browser.close();
  await server.stop();
});
const token = await server.login();
const { id } = await uploadFile(server, token, film, { title: 'At the mill', visibility: 'public' });
await untilState(server, token, id, ['playable', 'ready']);

const work = new WorkStandIn();
const { page, context, complaints } = await openPage(browser, english);
t.teardown(() => context.close());
await work.standIn(context);
await signIn(page, server.origin, adminPassword);

const korean = async (): Promise<void> => {
  await page.evaluate(() => (globalThis as unknown as { localStorage: { setItem(key: string, value: string): void } }).localStorage.setItem('millrace.language', 'ko'));
  await page.setViewportSize(phone);
  await page.emulateMedia({ colorScheme: 'light' });
};
const inEnglish = async (): Promise<void> => {
  await page.evaluate(() => (globalThis as unknown as { localStorage: { setItem(key: string, value: string): void } }).localStorage.setItem('millrace.language', 'en'));
  await page.setViewportSize(english.viewport);
  await page.emulateMedia({ colorScheme: 'dark' });
};
/** Nothing lies beside the page of a phone. */
const fits = (): Promise<boolean> => page.evaluate(() => {
  const { documentElement } = (globalThis as unknown as { document: { documentElement: { scrollWidth: number; clientWidth: number } } }).document;
  return documentElement.scrollWidth <= documentElement.clientWidth;
});

t.test('without work the page says so, and without a server that answers it says that', async (t) => {
  await page.goto(`${server.origin}/admin`);
  await page.getByRole('navigation', { name: 'Server' }).getByRole('link', { name: 'Work' }).click();
  await page.getByText('Nothing has been queued lately.').waitFor();
  await page.getByText('Nothing is being worked on right now.').waitFor();
  await page.getByText(/^Nobody works: jobs stay in the queue/).waitFor();
  await page.getByText('There are no such jobs.').waitFor();
  await shot(page, 'work-empty');
  work.isBroken = true;
  const lists = (): number => work.asked.filter((asked) => asked === 'GET /jobs').length;
  const before = lists();
  await page.reload();
  // Asked for by itself, and once more with the first news: from then on nothing comes that nobody asked for.
  await until(async () => lists(), (now) => now >= before + 2);
  const jobs = page.locator('section[aria-labelledby=jobs]');
  await jobs.getByRole('alert').waitFor();
  work.isBroken = false;
  await jobs.getByRole('button', { name: 'Try again' }).click();
  await jobs.getByText('There are no such jobs.').waitFor();
  t.same(unexpected(complaints, /status of (404|500)/), []);
});

t.test('an administrator sees what runs and where, and cancels, retries and puts first', async (t) => {
  const video = { id, title: 'At the mill' };
  work.workers = [
    { id: 'w1', name: 'here', here: true, pid: 41, classes: ['inspect', 'first', 'rest', 'encode', 'picture', 'light'], slots: 1, since: new Date(Date.now() - 7_200_000).toISOString(), running: [] },
    { id: 'w2', name: 'mill-2', here: false, pid: 4242, classes: ['encode', 'picture'], slots: 2, since: new Date(Date.now() - 300_000).toISOString(), running: [{ job: 'j1', kind: 'encode', video: id, done: 0.25 }] },
  ];
  const running = work.job({ id: 'j1', state: 'leased', worker: 'w2', done: 0.25, attempts: 1, video });
  work.job({ id: 'j2', kind: 'join', task: 'others-tracks', class: 'light', waits: 4, priority: 65, video });
  work.job({ id: 'j3', state: 'dead', kind: 'storyboard', task: 'storyboard', class: 'picture', attempts: 3, maxAttempts: 3, reason: 'encode-failed: It could not be converted.', video: { id, title: 'A title that somebody has made rather long, to see what becomes of it on the screen of a phone' } });
  work.job({ id: 'j4', state: 'cancelled', kind: 'make', task: null, class: 'rest', reason: 'What it needs is not done.', video });
  work.job({ id: 'j6', state: 'dead', kind: 'make', task: 'intake.mezzanine', class: 'rest', reason: 'encode-failed: It could not be converted.', video });
  work.job({ id: 'j5', task: 'others', video });
  for (let done = 0; done < 20; done += 1) work.job({ id: `d${done}`, state: 'done', done: 1, attempts: 1, video });
  work.tell();

  const queue = page.locator('section[aria-labelledby=queue]');
  const figure = (kind: string, state: string): Promise<string | null> => queue.locator(`tr[data-class=${kind}] td[data-state=${state}]`).textContent();
  await until(() => figure('encode', 'done'), (text) => text === '20');
  t.equal(await figure('encode', 'leased'), '1');
  t.equal(await figure('picture', 'dead'), '1');
  const row = page.locator('section[aria-labelledby=running] tr[data-job=j1]');
  t.match(await row.textContent(), /Other sizes.*At the mill.*mill-2.*25/);
  t.match(await page.locator('tr[data-worker=w2]').textContent(), 'process 4242');
  const bar = row.getByRole('progressbar');
  t.equal(await bar.getAttribute('aria-valuenow'), '25');
  running.done = 0.75;
  work.tell();
  await until(() => bar.getAttribute('aria-valuenow'), (now) => now === '75');
  await shot(page, 'work-en');
  t.equal(await row.locator('.job-progress > span').textContent(), '75%');

  const job = (which: string) => page.locator(`.job[data-job=${which}]`);
  await job('j3').getByText('It could not be made.', { exact: false }).waitFor();
  await job('j6').getByRole('button', { name: 'Try Full quality of At the mill again' }).waitFor();
  await job('j4').getByText('Something that it needs could not be done.').waitFor();
  await job('j2').getByText('waits for 4 other jobs', { exact: false }).waitFor();

  await job('j1').getByRole('button', { name: 'Cancel Other sizes of At the mill' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await dialog.waitFor({ state: 'detached' });
  t.notOk(work.asked.includes('POST /jobs/j1/cancel'), 'nobody cancels by one press');
  await job('j1').getByRole('button', { name: 'Cancel Other sizes of At the mill' }).click();
  await shot(page, 'work-cancel');
  await dialog.getByRole('button', { name: 'Cancel job' }).click();
  await page.locator('.job[data-job=j1][data-state=cancelled]').waitFor();
  await row.waitFor({ state: 'detached' });
  t.ok(work.asked.includes('POST /jobs/j1/cancel'));

  await job('j3').getByRole('button', { name: /^Try Small pictures for the time bar of A title .* again$/ }).click();
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.job[data-job=j3][data-state=queued]').waitFor();

  await job('j5').getByRole('button', { name: 'Priority of Other sizes of At the mill' }).click();
  await dialog.getByLabel('Priority').fill('2000');
  await dialog.getByText('Use a whole number from -1000 to 1000.').waitFor();
  await dialog.getByLabel('Priority').fill('95');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await job('j5').getByText('Priority 95', { exact: false }).waitFor();

  await page.getByLabel('State').selectOption('cancelled');
  await until(() => page.locator('.job').count(), (many) => many === 2);
  running.state = 'leased';
  running.worker = 'w2';
  work.tell();
  await until(() => page.locator('.job').count(), (many) => many === 1);

  await korean();
  await page.goto(`${server.origin}/admin/work`);
  await page.getByRole('heading', { name: '진행 중인 작업' }).waitFor();
  await page.locator('.job').first().waitFor();
  t.ok(await fits(), 'nothing lies beside the page of a phone');
  await shot(page, 'work-ko-phone-light');
  await inEnglish();
  t.same(unexpected(complaints, /status of (404|500)/), []);
});

t.test('whoever is being asked about a job goes on being asked when it has left the list', async (t) => {
  work.jobs.length = 0;
  const begins = work.job({ id: 'b1', video: { id, title: 'At the mill' } });
  await page.goto(`${server.origin}/admin/work`);
  await page.getByLabel('State').selectOption('queued');
  await page.getByRole('button', { name: 'Priority of Other sizes of At the mill' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Priority').fill('95');
  Object.assign(begins, { state: 'leased', worker: 'w2' });
  work.tell();
  await page.locator('.job').waitFor({ state: 'detached' });
  t.equal(await dialog.getByLabel('Priority').inputValue(), '95');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  t.equal(begins.priority, 95);
  await page.locator('h1:focus').waitFor();
  t.same(unexpected(complaints, /status of (404|500)/), []);
});

t.test('what was loaded after the first page is told as it is now, too', async (t) => {
  work.jobs.length = 0;
  const oldest = work.job({ id: 'o1', state: 'dead', attempts: 4, reason: 'encode-failed: It could not be converted.', video: { id, title: 'At the mill' } });
  for (let job = 0; job < 60; job += 1) work.job({ id: `m${job}`, state: 'done', done: 1, attempts: 1 });
  await page.goto(`${server.origin}/admin/work`);
  const rows = page.locator('.job');
  await until(() => rows.count(), (many) => many === 50);
  await page.locator('section[aria-labelledby=jobs]').getByRole('button', { name: 'Show more' }).click();
  await page.locator('.job[data-job=o1][data-state=failed]').waitFor();
  t.equal(await rows.count(), 61);
  Object.assign(oldest, { state: 'queued', attempts: 0, reason: null });
  for (let job = 60; job < 65; job += 1) work.job({ id: `m${job}`, state: 'done', done: 1, attempts: 1 });
  work.tell();
  await page.locator('.job[data-job=o1][data-state=queued]').waitFor();
  await until(() => rows.count(), (many) => many === 66);
  t.same(unexpected(complaints, /status of (404|500)/), []);
});

t.test('an owner sees how far each step is, why one failed, cancels the rest and goes on with it', async (t) => {
  const step = (name: string, kind: string, state: string, done: number, more: object = {}) => ({ name, kind, state, done, jobs: 1, finished: 0, reason: null, ...more });
  const others = step('others', 'encode', 'running', 0.3, { jobs: 20, finished: 6 });
  work.tasks = [
    step('intake.lowest', 'lowest', 'done', 1),
    step('lowest', 'encode', 'done', 1, { jobs: 20, finished: 20 }),
    step('lowest-track', 'join', 'done', 1),
    step('storyboard', 'storyboard', 'failed', 0, { reason: 'no-room: There is no room left on the disk of the server.' }),
    step('posters', 'posters', 'queued', 0),
    others,
    step('others-tracks', 'join', 'waiting', 0),
    step('my-own', 'brew', 'waiting', 0),
  ];
  let isMade = false;
  const record = new RegExp(`/api/v1/videos/${id}$`);
  await page.route(record, async (route) => {
    const answer = await route.fetch();
    const pictures = { poster: null, posters: [`${server.origin}/play/-/${id}/poster-0.jpg`], chosen: null, storyboard: null, preview: null };
    const made = isMade ? { pictures, chapters: [{ start: 0, end: 2, title: 'Of the file' }] } : { pictures: null, chapters: [] };
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), ...made } });
  });
  t.teardown(() => page.unroute(record));
  await page.goto(`${server.origin}/watch/${id}`);
  const card = page.locator('section[aria-labelledby=tasks]');
  const total = card.getByRole('progressbar', { name: 'Progress in total' });
  const bar = card.getByRole('progressbar', { name: 'Other sizes', exact: true });
  t.equal(await bar.getAttribute('aria-valuenow'), '30');
  await card.getByText('6 of 20 parts').waitFor();
  await card.getByText('There is no room left on the disk of the server.', { exact: false }).waitFor();
  await card.getByText('brew (my-own)').waitFor();
  await card.getByText('A first small picture', { exact: true }).waitFor();
  const before = Number(await total.getAttribute('aria-valuenow'));
  Object.assign(others, { done: 0.8, finished: 16 });
  work.tellTasks(id);
  await until(() => bar.getAttribute('aria-valuenow'), (now) => now === '80');
  t.ok(Number(await total.getAttribute('aria-valuenow')) > before);
  await card.getByText('There is no room left on the disk of the server.', { exact: false }).waitFor();
  const posters = work.tasks.find(({ name }) => name === 'posters');
  Object.assign(posters ?? {}, { state: 'failed', reason: 'took-too-long: It took longer than it may.' });
  work.tellTasks(id);
  await card.getByText('It took longer than it ever should.', { exact: false }).waitFor();
  Object.assign(posters ?? {}, { state: 'queued', reason: null });
  work.tellTasks(id);
  await card.locator('[data-task=posters][data-state=queued]').waitFor();
  await shot(page, 'tasks-en');

  await card.getByRole('button', { name: 'Cancel the work' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the work' }).click();
  await card.locator('[data-task=others][data-state=cancelled]').waitFor();
  await card.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Try again' }).click();
  await card.locator('[data-task=storyboard][data-state=queued]').waitFor();
  await card.getByRole('button', { name: 'Try again' }).waitFor({ state: 'detached' });
  const posterChoices = page.locator('section[aria-labelledby=posters]').getByRole('radio');
  t.equal(await posterChoices.count(), 0);
  isMade = true;
  for (const task of work.tasks) Object.assign(task, { state: 'done', done: 1 });
  work.tellTasks(id);
  await card.getByText('All of it is done.').waitFor();
  await posterChoices.waitFor();
  const editor = page.locator('section[aria-labelledby=chapters-edit]');
  await until(() => editor.getByRole('textbox').inputValue(), (text) => text === '0:00 Of the file');
  t.equal(await editor.getByRole('button', { name: 'Save' }).getAttribute('aria-disabled'), 'true', 'nobody takes them away by a press');

  Object.assign(others, { state: 'running', done: 0.4 });
  await korean();
  await page.goto(`${server.origin}/watch/${id}`);
  await page.getByRole('heading', { name: '이 영상의 작업' }).waitFor();
  await card.getByText('먼저 볼 작은 화면', { exact: true }).waitFor();
  await card.getByRole('progressbar', { name: '나머지 화질', exact: true }).waitFor();
  t.ok(await fits(), 'nothing lies beside the page of a phone');
  await shot(page, 'tasks-ko-phone-light');
  await inEnglish();
  t.same(unexpected(complaints, /status of (404|500)/), []);
});

t.test('of the work of a real server an owner sees how far it is, and an administrator cancels and retries a part of it', async (t) => {
  const owner = await openPage(browser, english);
  t.teardown(() => owner.context.close());
  const made = await uploadFile(server, token, tedious, { title: 'By the river', ladder: 'standard' });
  type Listed = { readonly items: readonly { readonly id: string; readonly state: string; readonly waits: number }[] };
  const chunks = async (): Promise<Listed['items']> => (await server.must<Listed>('GET', `jobs?video=${made.id}&class=encode&limit=200`, undefined, token)).items;
  await until(chunks, (jobs) => jobs.some(({ state }) => state === 'leased'), 60_000);

  await signIn(owner.page, server.origin, adminPassword);
  await owner.page.goto(`${server.origin}/watch/${made.id}`);
  const card = owner.page.locator('section[aria-labelledby=tasks]');
  const total = async (): Promise<number> => Number(await card.getByRole('progressbar', { name: 'Progress in total' }).getAttribute('aria-valuenow'));
  const before = await total();
  await until(total, (now) => now > before, 60_000);
  await shot(owner.page, 'tasks-real-en');

  const { page } = owner;
  await page.goto(`${server.origin}/admin/work`);
  await page.locator('section[aria-labelledby=running] tr', { hasText: 'By the river' }).first().waitFor();
  await page.locator('tr[data-class=encode] td[data-state=queued]').waitFor();
  const one = (await chunks()).find(({ state }) => state === 'queued')?.id;
  const stateNow = async (): Promise<string | undefined> => (await chunks()).find(({ id: which }) => which === one)?.state;
  const job = page.locator(`.job[data-job="${one}"]`);
  const dialog = page.getByRole('dialog');
  await job.getByRole('button', { name: 'Cancel Smallest size of By the river' }).click();
  await dialog.getByRole('button', { name: 'Cancel job' }).click();
  await job.getByText('Cancelled', { exact: true }).waitFor();
  t.equal(await stateNow(), 'cancelled');
  const behind = page.locator('.job', { hasText: 'Smallest size: put together' });
  await behind.getByText('Something that it needs could not be done.').waitFor();
  await shot(page, 'work-real-en');
  await job.getByRole('button', { name: 'Try Smallest size of By the river again' }).click();
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await behind.getByText('Waits for others', { exact: true }).waitFor();
  t.not(await stateNow(), 'cancelled');
  await server.must('DELETE', `videos/${made.id}`, undefined, token);
  t.same(unexpected(owner.complaints, /status of 404/), []);
});

t.test('an administrator says when smaller sizes of an account are made', async (t) => {
  await page.goto(`${server.origin}/admin`);
  await page.getByRole('button', { name: 'Change how much admin may keep' }).click();
  const field = page.getByRole('dialog').getByLabel('Smaller sizes of its videos');
  t.equal(await field.inputValue(), 'usual');
  await field.selectOption('on-demand');
  await shot(page, 'rungs-en');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  const { items } = await server.must<{ items: readonly { username: string; rungs: string | null; quota: number | null }[] }>('GET', 'accounts', undefined, token);
  t.match(items.find(({ username }) => username === 'admin'), { rungs: 'on-demand', quota: null });
});
