/** Where the image is on the picture, how much of the picture is seen through it, and how large it is, by pixels. */
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encoded, scratch } from '../../../test/support/encoded.ts';
import { mustFfmpeg } from '../../../test/support/ffmpeg.ts';
import type { PictureSize } from '../../media/unit.ts';
import type { Watermark } from '../../pipeline/work.ts';
import { markFilters, markInput, markName } from './watermark.ts';

const folder = join(scratch, 'watermark');
await mkdir(folder, { recursive: true });
t.teardown(() => rm(folder, { recursive: true, force: true }));

/** White, 160 × 90, but for a clear edge of ten pixels whose colour, which nobody is to see, is red. */
const drawn = "color=black:size=160x90,format=rgba,geq=r=255:g='255*between(X,10,149)*between(Y,10,79)':b='255*between(X,10,149)*between(Y,10,79)':a='255*between(X,10,149)*between(Y,10,79)'";
const image = { width: 160, height: 90, edge: 10 };
await copyFile(await encoded('png', ['-f', 'lavfi', '-i', drawn, '-frames:v', '1']), join(folder, markName));

type Pixel = { readonly y: number; readonly u: number; readonly v: number };
type Picture = { readonly at: (x: number, y: number) => Pixel };

/** The second of two pictures of nothing but grey, half a minute into the film. */
const marked = async (t: Test, { width, height }: PictureSize, mark: Pick<Watermark, 'place' | 'opacity'>): Promise<Picture> => {
  const graph = [`[0:v]split=1[s0]`, ...markFilters({ picture: '[s0]', image: '[1:v]', out: '[v0]' }, { width, height, mark, matrix: 'bt709' })].join(';');
  const source = ['-f', 'lavfi', '-i', `color=gray:size=${width}x${height}:rate=25:duration=0.08,format=yuv420p,settb=1/180000,setpts=PTS+5400000`];
  const args = ['-copyts', ...source, ...markInput, '-filter_complex', graph, '-map', '[v0]', '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', 'pipe:1'];
  const { stdout } = await mustFfmpeg(args, { cwd: folder });
  const size = (width * height * 3) / 2;
  t.equal(stdout.length, 2 * size, 'as many pictures as there were');
  const picture = stdout.subarray(size);
  const chroma = (plane: number, x: number, y: number): number => picture[width * height + plane * ((width * height) / 4) + (y >> 1) * (width / 2) + (x >> 1)] ?? 0;
  return { at: (x, y) => ({ y: picture[y * width + x] ?? 0, u: chroma(0, x, y), v: chroma(1, x, y) }) };
};

const grey = 126;
const white = 235;
const about = (one: number, other: number): boolean => Math.abs(one - other) <= 3;

/** The smallest box that has every pixel that is no longer grey. */
const boxOf = ({ at }: Picture, { width, height }: PictureSize): { left: number; top: number; right: number; bottom: number } => {
  const box = { left: width, top: height, right: -1, bottom: -1 };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (about(at(x, y).y, grey)) continue;
      Object.assign(box, { left: Math.min(box.left, x), top: Math.min(box.top, y), right: Math.max(box.right, x), bottom: Math.max(box.bottom, y) });
    }
  }
  return box;
};

const sizes: readonly PictureSize[] = [{ width: 1920, height: 1080 }, { width: 640, height: 360 }, { width: 360, height: 640 }, { width: 426, height: 240 }, { width: 638, height: 146 }];

for (const size of sizes) {
  t.test(`each corner and the middle of ${size.width} × ${size.height}`, async (t) => {
    const { width, height } = size;
    const short = Math.min(width, height);
    const share = short / 1080;
    const [wide, high] = [(image.width - 2 * image.edge) * share, (image.height - 2 * image.edge) * share];
    const away = short / 30 + image.edge * share;
    const near = (found: number, wanted: number, what: string): void => void t.ok(Math.abs(found - wanted) <= 2.5, `${what}: ${found}, not ${wanted.toFixed(1)}`);
    for (const place of ['top-left', 'top-right', 'bottom-left', 'bottom-right', 'centre'] as const) {
      const { left, top, right, bottom } = boxOf(await marked(t, size, { place, opacity: 1 }), size);
      near(right - left + 1, wide, `${place}: how wide`);
      near(bottom - top + 1, high, `${place}: how high`);
      if (place === 'centre') {
        near((left + right + 1) / 2, width / 2, place);
        near((top + bottom + 1) / 2, height / 2, place);
      } else {
        near(place.endsWith('left') ? left : width - 1 - right, away, `${place}: from the side`);
        near(place.startsWith('top') ? top : height - 1 - bottom, away, `${place}: from above or below`);
      }
    }
  });
}

t.test('so much is seen of it, and so much of the picture; and nothing of what is clear', async (t) => {
  for (const opacity of [0.05, 0.25, 0.6, 1]) {
    const { at } = await marked(t, { width: 1280, height: 720 }, { place: 'centre', opacity });
    const { y, u, v } = at(640, 360);
    t.ok(about(y, grey + opacity * (white - grey)), `${opacity}: ${y}`);
    t.ok(about(u, 128) && about(v, 128), `${opacity}: white, ${u} ${v}`);
    // From the middle, 80 × 2/3 pixels to the left, it begins, and the white in it 7 pixels further on.
    const edge = Array.from({ length: 16 }, (_, index) => at(584 + index, 360)).filter((pixel) => !about(pixel.u, 128) || !about(pixel.v, 128));
    t.same(edge, [], `${opacity}: nothing red at the edge`);
  }
});

t.test('an image that is larger than the picture takes half of it', async (t) => {
  const size = { width: 1280, height: 100 };
  const tall = await encoded('png', ['-f', 'lavfi', '-i', 'color=white:size=600x1500,format=rgba', '-frames:v', '1']);
  await copyFile(tall, join(folder, markName));
  const { top, bottom, left, right } = boxOf(await marked(t, size, { place: 'bottom-right', opacity: 1 }), size);
  t.same([bottom - top + 1, right - left + 1], [50, 20]);
});
