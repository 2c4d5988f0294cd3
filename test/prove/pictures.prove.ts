/** Pictures out of films that are large, bright, or damaged: sharp where there is something sharper, in the colours that everybody sees, and never an end of anything. */
import t from 'tap';
import { readFragments } from '../../packager/cmaf/reader.ts';
import { makePosters, makePreview, makeStoryboard } from '../../packager/encode/stills/make.ts';
import { changing, clear, colours, isNear, logOf, open, pixelsOf, sizeOf, stageOf, usual, x264 } from '../../packager/encode/stills/testing.ts';
import { encoded } from '../support/encoded.ts';
import { Random } from '../support/random.ts';

t.teardown(clear);

t.test('posters are the film’s own size up to 1280, out of the sharper track where there is one, and not its black beginning', async (t) => {
  const black = 'color=black:size=1920x1080:rate=5:duration=8';
  const scenes = 'testsrc2=size=1920x1080:rate=5:duration=8';
  const large = await encoded('mp4', ['-f', 'lavfi', '-i', black, '-f', 'lavfi', '-i', scenes, '-filter_complex', 'concat=n=2', ...x264, '-g', '5']);
  const small = await encoded('mp4', ['-i', large, '-vf', 'scale=426:240', ...x264, '-g', '5', '-x264-params', 'scenecut=0']);
  const stage = stageOf(await open(t, small));
  const made = await makePosters(stage, await open(t, large), { count: 3 });
  t.equal(made?.height, 720);
  t.equal(made?.posters.length, 3);
  for (const poster of made?.posters ?? []) {
    t.same(sizeOf(poster), [1280, 720]);
    t.notOk(isNear((await pixelsOf(poster))(1200, 40), [0, 0, 0]), 'not black');
  }
  t.match(await makePosters(stage, null, { count: 2 }), { height: 240, posters: [Buffer, Buffer] });
});

t.test('high dynamic range becomes what everybody can see', async (t) => {
  const hdr = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le', '-tag:v', 'hvc1', '-x265-params', 'log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:keyint=10'];
  // Mid grey of PQ is far above what paper white is.
  const file = await encoded('mp4', ['-f', 'lavfi', '-i', 'color=gray:size=640x360:rate=10:duration=1', ...hdr]);
  const made = await makeStoryboard(stageOf(await open(t, file)), usual);
  const [red = 0, green = 0, blue = 0] = (await pixelsOf(made?.sheets[0] ?? Buffer.alloc(0)))(76, 40);
  t.ok(Math.max(red, green, blue) - Math.min(red, green, blue) < 12 && Math.abs(green - 128) > 12, `${red} ${green} ${blue}`);
});

t.test('what is damaged costs its own picture, shows the one before, and ends nothing', async (t) => {
  const reader = await open(t, await changing());
  const whole = await makeStoryboard(stageOf(reader), usual);
  const random = new Random(11);
  for (const kind of ['noise', 'cut', 'nothing'] as const) {
    const log = await logOf([reader], (bytes, seq) => {
      if (seq % 3 !== 1) return bytes;
      if (kind === 'nothing') return Buffer.from('not a fragment at all');
      const [facts] = readFragments(bytes);
      const [key] = facts?.samples ?? [];
      if (!key) return bytes;
      const out = Buffer.from(bytes);
      if (kind === 'cut') out.fill(0, key.offset + 4);
      else for (let at = key.offset; at < key.offset + key.size; at += 1) out[at] = random.below(256);
      return out;
    });
    const made = await makeStoryboard(stageOf(log), usual);
    t.equal(made?.cells.length, whole?.cells.length, kind);
    const [sheet = Buffer.alloc(0)] = made?.sheets ?? [];
    t.same(sizeOf(sheet), [1600, 180], kind);
    t.ok(isNear((await pixelsOf(sheet))(76, 40), colours.red), 'the first is whole');
    if (kind === 'noise') t.ok((await makePosters(stageOf(log), null, { count: 2 }))?.posters.length, 'and there are posters');
  }
  const hopeless = await logOf([reader], (bytes) => Buffer.alloc(bytes.length));
  t.equal(await makeStoryboard(stageOf(hopeless), usual), null);
  t.equal(await makePosters(stageOf(hopeless), null, { count: 6 }), null);
  t.equal(await makePreview(stageOf(hopeless), { seconds: 3 }), null);
});
