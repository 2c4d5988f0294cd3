/**
 * Protected videos on our own pages in a real Chromium: cbcs recorded and live, from key to key and from rung to rung; what is said
 * where a key is missing, wrong or taken back; and what remains on plain HTTP, where browsers have neither EME nor WebCrypto.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Page } from 'playwright-core';
import { insecureHost, launchChromium, openPage, type WatchedPage } from './support/chromium.ts';
import { until } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';
import { badge, plays, videoFacts } from './support/web-app.ts';

t.setTimeout(110_000);
// Most of them wait for pictures to be shown; more of them than cores would wait for each other.
t.jobs = 2;
/** For what takes a second where nothing else runs. ms. */
const patience = 60_000;
const picture = { bframes: 2, width: 320, height: 180, kbps: 300 };
const [clip, otherEncoder] = await Promise.all([flvClip(picture), flvClip({ ...picture, bframes: 0 })]);
const clipMs = 8000;
const stepMs = 200;
/** Whoever plays on for so long has met another key. Seconds. */
const twoSegments = 5;
const server = await startServer({ env: { MILLRACE_PROTECTION_SEGMENTS_PER_KEY: '2' } });
t.teardown(() => server.stop());
const token = await server.login();
const browser = await launchChromium();
t.teardown(() => browser.close());
const english = { locale: 'en-US', viewport: { width: 1280, height: 900 } };
const korean = { locale: 'ko-KR', viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;
const shots = process.env['MILLRACE_TEST_SHOTS'];
const shot = async (page: Page, name: string): Promise<void> => void (shots && (await page.screenshot({ path: `${shots}/${name}.png` })));

type Scheme = 'aes-128' | 'cbcs';
const videoOn = async (channel: Channel): Promise<string> => {
  type Seen = { readonly live: { readonly videoId: string } | null };
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`, undefined, token), (seen) => seen.live !== null);
  return live?.videoId ?? '';
};
/** Two sessions of 6 s each, by two encoders, with another key after every other segment. */
const recorded = async (name: string, protection: Scheme, visibility = 'public'): Promise<string> => {
  const channel = await server.createChannel(token, { name, protection, visibility });
  const first = await ShowSender.connect(server, channel, clip);
  await first.send({ until: 6000 });
  const video = await videoOn(channel);
  first.vanish();
  const second = await ShowSender.connect(server, channel, otherEncoder);
  await second.send({ until: 6000, shift: 1_000_000 });
  await second.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`, undefined, token), ({ state }) => state === 'ready');
  return video;
};
const [wholeFiles, inside] = await Promise.all([recorded('whole-files', 'aes-128'), recorded('inside', 'cbcs')]);
const recordings = { 'aes-128': wholeFiles, cbcs: inside };
const watch = (video: string, origin = server.origin): string => `${origin}/watch/${video}`;

/** A page that goes with its test; what it had asked of us by then is not missed. */
const open = async (t: Test, context: object): Promise<WatchedPage> => {
  const opened = await openPage(browser, context);
  t.teardown(async () => {
    await opened.page.unrouteAll({ behavior: 'ignoreErrors' });
    await opened.context.close();
  });
  return opened;
};

type Counts = { made: number; closed: number };
/** How many sessions of keys a page has made and closed. */
const countSessions = async (page: Page): Promise<void> => {
  await page.addInitScript(() => {
    type Prototype = { createSession(): object; close(): Promise<void> };
    const { MediaKeys, MediaKeySession } = globalThis as unknown as Record<'MediaKeys' | 'MediaKeySession', { readonly prototype: Prototype }>;
    const counts: Counts = { made: 0, closed: 0 };
    Object.assign(globalThis, { counts });
    const { createSession } = MediaKeys.prototype;
    const { close } = MediaKeySession.prototype;
    MediaKeys.prototype.createSession = function () {
      counts.made += 1;
      return createSession.call(this);
    };
    MediaKeySession.prototype.close = function () {
      counts.closed += 1;
      return close.call(this);
    };
  });
};
/** The ids of the keys that a page asks licences for, as it goes on. */
const keysAsked = (page: Page): readonly string[] => {
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/keys/licence')) asked.push(...(request.postDataJSON() as { kids: string[] }).kids);
  });
  return asked;
};
const sessions = (page: Page): Promise<Counts> => page.evaluate(() => (globalThis as unknown as { counts: Counts }).counts);

