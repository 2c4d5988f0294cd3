/** From a film to what its video is told of its pictures: jobs that know no catalog, and the one that names what they made. */
import { execFileSync } from 'node:child_process';
import { access, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../packager/clock.ts';
import { findPrograms } from '../../packager/encode/programs.ts';
import { Sandbox } from '../../packager/encode/sandbox.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import type { PicturesWork, TextsWork } from '../../packager/pipeline/work.ts';
import { encoded } from '../../test/support/encoded.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { quiet, someUpload, testCatalog, testFolder } from '../catalog/testing.ts';
import { EventDispatcher } from '../events/dispatcher.ts';
import type { Job } from '../jobs/queue.ts';
import type { JobContext } from '../jobs/runner.ts';
import { pictureHandlers, type MadePictures } from './handlers.ts';
import { keepPicturesHandler } from './keep.ts';
import { OwnPosters } from './own-posters.ts';
import { ServedPictures } from './served.ts';
import { textsHandler } from './texts.ts';

const work = { source: { kind: 'original', path: 'original', track: 1 }, best: null, inMs: null, outMs: null } as const;
const board = { kind: 'storyboard', every: null, columns: 5, rows: 5, width: 160 } as const;
const film = await encoded('mp4', ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=10:duration=6', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '20']);

const folder = await testFolder(t);
const opened = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!opened) throw new Error('ffmpeg does not run here');
const sandbox = opened;

const stage = async (t: Test) => {
  const { catalog, clock } = await testCatalog(t);
  const data = await testFolder(t);
  const videos = join(data, 'videos');
  const video = await someUpload(catalog);
  await mkdir(join(videos, video), { recursive: true });
  await copyFile(film, join(videos, video, 'original'));
  const tools = { disk: nodeDisk, videos, sandbox };
  let count = 0;
  const context = (): JobContext => ({ signal: new AbortController().signal, folder: join(data, 'jobs', `job-${(count += 1)}`), cores: 1, holds: async () => true, progress: () => undefined });
  const jobOf = (payload: unknown): Job => ({ payload, attempts: 1 }) as Job;
  const handlers = pictureHandlers(tools);
  const make = async (payload: PicturesWork): Promise<MadePictures> => (await handlers[payload.kind](jobOf(payload), context())) as MadePictures;
  const keep = async (result: unknown): Promise<void> => {
    const results = { byKey: async () => ({ result }) as Job };
    await keepPicturesHandler({ catalog: { jobs: results, videos: catalog.videos }, videos })(jobOf({ video, of: 'made' }), context());
  };
  const pictures = async (): Promise<string[]> => (await readdir(join(videos, video, 'pictures'))).toSorted();
  const texts = (payload: TextsWork): Promise<unknown> => textsHandler({ catalog, disk: nodeDisk, folder: videos, sandbox: Promise.resolve(sandbox) })(jobOf(payload), context());
  return { catalog, clock, data, videos, video, tools, make, keep, pictures, texts };
};

const kept = async (catalog: Catalog, video: string) => (await catalog.videos.get(video))?.pictures;

t.test('what is made lies there whole under its version, is named, and is made anew without a trace', async (t) => {
  const { catalog, video, videos, make, keep, pictures } = await stage(t);
  const made = await make({ ...board, ...work, video });
  t.match(made, { kind: 'storyboard', made: { version: /^[0-9a-f]{16}$/, height: 90, sheets: 1, inMs: null, outMs: null } });
  t.equal(await kept(catalog, video), null, 'nobody is told before it is named');
  await keep(made);
  t.match(await kept(catalog, video), { storyboards: [made.made], posters: [] });
  const [name = ''] = await pictures();
  t.same((await readdir(join(videos, video, 'pictures', name))).toSorted(), ['storyboard-0.jpg', 'storyboard.vtt']);
  t.match(await readFile(join(videos, video, 'pictures', name, 'storyboard.vtt'), 'utf8'), new RegExp(`storyboard-0\\.jpg\\?v=${made.made?.version}#xywh=0,0,160,90`));
  t.same(await make({ ...board, ...work, video }), made, 'the same again');
  t.same(await pictures(), [name]);
  const posters = await make({ kind: 'posters', count: 3, ...work, video });
  await keep(posters);
  const preview = await make({ kind: 'preview', seconds: 1, ...work, video });
  await keep(preview);
  t.match(await kept(catalog, video), { storyboards: [made.made], posters: [posters.made], previews: [preview.made], own: null });
  await keep({ kind: 'preview', made: null });
  await mkdir(join(videos, video, 'pictures', 'preview-fedcba9876543210'));
  await keep({ ...made, kind: 'preview', made: { version: '0123456789abcdef', height: 2, inMs: null, outMs: null } });
  t.same((await pictures()).map((one) => one.split('-')[0]), ['posters', 'preview', 'storyboard'], 'files that nobody names any more go');
  t.ok((await pictures()).includes('preview-fedcba9876543210'), 'what is made and not named yet stays');
  for (let trim = 1; trim <= 9; trim += 1) await keep({ kind: 'preview', made: { version: '0123456789abcdef', height: 2, inMs: trim, outMs: null } });
  t.equal((await kept(catalog, video))?.previews.length, 8, 'of so many trims, and no more');
  for (const nonsense of [null, 7, {}, { kind: 'own', made: {} }, { kind: 'preview', made: { version: '../../x', height: 1 } }, { kind: 'posters', made: { version: '0123456789abcdef', height: -1 } }]) await keep(nonsense);
  t.match(await kept(catalog, video), { storyboards: [made.made], posters: [posters.made], previews: { length: 8 } }, 'what does not look like it is none');
});

t.test('of a video that is gone nothing is made anew, and what cannot be read is no end of anything', async (t) => {
  const { video, videos, make } = await stage(t);
  await t.rejects(make({ ...board, ...work, video, source: { kind: 'log', folder: 'v1' } }));
  await rm(join(videos, video), { recursive: true });
  await t.rejects(make({ ...board, ...work, video }));
  await t.rejects(access(join(videos, video)));
});

t.test('whoever asks gets what there is now, and nothing of what has been cut away', async (t) => {
  const { catalog, clock, video, videos, make, keep } = await stage(t);
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log: quiet });
  const served = new ServedPictures(catalog.videos, events, videos);
  events.start();
  t.teardown(() => events.stop());
  const found = async (name: Parameters<ServedPictures['find']>[1]) => {
    await events.settled();
    return served.find(video, name);
  };
  t.equal(await found({ kind: 'storyboard' }), null);
  const made = await make({ ...board, ...work, video });
  const posters = await make({ kind: 'posters', count: 2, ...work, video });
  await keep(made);
  await keep(posters);
  t.match(await found({ kind: 'storyboard' }), { type: 'text/vtt; charset=utf-8', height: 90, version: made.made?.version });
  t.match((await (await found({ kind: 'sheet', index: 0 }))?.read())?.subarray(0, 3).toString('hex'), 'ffd8ff');
  t.equal(await found({ kind: 'sheet', index: 1 }), null);
  const best = posters.kind === 'posters' ? (posters.made?.chosen ?? 0) : 0;
  t.match(await found({ kind: 'poster', index: null }), { version: `${posters.made?.version}${best}`, height: 360 });
  t.ok((await (await found({ kind: 'poster', index: null }))?.read())?.equals((await (await found({ kind: 'poster', index: best }))?.read()) ?? Buffer.alloc(0)), 'the best one is shown');
  t.equal(await found({ kind: 'poster', index: 5 }), null);
  t.equal(await found({ kind: 'chapters' }), null);
  await catalog.videos.update(video, { chapters: [{ startMs: 1_000, endMs: 4_000, title: 'A <b> & c' }] });
  t.equal((await (await found({ kind: 'chapters' }))?.read())?.toString(), 'WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nA &lt;b&gt; &amp; c\n');
  await catalog.videos.update(video, { cutInMs: 2_000 });
  for (const name of [{ kind: 'storyboard' }, { kind: 'sheet', index: 0 }, { kind: 'poster', index: null }, { kind: 'poster', index: 0 }] as const) t.equal(await found(name), null, JSON.stringify(name));
  t.equal((await (await found({ kind: 'chapters' }))?.read())?.toString(), 'WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nA &lt;b&gt; &amp; c\n');
  await keep(await make({ ...board, ...work, video, inMs: 2_000 }));
  t.match(await found({ kind: 'storyboard' }), { height: 90 });
  await catalog.videos.remove(video);
  t.equal(await found({ kind: 'storyboard' }), null);
  t.equal(await served.find('../../etc', { kind: 'storyboard' }), null);
});

