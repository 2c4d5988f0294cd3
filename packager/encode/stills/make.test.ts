/** Pictures out of real films: the right moment in the right place, in the shape that players show. What takes longer: prove/pictures. */
import t from 'tap';
import { encoded, run } from '../../../test/support/encoded.ts';
import { recording, rot } from '../../../test/support/whole-rungs.ts';
import { initSegment } from '../../cmaf/init.ts';
import { readInit } from '../../cmaf/reader.ts';
import { nodeDisk } from '../../log/node-disk.ts';
import { openTrackLogReader } from '../../log/open.ts';
import { makePosters, makePreview, makeStoryboard } from './make.ts';
import { stillSource } from './take.ts';
import { at, changing, clear, colours, film, isNear, logOf, open, pixelsOf, sandbox, sizeOf, stageOf, usual, x264 } from './testing.ts';

t.teardown(clear);

t.test('each cell of a storyboard shows its moment', async (t) => {
  const reader = await open(t, await changing());
  const told: number[] = [];
  const made = await makeStoryboard(stageOf(reader, { progress: (done) => told.push(done) }), usual);
  if (!made) throw new Error('no storyboard');
  const { cells, cell, sheets, length } = made;
  t.same([cell, length, sheets.length, told.at(-1)], [{ width: 160, height: 90 }, 40e6, 1, 1]);
  t.same(cells.map(({ at }) => at / 1e6), Array.from({ length: 20 }, (_, index) => 2 * index));
  const [sheet = Buffer.alloc(0)] = sheets;
  t.same(sizeOf(sheet), [1600, 180]);
  const wanted = Object.values(colours);
  const pixels = await pixelsOf(sheet);
  for (const [index, { at }] of cells.entries()) {
    const seen = pixels((index % 10) * 160 + 76, Math.floor(index / 10) * 90 + 40);
    t.ok(isNear(seen, wanted[Math.floor(at / 10e6)] ?? []), `cell ${index}: ${String(seen)}`);
  }
  const again = await makeStoryboard(stageOf(reader), usual);
  t.same(again?.sheets, sheets, 'the same bytes for the same film');
  const cut = await makeStoryboard(stageOf(reader, { span: { inMs: 10_000, outMs: 29_500 } }), usual);
  t.equal(cut?.cells.length, 10);
  const inCut = await pixelsOf(cut?.sheets[0] ?? sheet);
  t.ok(isNear(inCut(76, 40), colours.green), 'what has been cut away is not in it');
  t.ok(isNear(inCut(9 * 160 + 76, 40), colours.blue));
});

t.test('pictures have the shape that players show: upright, turned, anamorphic, tiny', async (t) => {
  const clip = await film('testsrc2=size=640x360:rate=10:duration=2', ['-g', '10']);
  const turned = await encoded('mp4', ['-i', clip, '-c', 'copy', '-metadata:s:v:0', 'rotate=90']);
  const shapes: readonly (readonly [name: string, file: string, cell: readonly number[]])[] = [
    ['turned', turned, [90, 160]],
    ['upright', await film('testsrc2=size=360x640:rate=10:duration=1'), [90, 160]],
    ['anamorphic', await film('testsrc2=size=720x576:rate=10:duration=1', [], 'setsar=64/45'), [160, 90]],
    ['anamorphic where only the container says so', await encoded('mp4', ['-i', await film('testsrc2=size=720x576:rate=10:duration=1'), '-c', 'copy', '-aspect', '16:9']), [160, 90]],
    ['tiny', await film('testsrc2=size=64x48:rate=10:duration=1'), [64, 48]],
  ];
  for (const [name, file, [width, height]] of shapes) {
    const made = await makeStoryboard(stageOf(await open(t, file)), usual);
    t.same(made?.cell, { width, height }, name);
  }
  const arrow = await encoded('mp4', ['-f', 'lavfi', '-i', 'color=red:size=640x360:rate=10:duration=1', '-vf', 'drawbox=x=0:y=0:w=iw:h=ih/2:color=blue:t=fill', ...x264]);
  // ffmpeg turns what it shows: the same places have the same colours.
  for (const degrees of [90, 180, 270]) {
    const file = await encoded('mp4', ['-i', arrow, '-c', 'copy', '-metadata:s:v:0', `rotate=${degrees}`]);
    const made = await makeStoryboard(stageOf(await open(t, file)), usual);
    const { width, height } = made?.cell ?? { width: 0, height: 0 };
    const shown = at(await run(['-i', file, '-vf', `scale=${width}:${height}`, '-frames:v', '1', '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1']), width);
    const seen = await pixelsOf(made?.sheets[0] ?? Buffer.alloc(0));
    for (const [x, y] of [[8, 8], [width - 16, 8], [8, height - 16]] as const) t.ok(isNear(seen(x, y), shown(x, y)), `turned by ${degrees}, ${x} ${y}: ${String(seen(x, y))}, not ${String(shown(x, y))}`);
  }
});

t.test('what the container says of pictures holds, whatever they say themselves', async (t) => {
  const clip = await film('testsrc2=size=64x48:rate=10:duration=1', ['-color_primaries', 'bt709', '-color_trc', 'bt709', '-colorspace', 'bt709'], 'setsar=1');
  const { epochs } = (await open(t, clip)).snapshot();
  t.match(stillSource({ epochs }, 0), { sar: { width: 1, height: 1 }, colour: { transfer: 1, matrix: 1 } });
  const said = { pixelAspect: { width: 4, height: 3 }, colour: { primaries: 9, transfer: 18, matrix: 9, fullRange: false } };
  const told = epochs.map((epoch) => {
    const facts = readInit(epoch.init);
    return { ...epoch, init: facts.kind === 'video' ? initSegment({ ...facts, ...said }) : epoch.init };
  });
  t.match(stillSource({ epochs: told }, 0), { sar: said.pixelAspect, colour: said.colour });
});

