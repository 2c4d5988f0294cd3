/** A film whose index lies at its end plays long before all of it has arrived, over 20 Mbit/s, while the line stands still. Before half of it: prove/upload-plays. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { launchChromium } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { scratch } from './support/encoded.ts';
import { mustFfmpeg } from './support/ffmpeg.ts';
import { disorder, report, seek, servePlayerPages } from './support/player-page.ts';
import { startServer } from './support/server.ts';
import { uploadAndWatch } from './support/upload-viewing.ts';
import { watchFor } from './support/watching.ts';

mkdirSync(scratch, { recursive: true });
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
const round = await clip({ kbps: 8000, busy: true });
const film = path.join(scratch, 'early.mp4');
const rounds = 2;
await mustFfmpeg(['-stream_loop', String(rounds - 1), '-i', round.file, '-c', 'copy', film]);

const server = await startServer();
t.teardown(() => server.stop());
const pages = await servePlayerPages();
t.teardown(() => pages.close());
const browser = await launchChromium();
t.teardown(() => browser.close());

t.test('sent by the page, watched in hls.js from its beginning, seen on when the line is back, and whole at its end', async (t) => {
  const plan = { browser, pages, server, file: film, title: 'early', players: ['hls'], bytesPerSecond: 2_500_000, stallAt: 0.6, stallMs: 1_500 } as const;
  const { watched } = await uploadAndWatch(plan);
  for (const { player, page, firstPictureAt, firstPictureMs, early } of watched) {
    t.ok(firstPictureAt < 0.9, `${player}: the first picture when ${(firstPictureAt * 100).toFixed(0)} % had arrived`);
    t.comment(`${player}: first picture ${firstPictureMs.toFixed(0)} ms after the choice, at ${(firstPictureAt * 100).toFixed(0)} %`);
    t.ok((early.pictures[0]?.mediaTime ?? Infinity) < 0.5, `${player} begins at the beginning`);
    await watchFor(page, 2);
    await seek(page, rounds * round.seconds - 1.5);
    await page.waitForFunction('document.querySelector("video").ended', undefined, { timeout: 20_000, polling: 100 });
    const { errors, pictures } = await report(page);
    t.same(errors.filter(({ fatal }) => fatal), [], `${player}: nothing that it cannot get over`);
    t.same(disorder(early.pictures, round.frames), [], `${player}: picture after picture`);
    t.equal(pictures.at(-1)?.stamp, round.frames - 1, `${player}: the last picture`);
  }
});
