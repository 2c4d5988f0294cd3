/**
 * A film whose index lies at its end, sent by the page over 20 Mbit/s and watched in hls.js before half of it is there, to its
 * end, while the line stands still for a moment. Both orders, ten seconds, and Shaka: prove/upload-plays.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { launchChromium } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { scratch } from './support/encoded.ts';
import { mustFfmpeg } from './support/ffmpeg.ts';
import { disorder, report, servePlayerPages } from './support/player-page.ts';
import { startServer } from './support/server.ts';
import { uploadAndWatch } from './support/upload-viewing.ts';

mkdirSync(scratch, { recursive: true });
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
const round = await clip({ kbps: 8000, busy: true });
const film = path.join(scratch, 'early.mp4');
const rounds = 2;
const seconds = rounds * round.seconds;
await mustFfmpeg(['-stream_loop', String(rounds - 1), '-i', round.file, '-c', 'copy', film]);

const server = await startServer();
t.teardown(() => server.stop());
const pages = await servePlayerPages();
t.teardown(() => pages.close());
const browser = await launchChromium();
t.teardown(() => browser.close());

t.test('it begins before half of it is there, goes on when the line does, and is whole at its end', async (t) => {
  const plan = { browser, pages, server, file: film, players: ['hls'], bytesPerSecond: 2_500_000, stallAt: 0.45, stallMs: 2_000, patienceMs: 25_000 } as const;
  const { video, watched, sent } = await uploadAndWatch(plan);
  for (const { player, page, firstAt, playedAt } of watched) {
    t.comment(`${player}: the first picture when ${(firstAt * 100).toFixed(1)} % had gone over the line, moving when ${(playedAt * 100).toFixed(1)} %; ${sent.toFixed(3)} times the file`);
    t.ok(playedAt < 0.5, `${player} plays before half of it is there`);
    await page.waitForFunction('document.querySelector("video").ended', undefined, { timeout: seconds * 1_000 + 25_000, polling: 250 });
    const { errors, pictures, currentTime } = await report(page);
    t.ok((pictures[0]?.mediaTime ?? Infinity) < 2, `${player} begins at the beginning: ${pictures[0]?.mediaTime} s`);
    t.same(errors.filter(({ fatal }) => fatal), [], `${player}: nothing that it cannot get over`);
    t.same(disorder(pictures, round.frames), [], `${player}: picture after picture`);
    t.ok(Math.abs(currentTime - seconds) < 0.3, `${player} ends at ${currentTime} s`);
  }
  t.ok((await readFile(path.join(server.data, 'videos', video, 'original'))).equals(await readFile(film)), 'byte for byte');
});