t.test('films of one picture, of one second, and sound alone', async (t) => {
  const one = stageOf(await open(t, await film('testsrc2=size=640x360:rate=10', ['-frames:v', '1'])));
  t.match(await makeStoryboard(one, usual), { cells: [{ at: 0 }], sheets: [Buffer] });
  const posters = await makePosters(one, null, { count: 6 });
  t.match(posters, { height: 360, best: 0 });
  t.equal(posters?.posters.length, 1);
  t.equal(await makePreview(one, { seconds: 3 }), null, 'nothing moves in it');
  const short = stageOf(await open(t, await film('testsrc2=size=640x360:rate=10:duration=1', ['-g', '5'])));
  t.ok((await makePosters(short, null, { count: 6 }))?.posters.length);
  t.ok(await makePreview(short, { seconds: 3 }));
  const sound = await encoded('mp4', ['-f', 'lavfi', '-i', 'sine=duration=2', '-c:a', 'aac']);
  const silent = stageOf(await open(t, sound));
  t.same([await makeStoryboard(silent, usual), await makePosters(silent, null, { count: 6 }), await makePreview(silent, { seconds: 3 })], [null, null, null]);
});

t.test('the preview moves for three seconds, at ten pictures a second, and shows no black', async (t) => {
  const source = 'testsrc2=size=640x360:rate=25:duration=30';
  const made = await makePreview(stageOf(await open(t, await film(source, ['-g', '50', '-bf', '2']))), { seconds: 3 });
  if (!made) throw new Error('no preview');
  t.equal(made.height, 180);
  const { preview } = made;
  t.equal(preview.toString('latin1', 8, 16), 'WEBPVP8X');
  t.ok((preview[20] ?? 0) & 2, 'it is an animation');
  t.same([1 + preview.readUIntLE(24, 3), 1 + preview.readUIntLE(27, 3)], [320, 180]);
  t.ok(preview.length < 500_000, `${preview.length} bytes`);
  const frames = preview.toString('latin1').split('ANMF').length - 1;
  t.ok(frames >= 28 && frames <= 30, `${frames} pictures`);
  const none = { ...sandbox.programs, encoders: new Set(['libx264', 'aac']) };
  const without = { feed: sandbox.feed.bind(sandbox), programs: none };
  t.equal(await makePreview(stageOf(await open(t, await changing()), { sandbox: without }), { seconds: 3 }), null, 'an ffmpeg that writes none');
});

t.test('a recording of several epochs, each of another size, is one storyboard', async (t) => {
  const wide = await open(t, await film('color=red:size=640x360:rate=10:duration=4', ['-g', '20']));
  const high = await open(t, await film('color=blue:size=360x640:rate=10:duration=4', ['-g', '20']));
  const made = await makeStoryboard(stageOf(await logOf([wide, high])), usual);
  if (!made) throw new Error('no storyboard');
  t.same([made.cell, made.cells.map(({ at }) => at / 1e6)], [{ width: 160, height: 90 }, [0, 2, 4, 6]]);
  const [sheet = Buffer.alloc(0)] = made.sheets;
  const pixels = await pixelsOf(sheet);
  t.ok(isNear(pixels(76, 40), colours.red));
  t.ok(isNear(pixels(320 + 76, 40), colours.blue));
  t.ok(isNear(pixels(320 + 4, 40), [0, 0, 0]), 'with bars');
});

t.test('what is damaged on the disk costs its own picture of a recording, and nothing else', async (t) => {
  const folder = t.testdir({});
  await recording({ folder }, 'v0', { epochs: [await changing()] });
  const reader = async () => {
    const log = await openTrackLogReader({ disk: nodeDisk, folder: `${folder}/v0` });
    t.teardown(() => log.close());
    return log;
  };
  const { end, entry, epochs } = (await reader()).snapshot();
  const all = Array.from({ length: end }, (_, seq) => entry(seq));
  const key = all.find(({ dts }) => dts === 10 * (epochs[0]?.timescale ?? 1))?.seq ?? end;
  t.ok(entry(key).key);
  await rot({ folder }, 'v0', key);
  const log = await reader();
  await t.rejects(log.read(key, key + 1), { code: 'corrupt' });
  const made = await makeStoryboard(stageOf(log), usual);
  if (!made) throw new Error('no storyboard');
  t.equal(made.cells.length, 20);
  const pixels = await pixelsOf(made.sheets[0] ?? Buffer.alloc(0));
  t.ok(isNear(pixels(5 * 160 + 76, 40), colours.red), 'it shows what was there before');
  t.ok(isNear(pixels(6 * 160 + 76, 40), colours.green));
  t.equal((await makePosters(stageOf(log), null, { count: 3 }))?.posters.length, 3);
  // Only the beginning of each scene can be decoded.
  for (const { seq } of all.filter((one) => !one.key)) await rot({ folder }, 'v0', seq);
  t.ok(await makePreview(stageOf(await reader()), { seconds: 3 }));
});

t.test('what nobody wants any more ends', async (t) => {
  const aborted = new AbortController();
  aborted.abort();
  await t.rejects(makeStoryboard(stageOf(await open(t, await changing()), { signal: aborted.signal }), usual));
});
