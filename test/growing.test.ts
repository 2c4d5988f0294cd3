/** An upload that is watched while it arrives, by hls.js and Shaka in Chromium and by ffmpeg: from its beginning, through ten seconds in which nothing comes, to its end. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { scratch } from './support/encoded.ts';
import { mustFfmpeg } from './support/ffmpeg.ts';
import { disorder, firstPicture, report, servePlayerPages, type PlayerName } from './support/player-page.ts';
import { until } from './support/playlists.ts';
import { checkStream, faultsOf } from './support/stream-checker.ts';
import { UploadStage } from './support/upload-stage.ts';

mkdirSync(scratch, { recursive: true });
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

const stallMs = 10_000;
const seconds = 16;
const round = await clip({ bframes: 2, kbps: 1200 });
const film = path.join(scratch, 'film.mp4');
await mustFfmpeg(['-stream_loop', '1', '-i', round.file, '-c', 'copy', '-movflags', '+faststart', film]);

const stage = await UploadStage.open(t);
const pages = await servePlayerPages();
t.teardown(() => pages.close());
const browser = await launchChromium();
t.teardown(() => browser.close());
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

t.test('it begins before half of it is there, waits where nothing comes, and is seen to its end', async (t) => {
  const upload = await stage.upload(film);
  const size = upload.bytes.length;
  const steps = 40;
  const landTo = async (share: number, from: number, everyMs: number): Promise<void> => {
    for (let step = Math.round(from * steps); step < Math.round(share * steps); step += 1) {
      await upload.land(Math.floor((size * step) / steps), Math.ceil((size * (step + 1)) / steps));
      await pause(everyMs);
    }
  };
  await landTo(0.2, 0, 20);
  // What has landed is looked at in turns: whoever asks before the first of it can be played is told so.
  await until(() => stage.text(upload.id, 'master.m3u8'), ({ status }) => status === 200);
  const watching = (['hls', 'shaka'] as const).map(async (player: PlayerName) => {
    const { page } = await openPage(browser);
    await page.goto(pages.url(stage.url(upload.id), { player }));
    return { player, page };
  });
  // Unless it is told to, ffmpeg takes what has no end yet for live, and begins three segments before its end.
  const copied = mustFfmpeg(['-prefer_x_start', '1', '-i', stage.url(upload.id), '-map', '0:v:0', '-c', 'copy', '-f', 'framecrc', 'pipe:1']);
  const checker = checkStream([stage.url(upload.id), stage.url(upload.id, 'ts/master.m3u8')], 60);
  await landTo(0.45, 0.2, 50);
  const open = await Promise.all(watching);
  // Nothing comes for ten seconds: what is there is seen, and then the last of its pictures.
  const [begun] = await Promise.all([Promise.all(open.map(({ page }) => firstPicture(page, stallMs))), pause(stallMs)]);
  t.equal(begun.length, 2, 'both play, and less than half has landed');
  await landTo(1, 0.45, 100);
  t.equal(await upload.finish(), 'taken');
  for (const { player, page } of open) {
    await page.waitForFunction('document.querySelector("video").ended', undefined, { timeout: 45_000, polling: 200 });
    const { pictures, errors, stalls, currentTime } = await report(page);
    t.same(errors.filter(({ fatal }) => fatal), [], `${player}: nothing that it cannot get over`);
    t.same(disorder(pictures, round.frames), [], `${player}: picture after picture`);
    t.ok((pictures[0]?.mediaTime ?? Infinity) < 0.5, `${player} begins at ${pictures[0]?.mediaTime} s`);
    t.ok(Math.abs(currentTime - seconds) < 0.2, `${player} ends at ${currentTime} s`);
    t.equal(pictures.at(-1)?.stamp, round.frames - 1, `${player}: the last picture`);
    t.ok(stalls.length <= 2, `${player} stood still ${stalls.length} times`);
    t.comment(player, { stalls, errors });
    await page.close();
  }
  const checked = await checker.done;
  t.same(faultsOf(checked), [], 'the rules checker finds nothing');
  t.ok(checked.counts.segments >= 3 * 8, JSON.stringify(checked.counts));
  const packets = (await copied).stdout.toString().split('\n').filter((line) => /^\d/.test(line));
  t.equal(packets.length, seconds * round.fps, 'ffmpeg: every picture');
  t.same(stage.errors, []);
});
