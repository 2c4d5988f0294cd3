/**
 * From the last byte of an upload to the first picture in hls.js in Chromium, and the same the usual way: a ladder made
 * by ffmpeg first, and what it wrote then played.
 *
 *     node bench/instant-play.ts [rounds, 5] [megabytes, 1000] [alone]     (alone: without the usual way, which takes minutes)
 *
 * Three films: 1 GB with its index in front, the same with it behind, and ten minutes as a phone records them (pictures
 * at a rate that varies, turned by 90 degrees, MOV). All but the last part is sent ahead; the clock starts when the last
 * part has been answered, and includes asking where it plays, and opening a page with hls.js there.
 */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { launchChromium, openPage } from '../test/support/chromium.ts';
import { clip } from '../test/support/clips.ts';
import { mustFfmpeg } from '../test/support/ffmpeg.ts';
import { percentile, table } from '../test/support/figures.ts';
import { report, servePlayerPages, type PlayerPages } from '../test/support/player-page.ts';
import { startServer, type MillraceServer } from '../test/support/server.ts';
import { createUpload, finish, partsOf, sendParts } from '../test/support/upload.ts';

const rounds = Number(process.argv[2] ?? 5);
const megabytes = Number(process.argv[3] ?? 1000);
const ms = (value: number): string => `${value.toFixed(0)} ms`;

type Film = { readonly name: string; readonly file: string };

const films = async (folder: string): Promise<Film[]> => {
  const source = await clip({ width: 1280, height: 720, bframes: 2, kbps: 8000, busy: true });
  const { size } = await stat(source.file);
  const loops = Math.max(1, Math.round((megabytes * 1e6) / size));
  const front = path.join(folder, 'front.mp4');
  const behind = path.join(folder, 'behind.mp4');
  const phone = path.join(folder, 'phone.mov');
  const again = ['-stream_loop', String(loops - 1), '-i', source.file, '-c', 'copy'];
  await mustFfmpeg([...again, '-movflags', '+faststart', front], { timeoutMs: 600_000 });
  await mustFfmpeg([...again, behind], { timeoutMs: 600_000 });
  const varying = path.join(folder, 'varying.mp4');
  const calm = await clip({ width: 1280, height: 720, bframes: 0, kbps: 2500 });
  const drop = ['-vf', "select='mod(n\\,5)*lt(mod(n\\,31)\\,27)'", '-fps_mode', 'vfr', '-c:v', 'libx264', '-preset', 'veryfast', '-g', '30', '-bf', '0', '-c:a', 'copy'];
  await mustFfmpeg(['-i', calm.file, ...drop, varying]);
  await mustFfmpeg(['-stream_loop', '74', '-i', varying, '-c', 'copy', '-metadata:s:v:0', 'rotate=90', phone]);
  return [
    { name: 'index in front', file: front },
    { name: 'index behind', file: behind },
    { name: 'phone, 10 min', file: phone },
  ];
};

const playing = async (browser: Browser, pages: PlayerPages, address: () => Promise<string>, startedAt: () => number): Promise<number> => {
  const { page } = await openPage(browser);
  try {
    // Whoever waits for a film has a player before him: its process is there, and its script has been read once.
    await page.goto(pages.url('nothing-yet'));
    const src = await address();
    await page.goto(pages.url(src));
    // Any picture: the stamp of one that lies on its side cannot be read.
    await page.waitForFunction('watch.report().firstShownAt !== null', undefined, { timeout: 20_000, polling: 20 });
    // The moment at which the first picture was shown, by the same clock.
    const { firstShownAt } = await report(page);
    return (firstShownAt ?? Number.NaN) - startedAt();
  } finally {
    await page.close();
  }
};

const wall = (): number => performance.timeOrigin + performance.now();

const oneUpload = async (server: MillraceServer, token: string, browser: Browser, pages: PlayerPages, file: string): Promise<number> => {
  const created = await createUpload(server, token, file);
  const { size } = await stat(file);
  const numbers = partsOf(size, created.upload.parts.size);
  const last = numbers.pop() ?? 0;
  await sendParts(created, file, numbers);
  let startedAt = 0;
  let finishing: Promise<number> | null = null;
  const took = await playing(
    browser,
    pages,
    async () => {
      await sendParts(created, file, [last]);
      startedAt = wall();
      // Whoever waits to watch does not wait for the disk to have it all.
      finishing = finish(created);
      for (;;) {
        const answer = await server.api('POST', `videos/${created.id}/playback`, {}, token);
        const { hls } = answer.body as { hls?: string };
        if (answer.status === 200 && hls !== undefined && (await fetch(hls)).ok) return hls;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    () => startedAt,
  );
  await finishing;
  await server.must('DELETE', `videos/${created.id}`, undefined, token);
  return took;
};

/** Everything at once, as most servers do it: three rungs, then the playlist is published. */
const theUsualWay = async (browser: Browser, pages: PlayerPages, file: string, folder: string): Promise<number> => {
  const out = path.join(folder, 'usual');
  await mkdir(out, { recursive: true });
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    createReadStream(path.join(out, path.basename(new URL(request.url ?? '/', 'http://x').pathname)))
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const startedAt = wall();
  try {
    const rungs = [720, 480, 240];
    await mustFfmpeg(
      [
        ...['-i', file, '-filter_complex', `[0:v]split=3${rungs.map((_, at) => `[s${at}]`).join('')};${rungs.map((height, at) => `[s${at}]scale=-2:${height}[v${at}]`).join(';')}`],
        ...rungs.flatMap((_, at) => ['-map', `[v${at}]`, '-map', '0:a']),
        ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '24', '-g', '60', '-c:a', 'aac', '-f', 'hls', '-hls_time', '4', '-hls_playlist_type', 'vod'],
        ...['-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'init_%v.mp4', '-var_stream_map', rungs.map((_, at) => `v:${at},a:${at}`).join(' ')],
        ...['-master_pl_name', 'master.m3u8', '-hls_segment_filename', path.join(out, '%v_%d.m4s'), path.join(out, '%v.m3u8')],
      ],
      { timeoutMs: 3_600_000 },
    );
    return await playing(browser, pages, async () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/master.m3u8`, () => startedAt);
  } finally {
    server.close();
    server.closeAllConnections();
  }
};

const folder = await mkdtemp(path.join(tmpdir(), 'millrace-bench-'));
const server = await startServer({ pictures: true });
const pages = await servePlayerPages();
const browser = await launchChromium();
try {
  const token = await server.login();
  const rows = [['last byte to first picture', 'MB', 'median', 'worst']];
  const all = await films(folder);
  let phone = 0;
  for (const { name, file } of all) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) times.push(await oneUpload(server, token, browser, pages, file));
    phone = percentile(times, 0.5);
    rows.push([name, ((await stat(file)).size / 1e6).toFixed(0), ms(percentile(times, 0.5)), ms(Math.max(...times))]);
    console.log(table(rows.slice(-1)));
  }
  const last = all.at(-1);
  if (last && process.argv[4] !== 'alone') {
    const usual = await theUsualWay(browser, pages, last.file, folder);
    rows.push([`${last.name}, the usual way`, '', ms(usual), `${(usual / phone).toFixed(0)} times as long`]);
  }
  console.log(`\n${table(rows)}`);
} finally {
  await browser.close();
  await pages.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
