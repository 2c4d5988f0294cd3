/**
 * Ladders below protection and below links that are limited to a height, on a whole server: rungs have the keys of the source and
 * its pictures, and what is too high for a link is refused. Then what is left of them, holes and all, when the show is over and the server has been started anew.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { launchChromium, openPage } from './support/chromium.ts';
import { decodeStamps, probe } from './support/ffmpeg.ts';
import { asLiveMade } from './support/ladder-show.ts';
import { LadderStage } from './support/ladder-stage.ts';
import { faultsOf, readRung } from './support/ladder-truth.ts';
import { choose, report, servePlayerPages } from './support/player-page.ts';
import { media, playlist, until } from './support/playlists.ts';
import { startServer, type MillraceServer } from './support/server.ts';
import { checkStream, faultsOf as findings } from './support/stream-checker.ts';
import { Keys, lockedOf, samplesOf, type Locked, type Scheme } from './support/unlocked.ts';
import { shaka } from './support/viewings.ts';

t.setTimeout(115_000);
const data = mkdtempSync(path.join(tmpdir(), 'millrace-guarded-'));
const stage = await LadderStage.open(t, { data, env: { ...asLiveMade, MILLRACE_PROTECTION_SEGMENTS_PER_KEY: '2' } });
t.teardown(() => rmSync(data, { recursive: true, force: true }));
const { server } = stage;
const rungs = ['v1', 'v2'] as const;
const tracks = ['v0', ...rungs] as const;
const small = { width: 426, height: 240 };

const begin = async (protection: 'none' | 'aes-128' | 'cbcs') => {
  const channel = await stage.channel(`show-${protection}`, { protection });
  const sender = await stage.send(t, channel);
  return { channel, sender, ...(await stage.aired(channel, 3)) };
};
const [clear, whole, samples] = await Promise.all([begin('none'), begin('aes-128'), begin('cbcs')]);
const locked = [{ scheme: 'aes-128', ...whole }, { scheme: 'cbcs', ...samples }] as const;
const all = [clear, whole, samples];

/** The newest segment that is there with its parts. */
const newest = (listed: readonly Locked[]): Locked[] => {
  const segment = listed.findLast(({ part, msn }) => !part && listed.some((one) => one.part && one.msn === msn));
  return segment ? [...listed.filter(({ part, msn }) => part && msn === segment.msn), segment] : [];
};

const limited = async (made: string): Promise<(below: string) => Promise<{ text: string; says: string }>> => {
  const { hls } = await server.must<{ hls: string }>('POST', made, { maxHeight: small.height }, stage.token);
  const grant = new URL(hls, server.origin).pathname.split('/')[2] ?? '';
  return async (below) => {
    const response = await fetch(`${server.origin}/play/${grant}/${clear.video}/${below}`);
    const text = await response.text();
    return { text, says: response.ok ? 'given' : (JSON.parse(text) as { code: string }).code };
  };
};
const heightsIn = (text: string): string[] => [...new Set([...text.matchAll(/RESOLUTION=\d+x(\d+)|<Representation[^>]* height="(\d+)"/g)].map(([, hls, mpd]) => hls ?? mpd ?? ''))].toSorted();

t.test('while they are live', async (t) => {
  t.jobs = 5;
  for (const { scheme, video, base } of locked) {
    t.test(`${scheme}, live: parts and segments of every rung open by the key that its list names`, { buffered: true }, async (t) => {
      const checked = checkStream(scheme === 'cbcs' ? [`${base}/master.m3u8`, `${base}/manifest.mpd`] : [`${base}/master.m3u8`], 3);
      const keys = new Keys(server, video, scheme);
      for (const track of tracks) {
        const listed = await until(async () => newest(lockedOf((await playlist(server, video, track)).text)), ({ length }) => length > 2);
        const files = await Promise.all(listed.map(async ({ name, key }) => ({ key, bytes: await media(server, video, track, name) })));
        const opened = await Promise.all(files.map(async ({ key, bytes }) => (key ? samplesOf(await keys.open(bytes, key)) : [])));
        t.ok(opened.at(-1)?.length, `${track}: pictures`);
        t.same(opened.slice(0, -1).flat(), opened.at(-1), `${track}: its parts hold what the segment holds`);
      }
      t.same(findings(await checked.done), [], 'playlists and Periods');
    });
  }

  t.test('cbcs, live, in a browser: the lowest rung plays on from key to key', { buffered: true }, async (t) => {
    const browser = await launchChromium();
    t.teardown(() => browser.close());
    const pages = await servePlayerPages();
    t.teardown(() => pages.close());
    const { page } = await openPage(browser);
    await page.goto(pages.url(`${samples.base}/manifest.mpd`, { player: 'shaka', config: shaka }));
    await page.waitForFunction('watch.report().totalFrames > 5 && watch.qualities().length === 3', undefined, { timeout: 40_000, polling: 100 });
    await choose(page, 0, { keepBuffer: false });
    await page.waitForFunction('watch.video.videoHeight === 144', undefined, { timeout: 30_000, polling: 50 });
    const { totalFrames } = await report(page);
    // Longer than a key lasts.
    await page.waitForFunction(`watch.report().totalFrames > ${totalFrames + 130}`, undefined, { timeout: 30_000, polling: 100 });
    t.same((await report(page)).errors.filter(({ fatal }) => fatal), []);
    t.equal(await page.evaluate('watch.video.videoHeight'), 144);
  });

  for (const made of [`channels/${clear.channel.id}/grants`, `videos/${clear.video}/grants`]) {
    t.test(`a link of ${made.split('/')[0]} to 240 lines, live: what is higher is neither listed nor given, in any of its views`, { buffered: true }, async (t) => {
      const get = await limited(made);
      for (const list of ['master.m3u8', 'manifest.mpd', 'ts/master.m3u8']) t.same(heightsIn((await get(list)).text), ['144', '240'], list);
      const name = await until(async () => newest(lockedOf((await playlist(server, clear.video, 'v1')).text)).at(-1)?.name ?? '', (found) => found !== '');
      const part = newest(lockedOf((await playlist(server, clear.video, 'v1')).text))[0]?.name ?? '';
      const [run, msn] = name.replace('.m4s', '').split('-');
      const files = ['index.m3u8', 'iframes.m3u8', name, part, `${run}-k${msn}.m4s`, `${run}-i0.mp4`];
      for (const below of [...files.map((file) => ['', file] as const), ['ts/', 'index.m3u8'] as const, ['ts/', `${run}-${msn}.ts`] as const]) {
        const asked = await Promise.all(tracks.map((track) => get(`${below[0]}${track}/${below[1]}`)));
        t.same(asked.map(({ says }) => says).slice(0, 2), ['height-limit', 'given'], below.join(''));
      }
    });
  }
});

