import t from 'tap';
import { clip } from './clips.ts';
import { launchChromium, openPage } from './chromium.ts';
import { disorder, report, servePlayerPages } from './player-page.ts';

t.test('a browser reads the stamp of what it shows', async (t) => {
  const made = await clip();
  const pages = await servePlayerPages({ '/clip.mp4': made.file });
  t.teardown(() => pages.close());
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const { page, complaints } = await openPage(browser);
  await page.goto(pages.url('/clip.mp4', { plain: true }));
  await page.waitForFunction('watch.video.ended', undefined, { timeout: 30_000 });
  const seen = await report(page);
  t.same(seen.errors, []);
  t.same(complaints, []);
  t.same(disorder(seen.pictures, made.frames), []);
  const stamps = new Set(seen.pictures.map((picture) => picture.stamp));
  t.ok(stamps.size > made.frames * 0.7, `saw ${stamps.size} of ${made.frames} frames`);
  for (const picture of seen.pictures) {
    if (picture.stamp !== Math.round(picture.mediaTime * made.fps)) t.fail(`${picture.stamp} at ${picture.mediaTime} s`);
  }
});

t.test('disorder is seen', async (t) => {
  const shown = (stamps: (number | null)[]) =>
    stamps.map((stamp, at) => ({ stamp, shownAt: at, mediaTime: at / 30, presented: at }));
  t.same(disorder(shown([0, 1, 3, 238, 239, 0, 1]), 240).length, 1, 'a jump of more than half a clip is a step back');
  t.same(disorder(shown([230, 239, 0, 1]), 240), [], 'a loop is in order');
  t.same(disorder(shown([5, 4, 5]), 240).length, 1);
  t.same(disorder(shown([5, null, 6]), 240).length, 1);
});
