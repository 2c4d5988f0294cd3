/** Uploads of which one track is cut out of the original and another was encoded: on one grid, in one presentation. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { systemClock } from '../packager/clock.ts';
import { createTrackLog } from '../packager/log/open.ts';
import { nodeDisk } from '../packager/log/node-disk.ts';
import { parseMovie } from '../packager/mp4/parse.ts';
import { planMovie } from '../packager/mp4/virtual.ts';
import { endOfPlans, frameRateOf, longestSegment, uploadPolicy, virtualTracks } from '../packager/mp4/virtual-facts.ts';
import type { Grid } from '../packager/mp4/grid.ts';
import { newId } from '../server/catalog/ids.ts';
import type { TrackRow } from '../server/catalog/videos.ts';
import { logsOf, openFile } from '../server/live/originals.ts';
import { launchChromium, openPage } from './support/chromium.ts';
import { encoded, scratch } from './support/encoded.ts';
import { mustFfmpeg } from './support/ffmpeg.ts';
import { report, servePlayerPages } from './support/player-page.ts';
import { UploadStage } from './support/upload-stage.ts';

mkdirSync(scratch, { recursive: true });
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

const media = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=10', '-f', 'lavfi', '-i', 'sine=440:duration=10:sample_rate=48000'];
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '50', '-bf', '2', '-x264-params', 'open-gop=0:scenecut=0'];
const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-x265-params', 'log-level=none:keyint=50:min-keyint=50:scenecut=0:open-gop=0'];
const avc = await encoded('mp4', [...media, ...x264, '-c:a', 'aac']);
const hevc = await encoded('mp4', [...media, ...x265, '-c:a', 'aac']);
const otherSound = await encoded('mp4', [...media, ...x264, '-c:a', 'ac3']);
const stage = await UploadStage.open(t);
let beside = '';

type Part = { readonly row: TrackRow; readonly write: (folder: string, run: string) => Promise<void> };

/** One track of a file, as an encoder's output would be written: into a log of its own, on the grid of the asset. */
const encodedTrack = async (file: string, kind: 'video' | 'audio', id: string, grid: Grid): Promise<Part> => {
  const { source, close } = await openFile(nodeDisk, file);
  const movie = await parseMovie(source);
  const wanted = movie.tracks.find((track) => track.kind === kind);
  const plan = planMovie(movie, { tracks: [wanted?.id ?? 0], grid });
  const [track] = virtualTracks(plan, 2);
  if (!track) throw new Error('no track');
  const row: TrackRow = { ...track, id, original: null, language: null, name: null };
  return {
    row,
    async write(folder, run) {
      const log = logsOf(plan, [id], source, { run, wallClock: 0 }).get(id);
      const writer = await createTrackLog({ disk: nodeDisk, clock: systemClock, folder: path.join(folder, id), syncEveryMs: 0, stallMs: 1_000 });
      const { epochs, end, entry } = log?.snapshot() ?? { epochs: [], end: 0, entry: () => null };
      if (epochs[0]) await writer.beginEpoch(epochs[0]);
      for (let seq = 0; seq < end; seq += 1) {
        const facts = entry(seq);
        if (facts && log) await writer.append(facts, await log.read(seq, seq + 1));
      }
      await writer.sync();
      await writer.close();
      await close();
    },
  };
};

/** What the catalog would say of an original with some tracks of its own, and others that were made. */
const mixed = async (file: string, cut: readonly ('video' | 'audio')[], made: (grid: Grid) => Promise<Part>): Promise<string> => {
  const upload = await stage.upload(file);
  t.equal(await upload.finish(), 'not-standard');
  const { source, close } = await openFile(nodeDisk, upload.path);
  const movie = await parseMovie(source);
  await close();
  const plan = planMovie(movie, { tracks: movie.tracks.filter(({ kind }) => cut.some((one) => one === kind)).map(({ id }) => id) });
  const policy = uploadPolicy({ longest: longestSegment(plan.tracks), duration: endOfPlans(plan.tracks), frameRate: frameRateOf(plan.tracks) });
  const run = newId();
  const part = await made(plan.grid);
  await part.write(path.dirname(upload.path), run);
  const own = virtualTracks(plan, policy.targetDuration).map(({ language, name, ...track }) => ({ ...track, language: language ?? null, name: name ?? null }));
  const tracks = [...own, part.row].toSorted((a, b) => b.kind.localeCompare(a.kind));
  t.ok(await stage.catalog.videos.become(upload.id, ['uploading'], { state: 'ready', run, policy, tracks, durationMs: 10_000, bytes: 1 }));
  return upload.id;
};