t.test('its encoders are gone for a while, and the shows end', async () => {
  await stage.withoutEncoders(4_500);
  const cameBack = /#EXT-X-GAP\n(?:#.*\n)*.*\.m4s\n(?:(?!#EXT-X-GAP)#.*\n)*(?!#).*\.m4s\n/;
  for (const { video } of all) await until(async () => (await playlist(server, video, 'v1')).text, (text) => cameBack.test(text), 30_000);
  for (const { sender } of all) await sender.end();
  for (const { video } of all) await until(() => server.must<{ state: string }>('GET', `videos/${video}`, undefined, stage.token), ({ state }) => state === 'ready', 30_000);
});

/** What the picture of a file shows, and when: each is at its place, whatever is missing before it. */
const misplaced = async (url: string): Promise<object[]> => {
  const [{ stamps, errors }, { packets = [] }] = await Promise.all([decodeStamps(url, small), probe(url, '-select_streams', 'v:0', '-show_packets', '-show_entries', 'packet=pts_time')]);
  const times = packets.map((packet) => Number((packet as unknown as { pts_time: string }).pts_time)).toSorted((a, b) => a - b);
  if (errors !== '' || stamps.length !== times.length || stamps.length === 0) return [{ errors, pictures: stamps.length, packets: times.length }];
  const start = times[0] ?? 0;
  return stamps.flatMap((stamp, index) => (stamp === Math.round(((times[index] ?? 0) - start) * 30) % 240 ? [] : [{ stamp, at: times[index] }]));
};

type Show = { readonly scheme: Scheme | null; readonly video: string };

const recorded = async (t: Test, from: MillraceServer, { scheme, video }: Show): Promise<void> => {
  const keys = scheme && new Keys(from, video, scheme);
  const [source, ...others] = await Promise.all(tracks.map((track) => readRung({ server: from, video, track, ...(keys && { open: (bytes, key) => keys.open(bytes, key) }) })));
  const named = await Promise.all(tracks.map(async (track) => lockedOf(await (await fetch(`${from.origin}/play/-/${video}/${track}/whole.m3u8`)).text())));
  const own = new Map(named[0]?.map(({ msn, key }) => [msn, key?.address]));
  if (scheme) t.ok(new Set(own.values()).size > 2, `${scheme}: ${new Set(own.values()).size} keys`);
  t.same(named.flat().filter(({ msn, key }) => key?.address !== own.get(msn)), [], `${scheme}: every rung has the keys of the source, at the same segments`);
  for (const { track, segments, epochs, lines } of others) {
    t.same(source && faultsOf(source, { track, segments, epochs, lines }, { holes: true }), [], `${scheme} ${track}: the pictures of the source`);
    t.same(epochs.flatMap(({ complaints }) => complaints || []), [], `${scheme} ${track}: decodes`);
    t.ok(segments.some(({ gap }) => gap), `${scheme} ${track}: it has a hole`);
  }
};

t.test('the recordings: every rung with the pictures and the keys of the source, around its holes', async (t) => {
  for (const show of [{ scheme: null, video: clear.video }, ...locked]) await recorded(t, server, show);
  t.same(findings(await checkStream([`${clear.base}/master.m3u8`, `${clear.base}/manifest.mpd`], 5).done), []);
});

t.test('started anew: they are as they were, as files and as MPEG-TS too', async (t) => {
  await server.stop();
  const again = await startServer({ data, ports: server.ports, env: { ...asLiveMade, MILLRACE_PROTECTION_SEGMENTS_PER_KEY: '2' } });
  t.teardown(() => again.stop());
  await recorded(t, again, { scheme: 'cbcs', video: samples.video });
  const { downloads } = await again.must<{ downloads: { url: string; height: number }[] }>('POST', `videos/${clear.video}/playback`, {}, stage.token);
  t.same(downloads.map(({ height }) => height), [360, 240, 144]);
  for (const { url, height } of downloads.slice(0, 2)) t.same(await misplaced(new URL(url, again.origin).href), [], `a file of ${height} lines`);
  for (const track of ['v0', 'v1']) t.same(await misplaced(`${clear.base}/ts/${track}/whole.m3u8`), [], `MPEG-TS of ${track}`);
});
