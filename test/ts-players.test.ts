/** The views for old televisions and for downloads, in a real Chromium: hls.js plays MPEG-TS, and a plain <video> the progressive file. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { parseTsName } from '../packager/hls/ts-names.ts';
import { readTsSegment, tsSegmentPlan } from '../packager/hls/ts-segment.ts';
import { tsMediaPlaylist, tsMultivariant } from '../packager/hls/ts.ts';
import { clipOf, record, type Recorded } from '../packager/mpegts/recorded.ts';
import { progressivePlan } from '../packager/progressive/plan.ts';
import { openProgressive, readProgressive } from '../packager/progressive/read.ts';
import type { PresentationSnapshot } from '../packager/snapshot.ts';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { encoded } from './support/encoded.ts';
import { disorder, firstPicture, report, servePlayerPages, type WatchReport } from './support/player-page.ts';
import { watchFor } from './support/watching.ts';

const source = await clip({ bframes: 2 });
const flv = await clipOf(await encoded('flv', ['-i', source.file, '-c', 'copy']));
const browser = await launchChromium();
t.teardown(() => browser.close());
const pages = await servePlayerPages();
t.teardown(() => pages.close());

const plainPage = '<!doctype html><link rel="icon" href="data:,"><video id="video" src="show.mp4" muted autoplay></video>';

/** The least server that there can be; `now` is what of the recording it knows of at the moment. */
const serve = async (recorded: Recorded, now: () => PresentationSnapshot): Promise<{ origin: string; ranges: string[] }> => {
  const ranges: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    const name = parseTsName(path.split('/').at(-1) ?? '');
    const headers = { 'Access-Control-Allow-Origin': '*' };
    if (path.endsWith('master.m3u8')) return void response.writeHead(200, headers).end(tsMultivariant(now()));
    if (/(index|whole)\.m3u8$/.test(path)) return void response.writeHead(200, headers).end(tsMediaPlaylist(now(), 'v0'));
    if (name) {
      const plan = tsSegmentPlan(now(), 'v0', name.msn);
      if (plan.kind !== 'media') return void response.writeHead(404, headers).end();
      const body = await readTsSegment(plan, recorded.log);
      return void response.writeHead(200, { ...headers, 'Content-Type': 'video/mp2t', 'Content-Length': body.length }).end(body);
    }
    if (path === '/') return void response.writeHead(200, { 'Content-Type': 'text/html' }).end(plainPage);
    if (!path.endsWith('.mp4')) return void response.writeHead(404, headers).end();
    const file = await openProgressive(progressivePlan(now(), 'v0', 'a0'), recorded.log);
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const begin = Number(from ?? 0);
    const end = to ? Number(to) + 1 : file.length;
    if (request.headers.range) ranges.push(request.headers.range);
    response.writeHead(from === undefined ? 200 : 206, {
      ...{ ...headers, 'Content-Type': 'video/mp4', 'Accept-Ranges': 'bytes', 'Content-Length': end - begin, ETag: file.etag },
      ...(from === undefined ? {} : { 'Content-Range': `bytes ${begin}-${end - 1}/${file.length}` }),
    });
    for await (const part of readProgressive(file, recorded.log, begin, end)) {
      if (response.destroyed) return;
      response.write(part);
    }
    response.end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ranges };
};

/**
 * hls.js lays the lowest decode time of a transport stream at 0 and not the first picture, so with B-frames all of
 * it is shown later by the reorder delay, and it steps over the little hole at the beginning. It does the same with
 * the segments of ffmpeg.
 */
const reorderFrames = 2;
const faults = (seen: WatchReport): WatchReport['errors'] => seen.errors.filter(({ details, at }) => details !== 'bufferSeekOverHole' || at > 3000);

const twice = await record([{ clip: flv }, { clip: flv }]);

t.test('hls.js plays a show of two epochs in MPEG-TS to its end, in order, and seeks', async (t) => {
  const { origin } = await serve(twice, () => twice.snapshot);
  const { page, complaints } = await openPage(browser);
  await page.goto(pages.url(`${origin}/ts/master.m3u8`));
  await firstPicture(page);
  await watchFor(page, 2);
  await page.evaluate('watch.video.currentTime = 6.5');
  await watchFor(page, 3);
  const seen = await report(page);
  t.same(faults(seen), []);
  t.ok(seen.width === 640 && seen.height === 360);
  // Over the border between the epochs the clip begins anew.
  const after = seen.pictures.filter(({ mediaTime }) => mediaTime > 6.4);
  t.same(disorder(after, source.frames), []);
  t.ok(after.some(({ stamp }) => stamp !== null && stamp > 220) && after.some(({ stamp }) => stamp !== null && stamp < 30));
  const offset = (await page.evaluate<number[]>('[watch.video.buffered.start(0), watch.video.duration]')) ?? [];
  t.ok(Math.abs((offset[0] ?? 9)) < 0.1, `buffered from ${offset[0]}`);
  t.ok(Math.abs((offset[1] ?? 0) - 16) < 0.3, `${offset[1]} s long`);
  // The picture that is shown at a time is the one that belongs there.
  for (const { stamp, mediaTime } of seen.pictures.filter((one) => one.mediaTime < 7.9)) {
    if (stamp === null || Math.abs(stamp + reorderFrames - mediaTime * 30) > 1) t.fail(`picture ${stamp} at ${mediaTime}`);
  }
  await page.evaluate('watch.video.currentTime = 15');
  await page.waitForFunction('watch.video.ended', undefined, { timeout: 15_000 });
  t.same(faults(await report(page)), []);
  t.same(complaints, []);
});

t.test('hls.js follows a show in MPEG-TS while it is live', async (t) => {
  const began = Date.now();
  // A segment of two seconds every two seconds, until all eight are there.
  const now = (): PresentationSnapshot => {
    const count = Math.min(8, 4 + Math.floor((Date.now() - began) / 2000));
    const tracks = twice.snapshot.tracks.map((track) => ({ ...track, endSegment: count }));
    return { ...twice.snapshot, tracks, state: count === 8 ? 'ended' : 'live' };
  };
  const { origin } = await serve(twice, now);
  const { page, complaints } = await openPage(browser);
  await page.goto(pages.url(`${origin}/ts/master.m3u8`));
  await firstPicture(page);
  await watchFor(page, 7);
  const seen = await report(page);
  t.same(faults(seen), []);
  t.same(disorder(seen.pictures, source.frames), []);
  t.same(complaints, []);
});

t.test('Chromium plays the progressive file by ranges, and seeks in it', async (t) => {
  const { origin, ranges } = await serve(twice, () => twice.snapshot);
  const { page, complaints } = await openPage(browser);
  await page.goto(`${origin}/`);
  await page.waitForFunction('video.currentTime > 1.5', undefined, { timeout: 15_000 });
  t.equal(await page.evaluate('video.duration.toFixed(1)'), '16.0');
  await page.evaluate('video.currentTime = 13');
  await page.waitForFunction('video.currentTime > 14', undefined, { timeout: 15_000 });
  t.equal(await page.evaluate('video.error'), null);
  t.ok(ranges.length > 0, ranges.join(' '));
  t.equal(await page.evaluate('video.videoWidth'), 640);
  t.same(complaints, []);
});
