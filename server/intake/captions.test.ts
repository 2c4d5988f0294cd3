/** Subtitles inside of an original, taken out by ffmpeg itself: what of them is given to the desk of captions. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { captionName } from '../../packager/encode/captions.ts';
import type { Ran } from '../../packager/encode/child.ts';
import type { Sandbox, SandboxRun } from '../../packager/encode/sandbox.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import type { WebVtt } from '../../packager/text/webvtt.ts';
import { encoded } from '../../test/support/encoded.ts';
import type { Job } from '../jobs/queue.ts';
import { captionsHandler } from './captions.ts';
import type { CaptionsPayload, ShopTools } from './ground.ts';
import { aac, picture, tone, x264 } from './exactness.ts';
import { silent, testIntake } from './testing.ts';

type Put = { readonly video: string; readonly language: string; readonly name: string | null; readonly cues: readonly string[] };

const subtitles = async (name: string, text: string): Promise<string> => {
  const folder = join(import.meta.dirname, '../../.cache/clips');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.srt`);
  await writeFile(path, text);
  return path;
};

const english = await subtitles('intake-en', '1\n00:00:00,500 --> 00:00:01,500\nThe mill\n\n2\n00:00:02,000 --> 00:00:02,800\n<i>turns</i>\n');
const korean = await subtitles('intake-ko', '1\n00:00:00,500 --> 00:00:01,500\n물레방아\n');
const named = ['-metadata:s:s:0', 'language=eng', '-metadata:s:s:0', 'title=For "everybody"', '-metadata:s:s:1', 'language=kor', '-metadata:s:s:2', 'language=eng'];
const film = (...codec: string[]): Promise<string> =>
  encoded('mkv', [...picture(), ...tone(), '-i', english, '-i', korean, '-i', english, ...[0, 1, 2, 3, 4].flatMap((input) => ['-map', String(input)]), ...x264, ...aac, ...codec, ...named]);

/** Matroska has no time before 0: the priming of the sound moves everything else by 21 ms, captions and pictures alike. */
const tenths = (micros: number): number => Math.round(micros / 1e5);

/** What is put, one after the other; whoever waits for so many is told. */
const desk = (has: readonly string[] = []) => {
  const put: Put[] = [];
  const waiting = new Set<() => void>();
  const listed = has.map((language) => ({ language, name: language }));
  return {
    put,
    captions: {
      list: async () => listed,
      put: async (video: string, language: string, name: string | null, { cues }: WebVtt) => {
        put.push({ video, language, name, cues: cues.map(({ startMicros, endMicros, text }) => `${tenths(startMicros)}-${tenths(endMicros)} ${text}`) });
        for (const look of waiting) look();
        return 'put' as const;
      },
    },
    async until(count: number): Promise<void> {
      while (put.length < count) await new Promise<void>((resolve) => waiting.add(resolve));
    },
  };
};

t.test('one of each language becomes captions, at its moments', async (t) => {
  for (const codec of ['srt', 'ass']) {
    const { captions, put, until } = desk();
    const { taken } = await testIntake(t, { captions });
    const { video } = await taken(await film('-c:s', codec));
    await until(2);
    t.equal(video.state, 'ready');
    t.match(put, [
      { video: video.id, language: 'en', name: 'For ’everybody’', cues: ['5-15 The mill', /^20-28 (<i>)?turns/] },
      { video: video.id, language: 'ko', name: null, cues: ['5-15 물레방아'] },
    ], codec);
  }
});

t.test('what its owner has given stays, and a desk that fails takes nothing from the video', async (t) => {
  const has = desk(['en']);
  const { taken } = await testIntake(t, { captions: has.captions });
  const path = await film('-c:s', 'srt');
  await taken(path);
  await has.until(1);
  t.match(has.put, [{ language: 'ko' }]);

  const asked = Promise.withResolvers<void>();
  const broken = { list: async () => [], put: async () => (asked.resolve(), Promise.reject(new Error('no'))) };
  const other = await testIntake(t, { captions: broken });
  const { video } = await other.taken(path);
  await asked.promise;
  t.match(await other.catalog.videos.get(video.id), { state: 'ready', errorCode: null });
});

t.test('what may go better another time is left for another time, and what cannot is not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-captions-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'a'));
  await writeFile(join(folder, 'a', 'original'), '');
  const texts = [{ index: 2, codec: 'subrip', language: 'en', name: null, isDefault: false, isForced: false }];
  const payload: CaptionsPayload = { video: 'a', container: 'matroska', texts };
  const ended: Ran = { code: 0, killedBy: null, ended: 'itself', output: Buffer.alloc(0), complaints: '' };
  const attempt = async (ran: Partial<Ran>, put: ShopTools['captions']['put'] = async () => 'put'): Promise<unknown> => {
    const run = async ({ place }: SandboxRun): Promise<Ran> => {
      await writeFile(join(place.work, captionName(0)), 'WEBVTT\n\n00:01.000 --> 00:02.000\nThe mill\n');
      return { ...ended, ...ran };
    };
    const tools = {
      ...{ folder, disk: nodeDisk, log: silent, captions: { list: async () => [], put } },
      sandbox: Promise.resolve({ level: 'full', run } as Partial<Sandbox> as Sandbox),
      catalog: { videos: { get: async () => ({ state: 'ready' }) } },
    } as unknown as ShopTools;
    const context = { signal: new AbortController().signal, folder: join(folder, 'job'), cores: 1, holds: async () => true, progress: () => undefined };
    return captionsHandler(tools)({ payload } as unknown as Job, context).then(
      () => 'done',
      (error: unknown) => error,
    );
  };
  t.equal(await attempt({}), 'done');
  t.match(await attempt({}, async () => 'no-room'), { recoverable: true });
  t.match(await attempt({ code: 228, complaints: 'No space left on device' }), { code: 'no-room', recoverable: true });
  t.match(await attempt({}, () => Promise.reject(new Error('busy'))), { message: 'busy' });
  t.equal(await attempt({ code: 1 }), 'done', 'they cannot be read: so it will be');
  t.equal(await attempt({}, async () => 'too-many'), 'done');
});