const framesOf = async (url: string, map: string): Promise<string[]> => {
  const { stdout, stderr } = await mustFfmpeg(['-i', url, '-map', map, '-fps_mode', 'passthrough', '-f', 'framemd5', 'pipe:1']);
  t.equal(stderr, '', url);
  return [...stdout.toString().matchAll(/^\d.*,\s*([0-9a-f]{32})$/gm)].map(([, md5 = '']) => md5);
};

t.test('HEVC for players that have it, beside a rung in H.264 for all', async (t) => {
  const id = await mixed(hevc, ['video', 'audio'], (grid) => encodedTrack(avc, 'video', 'v1', grid));
  beside = id;
  const { text } = await stage.text(id, 'master.m3u8');
  t.match(text, /CODECS="hvc1\.1\.6\.L[\d.A-Z]+,mp4a\.40\.2"[^\n]*\nv0\/whole/);
  t.match(text, /CODECS="avc1\.[0-9A-F]+,mp4a\.40\.2"[^\n]*\nv1\/whole/);
  t.same(await framesOf(stage.url(id, 'v0/whole.m3u8'), '0:v'), await framesOf(hevc, '0:v'));
  t.same(await framesOf(stage.url(id, 'v1/whole.m3u8'), '0:v'), await framesOf(avc, '0:v'));
  const lines = async (track: string): Promise<string[]> => [...(await stage.text(id, `${track}/whole.m3u8`)).text.matchAll(/EXTINF.*/g)].map(([line]) => line);
  t.same(await lines('v0'), await lines('v1'), 'one grid');
  const mpd = (await stage.text(id, 'manifest.mpd')).text;
  t.equal([...mpd.matchAll(/<AdaptationSet[^>]*contentType="video"/g)].length, 1, 'rungs of one picture');

  // MPEG-TS carries H.264 alone.
  t.match((await stage.text(id, 'ts/master.m3u8')).text, /^v1\/whole\.m3u8$/m);
  t.notMatch((await stage.text(id, 'ts/master.m3u8')).text, /v0/);
  t.match(await stage.text(id, 'ts/v0/whole.m3u8'), { status: 404, text: /ts-not-carried/ });
  const run = /([a-z0-9]+)-1\.m4s/.exec((await stage.text(id, 'v0/whole.m3u8')).text)?.[1];
  t.match(await stage.text(id, `ts/v0/${run}-1.ts`), { status: 404, text: /ts-not-carried/ });
  t.same(await framesOf(stage.url(id, 'ts/master.m3u8'), '0:v'), await framesOf(avc, '0:v'));
  t.same(await framesOf(stage.url(id, `mp4/${run}-v0-a0.mp4`), '0:v'), await framesOf(hevc, '0:v'), 'and it is downloaded as it is');
});

t.test('a browser without HEVC plays the other rung, by every player', async (t) => {
  const pages = await servePlayerPages();
  t.teardown(() => pages.close());
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  for (const [player, below] of [['hls', 'master.m3u8'], ['shaka', 'master.m3u8'], ['shaka', 'manifest.mpd'], ['dash', 'manifest.mpd']] as const) {
    const { page } = await openPage(browser);
    await page.goto(pages.url(stage.url(beside, below), { player }));
    await page.waitForFunction('document.querySelector("video").currentTime > 1', undefined, { timeout: 15_000, polling: 100 });
    const { errors, width, height } = await report(page);
    t.same(errors.filter(({ fatal }) => fatal), [], `${player}, ${below}`);
    t.same([width, height], [160, 90]);
    await page.close();
  }
});

t.test('a picture as it is, with sound that was encoded', async (t) => {
  const id = await mixed(otherSound, ['video'], (grid) => encodedTrack(avc, 'audio', 'am0', grid));
  t.match((await stage.text(id, 'master.m3u8')).text, /am0\/whole\.m3u8"/);
  t.same(await framesOf(stage.url(id), '0:v'), await framesOf(otherSound, '0:v'));
  t.ok((await framesOf(stage.url(id), '0:a')).length >= 468);
  t.same(stage.errors, []);
});

t.test('sound as it is, with a picture that was encoded: the grid is that of its log', async (t) => {
  const grid: Grid = { timescale: 25, starts: Float64Array.of(0, 100, 200), end: 250 };
  const id = await mixed(hevc, ['audio'], () => encodedTrack(avc, 'video', 'vm0', grid));
  const lengths = [...(await stage.text(id, 'a0/whole.m3u8')).text.matchAll(/EXTINF:([\d.]+)/g)].map(([, seconds]) => Math.round(Number(seconds)));
  t.same(lengths, [4, 4, 2]);
  t.same(await framesOf(stage.url(id), '0:v'), await framesOf(avc, '0:v'));
  t.same(stage.errors, []);
});
