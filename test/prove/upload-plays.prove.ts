/**
 * A film on its way over 20 Mbit/s, watched in hls.js and Shaka from before half of it is there to its end, while the line
 * carries nothing for ten seconds in the middle: with its index first, and with its index last.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { launchChromium } from '../support/chromium.ts';
import { clip } from '../support/clips.ts';
import { scratch } from '../support/encoded.ts';
import { mustFfmpeg } from '../support/ffmpeg.ts';
import { disorder, report, servePlayerPages } from '../support/player-page.ts';
import { startServer } from '../support/server.ts';
import { uploadAndWatch } from '../support/upload-viewing.ts';

mkdirSync(scratch, { recursive: true });
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
const round = await clip({ kbps: 8000, busy: true });
const rounds = 5;
const seconds = rounds * round.seconds;
const server = await startServer();
t.teardown(() => server.stop());
const pages = await servePlayerPages();
t.teardown(() => pages.close());
const browser = await launchChromium();
t.teardown(() => browser.close());

for (const [title, flags] of [['foremost', ['-movflags', '+faststart']], ['hindmost', []]] as const) {
  t.test(`the index ${title}: it plays before half of it is there, and to its end`, async (t) => {
    const film = path.join(scratch, `${title}.mp4`);
    await mustFfmpeg(['-stream_loop', String(rounds - 1), '-i', round.file, '-c', 'copy', ...flags, film]);
    const { size } = await stat(film);
    const stallAt = 0.4;
    const plan = { browser, pages, server, file: film, players: ['hls', 'shaka'], bytesPerSecond: 2_500_000, stallAt, stallMs: 10_000, patienceMs: 75_000 } as const;
    const { video, watched, atStall, sent, uploadMs } = await uploadAndWatch(plan);
    t.comment(`uploaded in ${(uploadMs / 1000).toFixed(1)} s, ${sent.toFixed(3)} times the file; landed when the line stood still: ${JSON.stringify(atStall)} of ${size}`);
    const [[from, to] = [-1, -1]] = atStall;
    t.ok(from === 0 && to > (stallAt / 2) * size, `what comes first is what is seen first: the first ${to} of ${size} bytes are there`);
    for (const { player, page, firstAt, playedAt } of watched) {
      t.comment(`${player}: the first picture when ${(firstAt * 100).toFixed(1)} % had gone over the line, moving when ${(playedAt * 100).toFixed(1)} %`);
      t.ok(playedAt < 0.5, `${player} plays before half of it is there`);
      await page.waitForFunction('document.querySelector("video").ended', undefined, { timeout: seconds * 4_000, polling: 250 });
      const { errors, stalls, pictures, currentTime } = await report(page);
      t.comment(`${player} stood still ${stalls.length} times: ${stalls.map(({ ms }) => (ms / 1000).toFixed(1)).join()} s`);
      t.ok((pictures[0]?.mediaTime ?? Infinity) < 2, `${player} begins at the beginning: ${pictures[0]?.mediaTime} s`);
      t.same(errors.filter(({ fatal }) => fatal), [], `${player}: nothing that it cannot get over`);
      t.same(disorder(pictures, round.frames), [], `${player}: picture after picture`);
      t.ok(Math.abs(currentTime - seconds) < 0.3, `${player} ends at ${currentTime} s`);
      await page.close();
    }
    t.ok((await readFile(path.join(server.data, 'videos', video, 'original'))).equals(await readFile(film)), 'byte for byte');
  });
}
