/**
 * A film of a minute on its way over 20 Mbit/s, watched in hls.js and Shaka from early on to its end, while the
 * line carries nothing for ten seconds in the middle: with its index first, and with its index last.
 */
import { mkdirSync, rmSync } from 'node:fs';
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
const rounds = 8;
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
    const plan = { browser, pages, server, file: film, title, players: ['hls', 'shaka'], bytesPerSecond: 2_500_000, stallAt: 0.35, stallMs: 10_000 } as const;
    const { watched, uploadMs } = await uploadAndWatch(plan);
    t.comment(`uploaded in ${(uploadMs / 1000).toFixed(1)} s`);
    for (const { player, page, firstPictureAt, firstPictureMs, early } of watched) {
      t.comment(`${player}: first picture ${(firstPictureMs / 1000).toFixed(1)} s after the choice, when ${(firstPictureAt * 100).toFixed(1)} % had arrived`);
      t.ok(firstPictureAt < 0.5, `${player} plays before half of it is there`);
      // Not where a live show would begin; the first pictures may be gone before a busy page looks.
      t.ok((early.pictures[0]?.mediaTime ?? Infinity) < 2, `${player} begins at the beginning: ${early.pictures[0]?.mediaTime} s`);
      await page.waitForFunction('document.querySelector("video").ended', undefined, { timeout: seconds * 2_000, polling: 250 });
      const { errors, stalls, pictures, currentTime } = await report(page);
      t.same(errors.filter(({ fatal }) => fatal), [], `${player}: nothing that it cannot get over`);
      t.same(disorder(pictures, round.frames), [], `${player}: picture after picture`);
      t.ok(Math.abs(currentTime - seconds) < 0.3, `${player} ends at ${currentTime} s`);
      t.ok(stalls.length <= 1, `${player} stood still ${stalls.length} times: what had come lasted through the ten seconds`);
      await page.close();
    }
  });
}
