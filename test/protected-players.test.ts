/**
 * Protected videos in a real Chromium: hls.js and Shaka by AES-128, Shaka and dash.js by cbcs, recorded and live, over changes of
 * the key and of the encoder; and nothing at all by a wrong key or without one.
 */
import t from 'tap';
import type { Page } from 'playwright-core';
import { clip } from './support/clips.ts';
import { interruptions } from './support/continuity.ts';
import { push } from './support/ffmpeg.ts';
import { forget, report, seek } from './support/player-page.ts';
import { until } from './support/playlists.ts';
import { begun, contestants, faults, picture, ProtectedStage, type Contestant } from './support/protected-stage.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';
import { watchFor } from './support/watching.ts';

t.setTimeout(115_000);
const source = await clip(picture);
const grid = { frames: source.frames, fps: source.fps };
const stage = await ProtectedStage.open(t);
const { server } = stage;

/** Two sessions, and so two epochs; in the second another encoder sends the same pictures. */
const recorded = async (scheme: Contestant['scheme']): Promise<string> => {
  const channel = await server.createChannel(stage.token, { name: `recorded-${scheme}`, protection: scheme });
  const first = await ShowSender.connect(server, channel, await flvClip(picture));
  await first.send();
  const { live } = await until(
    () => server.must<{ live: { videoId: string } | null }>('GET', `channels/${channel.id}`),
    (seen) => seen.live !== null,
  );
  const video = live?.videoId ?? '';
  first.vanish();
  const second = await ShowSender.connect(server, channel, await flvClip({ ...picture, bframes: 0 }));
  await second.send({ shift: 1_000_000 });
  await second.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  return `${server.origin}/play/-/${video}`;
};
const recordings = { 'aes-128': await recorded('aes-128'), cbcs: await recorded('cbcs') };

t.test('a recording: from its beginning, from key to key, from one encoder to the next, and to its end', async (t) => {
  await Promise.all(
    contestants.map(async (contestant) => {
      const { name, scheme, file } = contestant;
      const { page, close } = await stage.watch(contestant, `${recordings[scheme]}/${file}`);
      await begun(page, contestant);
      await watchFor(page, 0.5);
      for (const place of [5.2, 7.2]) {
        await seek(page, place);
        await page.waitForFunction('!watch.video.seeking', undefined, { timeout: 15_000, polling: 50 });
        await watchFor(page, 0.2);
        await forget(page);
        const { totalFrames } = await report(page);
        await watchFor(page, 1.6);
        const seen = await report(page);
        t.equal(seen.width, picture.width, `${name}: there is a picture`);
        t.ok(seen.totalFrames > totalFrames + 20, `${name}: ${seen.totalFrames - totalFrames} pictures at ${place} s`);
        // hls.js lays a transport stream at its first decode time: where another encoder takes over that is another place.
        const looked = file.startsWith('ts/') ? seen.pictures.filter(({ mediaTime }) => mediaTime < 7.9) : seen.pictures;
        if (scheme === 'aes-128') t.same(interruptions(looked, grid), [], `${name}: at ${place} s`);
      }
      await seek(page, 15);
      await page.waitForFunction('watch.video.ended', undefined, { timeout: 30_000, polling: 100 });
      t.same(faults(await report(page)), [], `${name}: no errors`);
      await close();
    }),
  );
});