t.test('an owner’s poster is decoded behind walls, takes the place of his last one, and goes without a trace', async (t) => {
  const { catalog, data, video, videos, tools, pictures } = await stage(t);
  const posters = new OwnPosters({ ...tools, jobs: join(data, 'jobs'), store: catalog.videos, sandbox: Promise.resolve(sandbox), mayWrite: () => true });
  t.teardown(() => posters.stop());
  const picture = async (form: string, size: string, colour: string): Promise<Buffer> => readFile(await encoded(form, ['-f', 'lavfi', '-i', `color=${colour}:size=${size}`, '-frames:v', '1']));
  t.equal(await posters.put(video, await picture('png', '3000x1000', 'red')), 'put');
  const first = await kept(catalog, video);
  t.match(first, { own: { version: /^[0-9a-f]{16}$/, height: 426 } });
  const [before = ''] = await pictures();
  t.equal(await posters.put(video, await picture('jpg', '320x180', 'blue')), 'put');
  const second = await kept(catalog, video);
  t.match(second, { own: { height: 180 } });
  t.not(second?.own?.version, first?.own?.version);
  t.same(await pictures(), [`own-${second?.own?.version}`]);
  t.notOk((await pictures()).includes(before));
  t.equal(await posters.put(video, await picture('webp', '320x180', 'green')), 'put');
  const webp = await picture('webp', '64x64', 'green');
  const hostile: readonly (readonly [string, Buffer, string])[] = [
    ['a text', Buffer.from('GIF89a and what comes then'), 'not-a-picture'],
    ['nothing', Buffer.alloc(0), 'not-a-picture'],
    ['a PNG that ends', (await picture('png', '64x64', 'red')).subarray(0, 60), 'not-a-picture'],
    ['a WebP that is none', Buffer.concat([webp.subarray(0, 16), Buffer.alloc(400, 0xff)]), 'not-a-picture'],
    ['an SVG called JPEG', Buffer.concat([Buffer.from('ffd8ff', 'hex'), Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>')]), 'not-a-picture'],
  ];
  const now = await kept(catalog, video);
  for (const [what, bytes, outcome] of hostile) t.equal(await posters.put(video, bytes), outcome, what);
  const large = Buffer.from(await picture('png', '64x64', 'red'));
  large.writeUInt32BE(60_000, 16);
  large.writeUInt32BE(60_000, 20);
  t.ok(['not-a-picture', 'too-many-pixels'].includes(await posters.put(video, large)), 'one that says that it is immense');
  t.same(await kept(catalog, video), now, 'and the one that was there stays');
  t.same(await readdir(join(data, 'jobs')), [], 'nothing of them is left');
  const many = await Promise.all(Array.from({ length: 9 }, async () => posters.put(video, webp)));
  t.same([...new Set(many)].toSorted(), ['busy', 'put'], 'no more than a few wait');
  t.equal(await posters.remove(video), true);
  t.match(await kept(catalog, video), { own: null });
  t.same(await pictures(), []);
  t.equal(await posters.remove(video), false);
  await catalog.videos.remove(video);
  t.equal(await posters.put(video, webp), 'no-video');
  t.same(await readdir(videos), [video]);
  const full = new OwnPosters({ ...tools, jobs: join(data, 'jobs'), store: catalog.videos, sandbox: Promise.resolve('there is no ffmpeg'), mayWrite: () => true });
  t.equal(await full.put(video, webp), 'not-available');
});

t.test('chapters and subtitles of a file become those of its video, unless its owner was quicker', async (t) => {
  const { catalog, video, videos, texts } = await stage(t);
  const subtitles = join(videos, 'titles.srt');
  const chapters = join(videos, 'chapters.txt');
  await writeFile(subtitles, '1\n00:00:01,000 --> 00:00:02,000\nhello\n');
  await writeFile(chapters, ';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=6000\ntitle=둘 & 셋\n');
  const original = join(videos, video, 'original');
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', film, '-i', subtitles, '-i', chapters, '-map', '0', '-map', '1', '-map_metadata', '2', '-map_chapters', '2', '-c', 'copy', '-c:s', 'mov_text', '-metadata:s:s:0', 'language=kor', '-f', 'mp4', original]);
  await texts({ video });
  t.same((await catalog.videos.get(video))?.chapters, [{ startMs: 0, endMs: 2_000, title: 'One' }, { startMs: 2_000, endMs: 6_000, title: '둘 & 셋' }]);
  t.match(await kept(catalog, video), { texts: true }, 'that they were looked for is known, however often the video is planned');
  t.match((await catalog.jobs.byKey(`captions:${video}`))?.payload, { texts: [{ codec: 'mov_text', language: 'ko' }] });
  await catalog.videos.update(video, { chapters: [] });
  await texts({ video });
  t.same((await catalog.videos.get(video))?.chapters, [], 'those that were taken away stay away');
  await rm(original);
  await texts({ video });
});