/** One session for each key, and none that was made twice. */
const eachOnce = async (t: Test, page: Page, asked: readonly string[]): Promise<void> => {
  const { closed } = await until(() => sessions(page), ({ made }) => made === asked.length);
  t.equal(closed, 0);
  t.ok(asked.length > 1, `${asked.length} keys`);
  t.equal(new Set(asked).size, asked.length, 'each is asked for once');
};

/** Goes to a place and sees pictures from there on: of what is decrypted in the browser only their number is known. */
const playsFrom = async (page: Page, place: number): Promise<void> => {
  type Element = { currentTime: number; play(): Promise<void>; getVideoPlaybackQuality(): { totalVideoFrames: number } };
  const video = page.locator('video').first();
  const pictures = () => video.evaluate((element: Element) => element.getVideoPlaybackQuality().totalVideoFrames);
  const before = await pictures();
  // A slow machine may have come to the end, where it would stay.
  await video.evaluate((element: Element, at) => {
    element.currentTime = at;
    void element.play();
  }, place);
  await until(pictures, (count) => count > before + 20, patience);
};

const says = (page: Page, words: string): Promise<void> => page.locator('.stage').getByText(words).waitFor({ timeout: patience });
const words = {
  keys: ['the key that opens it is missing or does not fit', '열 수 있는 키가 없거나 맞지 않습니다'],
  insecure: ['browsers open only over https', '브라우저가 https에서만 열 수 있도록'],
  noClearKey: ['The protection of this video cannot be opened here', '여기에서는 이 영상의 보호를 풀 수 없습니다'],
} as const;

t.test('a show in cbcs plays in parts on its page, over a change of the key, and its recording after it', { buffered: true }, async (t) => {
  const channel = await server.createChannel(token, { name: 'on-air', title: 'On air', protection: 'cbcs', latency: 'low' });
  const { page, complaints } = await open(t, english);
  await countSessions(page);
  const asked = keysAsked(page);
  const parts: string[] = [];
  page.on('request', (request) => void (/-\d+-\d+\.m4s/.test(request.url()) && parts.push(request.url())));
  /** In ms, a second ahead of the clock. */
  let sent = 0;
  const began = performance.now();
  const feed = async (sender: ShowSender, isEnough: () => boolean): Promise<void> => {
    const from = sent;
    while (!isEnough()) {
      const place = (sent - from) % clipMs;
      await sender.send({ from: place, until: place + stepMs, shift: sent - place });
      sent += stepMs;
      await setTimeout(Math.max(0, began + sent - 1000 - performance.now()));
    }
  };
  /** Sends until what is waited for has come, or will not come any more. */
  const sendUntil = async (sender: ShowSender, waited: Promise<unknown>): Promise<void> => {
    let over = false;
    const sending = feed(sender, () => over);
    await waited.finally(() => (over = true));
    await sending;
  };
  const first = await ShowSender.connect(server, channel, clip);
  await sendUntil(first, server.live(channel).then(() => page.goto(`${server.origin}/@on-air`)).then(() => plays(page, 1, patience)));
  const border = sent / 1000;
  first.vanish();
  const second = await ShowSender.connect(server, channel, otherEncoder);
  await sendUntil(second, until(() => videoFacts(page), ({ currentTime }) => currentTime > border + twoSegments, patience));
  t.ok(parts.length > 5, 'in parts');
  await eachOnce(t, page, asked);
  await second.end();
  await badge(page, 'ended').waitFor();
  await page.locator('.stage').getByRole('button', { name: 'Watch from the beginning' }).click();
  await plays(page, 1, patience);
  await until(() => sessions(page), ({ made, closed }) => closed > 0 && made > closed);
  t.same(complaints, []);
});