// No page can look at a decrypted picture, so a lost one shows in the browser's own count alone (dropped ones are in it), or in a
// hole of the buffer. From the first picture to the last without a seek, for each seek shows pictures anew.
t.test('cbcs: no picture is lost where the key changes', async (t) => {
  const channel = await server.createChannel(stage.token, { name: 'unseeked', protection: 'cbcs' });
  const sender = await ShowSender.connect(server, channel, await flvClip(picture));
  await sender.send();
  const { live } = await until(
    () => server.must<{ live: { videoId: string } | null }>('GET', `channels/${channel.id}`),
    (seen) => seen.live !== null,
  );
  const video = live?.videoId ?? '';
  await sender.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  await Promise.all(
    contestants
      .filter(({ scheme }) => scheme === 'cbcs')
      .map(async (contestant) => {
        const { name, file } = contestant;
        const { page, keys, close } = await stage.watch(contestant, `${server.origin}/play/-/${video}/${file}`);
        // Shaka may rest a picture or two before the end, with all of them in its buffer.
        const through = `watch.video.ended || (watch.video.currentTime > ${source.seconds - 1} && watch.report().totalFrames >= ${source.frames - 3})`;
        await page.waitForFunction(through, undefined, { timeout: 25_000, polling: 100 }).catch(() => t.comment(`${name}: it never came to the end`));
        const { totalFrames } = await report(page);
        const buffered = await page.evaluate<[number, number][]>('Array.from({ length: watch.video.buffered.length }, (_, n) => [watch.video.buffered.start(n), watch.video.buffered.end(n)])');
        const holes = buffered.slice(1).map(([start], index) => start - (buffered[index]?.[1] ?? 0));
        t.ok(keys.size > 2, `${name}: ${keys.size} keys`);
        t.ok(totalFrames >= source.frames - 3, `${name}: ${totalFrames} of ${source.frames} pictures`);
        t.same(holes.filter((seconds) => seconds > 0.05), [], `${name}: no hole in ${JSON.stringify(buffered)}`);
        await close();
      }),
  );
});

// Every player, for longer and over a change of the encoder: prove/protected-live.prove.ts.
t.test('a show in progress, over a change of the key', async (t) => {
  const channel = await server.createChannel(stage.token, { name: 'in-progress', protection: 'cbcs' });
  const sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  await server.live(channel);
  await Promise.all(
    contestants
      .filter(({ name }) => name === 'cbcs, Shaka, HLS' || name === 'cbcs, dash.js')
      .map(async (one) => {
        const { page, keys, close } = await stage.watch(one, server.liveUrl(channel, one.file));
        await begun(page, one);
        await forget(page);
        const [{ totalFrames }, before] = [await report(page), keys.size];
        await watchFor(page, 6);
        const seen = await report(page);
        t.ok(keys.size > before, `${one.name}: ${keys.size - before} more keys`);
        t.ok(seen.totalFrames > totalFrames + 45, `${one.name}: ${seen.totalFrames - totalFrames} pictures`);
        t.same(seen.errors.filter(({ fatal }) => fatal), [], `${one.name}: no fatal error`);
        await close();
      }),
  );
  await sender.kill();
});

const keys = /\/keys\/[0-9a-z]+$/;
const wrong = async (page: Page): Promise<void> => {
  await page.route(keys, async (route) => {
    const headers = { 'access-control-allow-origin': '*' };
    if (route.request().method() !== 'POST') return route.fulfill({ status: 200, headers, body: Buffer.alloc(16, 7) });
    const { kids } = route.request().postDataJSON() as { kids: string[] };
    const k = Buffer.alloc(16, 7).toString('base64url');
    return route.fulfill({ status: 200, headers, contentType: 'application/json', body: JSON.stringify({ keys: kids.map((kid) => ({ kty: 'oct', kid, k })), type: 'temporary' }) });
  });
};
const none = async (page: Page): Promise<void> => {
  await page.route(keys, (route) => route.fulfill({ status: 403, headers: { 'access-control-allow-origin': '*' }, body: '' }));
};

for (const [what, before, players] of [['a wrong key', wrong, contestants], ['no key', none, contestants.filter(({ file }) => file !== 'ts/master.m3u8')]] as const) {
  t.test(`by ${what} nothing plays`, async (t) => {
    await Promise.all(
      players.map(async (contestant) => {
        const { name, scheme, file } = contestant;
        const { page, close } = await stage.watch(contestant, `${recordings[scheme]}/${file}`, before);
        await page.waitForFunction('watch.report().errors.length > 0', undefined, { timeout: 30_000, polling: 100 });
        const { pictures, currentTime, totalFrames } = await report(page);
        t.same(pictures.filter(({ stamp }) => stamp !== null), [], `${name}: no picture`);
        // dash.js goes from Period to Period for one that it has a key for, and so to the end, with nothing to show.
        t.ok(currentTime < 0.5 || totalFrames === 0, `${name}: it stands at ${currentTime} s, after ${totalFrames} pictures`);
        await close();
      }),
    );
  });
}
