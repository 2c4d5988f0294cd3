/** Every picture of every rung of a chunk carries the image, and as many come out as without it. */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encoded } from '../../../test/support/encoded.ts';
import { mustFfmpeg } from '../../../test/support/ffmpeg.ts';
import { systemClock } from '../../clock.ts';
import { nodeDisk } from '../../log/node-disk.ts';
import { openTrackLogReader } from '../../log/open.ts';
import type { EncodeWork, RungWork, Watermark } from '../../pipeline/work.ts';
import { findPrograms } from '../programs.ts';
import { makeJobPlace, Sandbox } from '../sandbox.ts';
import { buildOf } from './address.ts';
import { encodeChunk } from './chunk.ts';

const folder = await mkdtemp(join(tmpdir(), 'millrace-marked-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const place = await makeJobPlace(join(folder, 'job'));
const home = join(folder, 'video');
await mkdir(home);

const grey = ['-f', 'lavfi', '-i', 'color=gray:size=640x360:rate=25:duration=2'];
await copyFile(await encoded('mp4', [...grey, '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '2']), join(home, 'original'));
await copyFile(await encoded('png', ['-f', 'lavfi', '-i', 'color=white:size=540x540', '-frames:v', '1']), join(home, 'mark.png'));

const rung = (width: number, height: number): RungWork => ({ name: `${height}p`, width, height, crf: 20, maxRate: 1_000_000, preset: 'ultrafast', level: 30 });
const rungs = [rung(640, 360), rung(426, 240)];
const work: EncodeWork = {
  ...{ video: 'video', source: { kind: 'original', path: 'original', track: 1 }, version: '1', epoch: 0, from: 0, to: 1, rungs },
  ...{ treatment: { deinterlace: false, toneMap: null }, watermark: null },
};

/** How bright each picture is in the middle, and in a corner. */
const seen = async (watermark: Watermark | null): Promise<{ readonly middle: number; readonly corner: number }[][]> => {
  const signal = new AbortController().signal;
  const made = await encodeChunk({ sandbox, place, disk: nodeDisk, clock: systemClock, folder: home, build: buildOf(sandbox.programs), signal, progress: () => undefined }, { ...work, watermark });
  return Promise.all(
    rungs.map(async ({ name, width, height }) => {
      const log = await openTrackLogReader({ disk: nodeDisk, folder: join(made.folder, name) });
      const { first, end, epochs } = log.snapshot();
      const input = Buffer.concat([epochs[0]?.init ?? Buffer.alloc(0), ...(await log.readChecked(first, end))]);
      await log.close();
      const { stdout } = await mustFfmpeg(['-f', 'mp4', '-i', 'pipe:0', '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'], { input });
      const count = stdout.length / (width * height);
      return Array.from({ length: count }, (_, index) => {
        const picture = stdout.subarray(index * width * height);
        return { middle: picture[(height / 2) * width + width / 2] ?? 0, corner: picture[4 * width + 4] ?? 0 };
      });
    }),
  );
};

t.test('every picture of every rung has it, and no other place', async (t) => {
  const plain = await seen(null);
  const marked = await seen({ path: 'mark.png', digest: 'ab', place: 'centre', opacity: 0.5 });
  t.same(marked.map(({ length }) => length), plain.map(({ length }) => length));
  for (const [index, pictures] of marked.entries()) {
    const wrong = pictures.filter(({ middle, corner }, at) => middle < 150 || Math.abs(corner - (plain[index]?.[at]?.corner ?? 0)) > 4);
    t.same(wrong, [], `rung ${index}`);
    t.ok(plain[index]?.every(({ middle }) => Math.abs(middle - 128) < 6) && pictures.length > 20, 'grey without');
  }
});