t.test('a recording in cbcs plays, from key to key and back, with one session for each key, to its end, and who leaves takes nothing along', { buffered: true }, async (t) => {
  const { page, complaints } = await open(t, english);
  await countSessions(page);
  const asked = keysAsked(page);
  await page.goto(watch(recordings.cbcs));
  await plays(page, 1, patience);
  for (const place of [7, 1, 8, 3]) await playsFrom(page, place);
  await eachOnce(t, page, asked);
  await page.locator('video').evaluate((element: { currentTime: number }) => void (element.currentTime = 11));
  await until(() => videoFacts(page), ({ state }) => state === 'ended', patience);
  await page.locator('header').getByRole('link', { name: 'Millrace' }).click();
  await page.locator('video').waitFor({ state: 'detached' });
  await until(() => sessions(page), ({ made, closed }) => closed > 0 && made === closed);
  t.same(complaints, []);
});

t.test('another rung is under the same keys', { buffered: true }, async (t) => {
  const { page, complaints } = await open(t, { ...english, viewport: { width: 360, height: 640 } });
  await countSessions(page);
  const keyIds = keysAsked(page);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  // One track in two places, as if it were two rungs.
  await page.route('**/master.m3u8', async (route) => {
    const response = await route.fetch();
    const low = (await response.text()).replace(/RESOLUTION=\d+x\d+/, 'RESOLUTION=480x270');
    const variant = /^(#EXT-X-STREAM-INF.*RESOLUTION=)480x270(.*\n.*\.m3u8)$/m;
    await route.fulfill({ response, body: low.replace(variant, '$&?low\n$11280x720$2?high').replaceAll(/BANDWIDTH=\d+/g, 'BANDWIDTH=300000') });
  });
  await page.goto(watch(recordings.cbcs));
  await plays(page, 1, patience);
  const lists = (rung: string): number => asked.filter((url) => url.endsWith(`.m3u8?${rung}`)).length;
  t.same([lists('low') > 0, lists('high')], [true, 0], 'a small window: the lower one');
  await page.setViewportSize({ width: 1400, height: 900 });
  await until(async () => lists('high'), (count) => count > 0);
  await playsFrom(page, 7);
  await playsFrom(page, 1);
  await plays(page, 1, patience);
  await eachOnce(t, page, keyIds);
  t.same(complaints, []);
});

const keys = /\/keys\/[0-9a-z]+$/;
const otherKey = Buffer.alloc(16, 7);
/** Every key is another one. */
const wrong = async (page: Page): Promise<void> => {
  await page.route(keys, async (route) => {
    if (route.request().method() !== 'POST') return route.fulfill({ body: otherKey });
    const { kids } = route.request().postDataJSON() as { kids: string[] };
    const k = otherKey.toString('base64url');
    return route.fulfill({ json: { keys: kids.map((kid) => ({ kty: 'oct', kid, k })), type: 'temporary' } });
  });
};
const missing = async (page: Page): Promise<void> => {
  await page.route(keys, (route) => route.fulfill({ status: 404, contentType: 'application/problem+json', body: '{"code":"not-found"}' }));
};
const broken = async (page: Page): Promise<void> => {
  await page.route(keys, (route) => route.fulfill({ body: 'no key at all' }));
};

t.test('where the key is missing or wrong the page says so', { buffered: true }, async (t) => {
  const cases = [
    ['cbcs', 'wrong', wrong],
    ['cbcs', 'missing', missing],
    ['cbcs', 'broken', broken],
    ['aes-128', 'wrong', wrong],
    ['aes-128', 'missing', missing],
  ] as const;
  for (const [index, [scheme, what, spoil]] of cases.entries()) {
    const { page } = await open(t, index % 2 === 0 ? english : korean);
    await spoil(page);
    await page.goto(watch(recordings[scheme]));
    await says(page, words.keys[index % 2] ?? '');
    t.pass(`${scheme}, ${what}`);
    await shot(page, `keys-${scheme}-${what}`);
    if (what === 'missing') {
      await page.unroute(keys);
      await page.getByRole('button', { name: /Try again|다시 시도/ }).click();
      await plays(page, 1, patience);
    }
    // What still plays would take the processor from those that follow.
    await page.goto('about:blank');
  }
});

t.test('who had a licence server that failed for a moment goes on by himself', { buffered: true }, async (t) => {
  const { page } = await open(t, english);
  let refused = 0;
  await page.route(keys, (route) => (refused++ < 5 ? route.fulfill({ status: 503, body: '' }) : route.continue()));
  await page.goto(watch(recordings.cbcs));
  await plays(page, 1, patience);
  t.ok(refused > 5);
});

t.test('a link that is taken back before the key is asked for says what it says everywhere', { buffered: true }, async (t) => {
  const video = await recorded('family', 'cbcs', 'private');
  const link = await server.must<{ id: string; page: string }>('POST', `videos/${video}/grants`, {}, token);
  const { page } = await open(t, english);
  const statuses: number[] = [];
  await page.route(/\/keys\/licence$/, async (route) => {
    await server.api('DELETE', `videos/${video}/grants/${link.id}`, undefined, token);
    await until(() => fetch(route.request().url().replace('keys/licence', 'master.m3u8')), ({ status }) => status === 403);
    await route.continue();
  });
  page.on('response', (response) => void (response.url().endsWith('/keys/licence') && statuses.push(response.status())));
  await page.goto(link.page);
  await says(page, 'This link has been taken back.');
  t.ok(statuses.length > 0 && statuses.every((status) => status === 403), `the licence was refused: ${statuses}`);
});

t.test('on plain HTTP AES-128 plays all the same, and cbcs says that it needs HTTPS', { buffered: true }, async (t) => {
  const origin = `http://${insecureHost}:${server.ports.http}`;
  for (const [index, context] of [english, korean].entries()) {
    const { page, complaints } = await open(t, context);
    await page.goto(watch(recordings.cbcs, origin));
    t.equal(await page.evaluate(() => (globalThis as unknown as { isSecureContext: boolean }).isSecureContext), false);
    await says(page, words.insecure[index] ?? '');
    await shot(page, `insecure-${index}`);
    t.same(complaints, []);
  }
  const { page, complaints } = await open(t, english);
  await page.goto(watch(recordings['aes-128'], origin));
  await plays(page, 1, patience);
  for (const place of [7, 5]) await playsFrom(page, place);
  t.same(complaints, []);
});

t.test('embedded in another site it plays where that lets it, and says so where it does not', { buffered: true }, async (t) => {
  const site = createServer(({ url }, response) => {
    const allow = url === '/lets' ? 'autoplay; encrypted-media' : 'autoplay';
    response.setHeader('content-type', 'text/html').end(`<iframe width=640 height=360 allow="${allow}" src="${server.origin}/embed/${recordings.cbcs}"></iframe>`);
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void site.close());
  const { page } = await open(t, english);
  const frame = page.frameLocator('iframe');
  // Another site than 127.0.0.1, and as trusted.
  const at = `http://localhost:${(site.address() as AddressInfo).port}`;
  await page.goto(`${at}/lets`);
  await frame.locator('video[data-state=playing]').waitFor();
  await page.goto(`${at}/does-not`);
  await frame.getByText(words.noClearKey[0]).waitFor();
  await shot(page, 'embedded');
});

t.test('a browser without ClearKey is told so; where its own HLS opens the keys, that plays', { buffered: true }, async (t) => {
  const { page } = await open(t, korean);
  await page.addInitScript(() => Object.assign((globalThis as unknown as { navigator: object }).navigator, { requestMediaKeySystemAccess: () => Promise.reject(new Error('none')) }));
  await page.goto(watch(recordings.cbcs));
  await says(page, words.noClearKey[1]);
  await shot(page, 'no-clearkey');

  const webkit = await open(t, english);
  await webkit.page.addInitScript(() => {
    const { HTMLMediaElement } = globalThis as unknown as { HTMLMediaElement: { prototype: object } };
    Object.assign(HTMLMediaElement.prototype, { getStartDate: () => new Date(NaN) });
  });
  await webkit.page.goto(watch(recordings.cbcs));
  const source = await until(() => webkit.page.locator('video').first().evaluate(({ currentSrc }: { currentSrc: string }) => currentSrc), (src) => src !== '' && !src.startsWith('blob:'));
  t.match(source, /\/play\/-\/[^/]+\/master\.m3u8$/);
});
