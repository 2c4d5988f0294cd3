/** What disguised files come to when they get as far as ffmpeg: our own look at their first bytes keeps them away, and here it does not. */
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encoded } from '../../test/support/encoded.ts';
import { systemClock } from '../clock.ts';
import type { Container } from '../media/sniff.ts';
import { calm, hostileInput } from './hostile.ts';
import type { SoundWork, Step } from './plan.ts';
import { findPrograms } from './programs.ts';
import { EncodeError, inspect, make, type Workbench } from './runs.ts';
import { inputName, makeJobPlace, Sandbox } from './sandbox.ts';

const folder = await mkdtemp(join(tmpdir(), 'millrace-hostile-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
// The weakest walls: what is not read here is not read because of the arguments.
const open = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false, only: ['limits', 'bare'] });
const neighbour = await encoded('ts', ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=1', '-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p']);

const playlist = (uri: string): string => `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${uri}\n#EXT-X-ENDLIST\n`;
const disguised: Record<string, (work: string) => string> = {
  'a playlist of a neighbour': () => playlist('other.ts'),
  'a playlist of an address': () => playlist('http://127.0.0.1:1/other.ts'),
  'a playlist of an absolute path': (work) => playlist(join(work, 'other.ts')),
  'a playlist with a map and a key of files': (work) => playlist('other.ts').replace('#EXTINF', `#EXT-X-MAP:URI="file://${work}/other.ts"\n#EXT-X-KEY:METHOD=AES-128,URI="file://${work}/other.ts"\n#EXTINF`),
  'a playlist of itself': () => playlist(inputName),
  'a list of a neighbour': () => 'ffconcat version 1.0\nfile other.ts\n',
  'a list of an absolute path': (work) => `ffconcat version 1.0\nfile ${work}/other.ts\n`,
  'a manifest': (work) => `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet><Representation id="a"><BaseURL>file://${work}/other.ts</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  'a description of a session': () => 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
};
const containers: readonly Container[] = ['mp4', 'matroska', 'mpegts', 'flv', 'avi', 'mp3', 'adts', 'flac', 'wav', 'ogg'];
const limits = { memoryBytes: 4 * 2 ** 30, cpuSeconds: 10, fileBytes: 1 << 24 };

const benchWith = async (text: (work: string) => string, container: Container, walls: Sandbox): Promise<Workbench> => {
  const place = await makeJobPlace(await mkdtemp(join(folder, 'job-')));
  await Promise.all([writeFile(join(place.work, inputName), text(place.work)), copyFile(neighbour, join(place.work, 'other.ts'))]);
  return { sandbox: walls, place, container, signal: new AbortController().signal };
};

const sound: SoundWork = { stream: 0, language: 'und', name: null, copy: true, channels: 2, sampleRate: 48_000, bitRate: 128_000 };
const copying: Step = { kind: 'remux', picture: { how: 'copy', stream: 0 }, sounds: [], original: { picture: false, sound: false } };

t.test('without our arguments, ffmpeg reads the neighbours of what it is given', async (t) => {
  if (!open) return t.fail('ffmpeg does not run here');
  const { place } = await benchWith(disguised['a playlist of a neighbour'] ?? String, 'mp4', open);
  const ran = await open.run({ program: 'ffprobe', args: [...calm, '-show_entries', 'stream=codec_name', inputName], place, limits, wallMs: 10_000 });
  t.match(ran.output.toString(), 'h264');
});

for (const [what, text] of Object.entries(disguised)) {
  t.test(`${what} reads nothing, whatever it is taken for`, async (t) => {
    if (!open || !sandbox) return t.fail('ffmpeg does not run here');
    await Promise.all(
      containers.map(async (container) => {
        const bench = await benchWith(text, container, open);
        const seen = await inspect(bench).then(
          // flac takes anything for a stream of sound, and knows nothing of it.
          ({ inspection: { pictures, sounds } }) => pictures.length + sounds.filter(({ sampleRate }) => sampleRate > 0).length,
          (error: unknown) => (error instanceof EncodeError ? 0 : Promise.reject(error)),
        );
        t.equal(seen, 0, `${container} sees nothing`);
      }),
    );
    const bench = await benchWith(text, 'mpegts', sandbox);
    for (const step of [copying, { ...copying, picture: null, sounds: [sound] }]) {
      await t.rejects(make(bench, { step, threads: 1, lenient: false, duration: 1, fileBytes: 1 << 24, progress: () => undefined }), EncodeError);
    }
    const left = (await readdir(bench.place.work)).filter((name) => name !== inputName && name !== 'other.ts');
    for (const name of left) t.ok((await readFile(join(bench.place.work, name))).length < 1000, 'nothing of it was written');
  });
}

t.test('every argument for a hostile file is ours', (t) => {
  for (const container of containers) {
    const args = hostileInput(container);
    t.equal(args[args.indexOf('-f') + 1], args[args.indexOf('-format_whitelist') + 1]);
    t.equal(args[args.indexOf('-protocol_whitelist') + 1], 'file');
    t.equal(args.at(-1), 'file:input');
  }
  t.end();
});
